// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/table/change.h"

#include <functional>

namespace pinhole::table {

BindingTable::Changed BindingTable::change(std::uint64_t hash, std::string_view aor,
                                           PlannedChange planned) {
    return Change(*this, hash, aor).run(planned);
}

BindingTable::Changed Change::run(const BindingTable::PlannedChange& planned) {
    if (!claim()) {
        return {ChangeResult::kContended, nullptr};
    }
    if (!planned.decide(planned.context, {old_, views_.first(old_count())}, edit_)) {
        return refuse(ChangeResult::kNothing);
    }
    if (const ChangeResult result = plan(); result != ChangeResult::kOk) {
        return refuse(result);
    }
    if (dropped_ == 0 && !new_texts_) {
        change_in_place();
        return {ChangeResult::kOk, old_};
    }
    if (const ChangeResult result = reserve(); result != ChangeResult::kOk) {
        return refuse(result);
    }
    build();
    log();
    publish();
    return {ChangeResult::kOk, fresh_};
}

BindingTable::Changed Change::refuse(ChangeResult why) {
    if (old_ != nullptr) {
        old_->sequence().release_unchanged();
    }
    return {why, nullptr};
}

bool Change::claim() {
    place_ = shard_.buckets.locate(hash_, aor_);
    if (place_.cell == nullptr) {
        return true;
    }
    Record* record = BucketIndex::record_at(place_);
    if (record->sequence().claim() != Claim::kClaimed) {
        return false;  // contended; dead it can't be: that is what we alone do
    }
    old_ = record;
    for (std::size_t i = 0; i < old_count(); ++i) {
        ContactView& view = views_.set(i, {});
        old_->view_fixed(i, view);
        view.state = old_->load_state(i);
    }
    return true;
}

bool Change::count_text(const NewContact& contact) {
    ++contacts_;
    text_bytes_ += text_bytes(contact);
    new_texts_ = true;
    const auto inside = [&] {
        const std::less_equal<const char*> not_after;
        return not_after(contact.params.data(), contact.instance.data()) &&
               not_after(contact.instance.data() + contact.instance.size(),
                         contact.params.data() + contact.params.size());
    };
    return contact.uri.size() <= kMaxUriBytes && contact.params.size() <= kMaxParamsBytes &&
           contact.path.size() <= kMaxPathBytes && (contact.instance.empty() || inside());
}

ChangeResult Change::plan() {
    bool fits = aor_.size() <= kMaxAorBytes;
    for (std::size_t i = 0; i < old_count(); ++i) {
        switch (edit_.actions_[i]) {
            case Action::kDrop:
                ++dropped_;
                break;
            case Action::kReplace:
                fits = count_text(new_contact(i)) && fits;
                break;
            case Action::kModify:
                modified_ = true;
                [[fallthrough]];
            case Action::kKeep:
                ++contacts_;
                text_bytes_ += old_->text_bytes(i);
                break;
        }
    }
    for (std::size_t n = 0; n < edit_.new_count_; ++n) {
        if (edit_.new_[n].added) {
            fits = count_text(edit_.new_[n].contact) && fits;
        }
    }
    if (!fits || contacts_ > kMaxContactsPerAor) {
        return ChangeResult::kTooLarge;
    }
    return dropped_ != 0 || new_texts_ || modified_ ? ChangeResult::kOk : ChangeResult::kNothing;
}

// A flow that leads to a proxy on the way is no contact's own: behind it are as many as there are.
void Change::link(std::uint32_t slot, const net::Flow& flow, std::string_view path) {
    if (path.empty()) {
        shard_.flows.link(slot, flow);
    }
}

void Change::unlink(std::size_t i) {
    if (views_[i].path.empty()) {
        shard_.flows.unlink(views_[i].id.slot, views_[i].state.flow);
    }
}

// Contact `i` of the old record is in `state`, behind `path`, from now on: updates the index and
// the marks.
void Change::settle(std::size_t i, const ContactState& state, std::string_view path) {
    const std::uint32_t slot = views_[i].id.slot;
    const bool moved = state.flow != views_[i].state.flow || path != views_[i].path;
    if (moved) {
        unlink(i);
        link(slot, state.flow, path);
    }
    const bool shown = ((state.flags ^ views_[i].state.flags) & kShownFlags) != 0;
    if (moved || shown || state.expires_at_s < views_[i].state.expires_at_s) {
        table_.for_wheel_.mark(slot);
    }
}

void Change::change_in_place() {
    for (std::size_t i = 0; i < old_count(); ++i) {
        if (edit_.actions_[i] == Action::kModify) {
            old_->store_state(i, edit_.states_[i]);
            settle(i, edit_.states_[i], views_[i].path);
        }
    }
    if (shard_.log != nullptr) {
        shard_.log->changed(*old_, old_->sequence().next_version());
    }
    old_->sequence().release();
}

void Change::build() {
    if (contacts_ == 0) {
        return;
    }
    RecordBuilder builder(memory_, bytes_, hash_, aor_, contacts_);
    for (std::size_t i = 0; i < old_count(); ++i) {
        switch (edit_.actions_[i]) {
            case Action::kKeep:
                builder.carry(*old_, i, views_[i].state);
                break;
            case Action::kModify:
                builder.carry(*old_, i, edit_.states_[i]);
                break;
            case Action::kReplace:
                builder.add(views_[i].id, new_contact(i));
                break;
            case Action::kDrop:
                break;
        }
    }
    std::size_t next_id = 0;
    for (std::size_t n = 0; n < edit_.new_count_; ++n) {
        if (edit_.new_[n].added) {
            builder.add(ids_[next_id++], edit_.new_[n].contact);
        }
    }
    fresh_ = builder.record();
    // So that versions of an AOR go up as long as it has a contact.
    fresh_->sequence().begin_at(old_ != nullptr ? old_->sequence().next_version() : 0);
}

// Before anybody can see it: nothing that was answered is missing in the log.
void Change::log() {
    if (shard_.log == nullptr) {
        return;
    }
    if (fresh_ != nullptr) {
        shard_.log->changed(*fresh_, fresh_->sequence().as_copied());
    } else {
        shard_.log->gone(hash_, aor_);
    }
}

void Change::publish() {
    // By id first, then by AOR: an id that somebody can learn from the record is good already.
    std::uint32_t empty_line = 0;
    bool line_unlinked = false;
    if (fresh_ != nullptr) {
        for (std::size_t i = 0; i < fresh_->contact_count(); ++i) {
            table_.slots_.set_record(fresh_->fixed(i).slot, fresh_);
        }
        shard_.buckets.put(place_, fresh_);
    } else {
        line_unlinked = shard_.buckets.clear(place_, empty_line);
    }
    settle_contacts();
    shard_.counts.add(static_cast<std::int64_t>(taken_) - static_cast<std::int64_t>(dropped_),
                      (fresh_ != nullptr ? 1 : 0) - (old_ != nullptr ? 1 : 0),
                      static_cast<std::int64_t>(fresh_ != nullptr ? bytes_ : 0) -
                          static_cast<std::int64_t>(old_ != nullptr ? old_->bytes() : 0));
    if (old_ != nullptr) {
        retire_old();
    }
    if (line_unlinked) {
        const std::uint64_t token = table_.reclaimer_.start(table_.reclaimer_.context);
        shard_.retired.push({nullptr, token, empty_line, Kind::kLine});
    }
}

void Change::settle_contacts() {
    for (std::size_t i = 0; i < old_count(); ++i) {
        const std::uint32_t slot = views_[i].id.slot;
        switch (edit_.actions_[i]) {
            case Action::kKeep:
                break;
            case Action::kModify:
                settle(i, edit_.states_[i], views_[i].path);
                break;
            case Action::kReplace:
                settle(i, new_contact(i).state, new_contact(i).path);
                table_.for_wheel_.mark(slot);
                break;
            case Action::kDrop:
                unlink(i);
                table_.slots_.end_contact(slot);
                table_.for_wheel_.mark(slot);
                break;
        }
    }
    std::size_t next_id = 0;
    for (std::size_t n = 0; n < edit_.new_count_; ++n) {
        if (edit_.new_[n].added) {
            const std::uint32_t slot = ids_[next_id++].slot;
            link(slot, edit_.new_[n].contact.state.flow, edit_.new_[n].contact.path);
            table_.for_wheel_.mark(slot);
        }
    }
}

void Change::retire_old() {
    const auto bytes = static_cast<std::uint32_t>(old_->bytes());
    old_->sequence().retire();
    // After all of it is out of the table: who is quiescent from here on can't have it.
    const std::uint64_t token = table_.reclaimer_.start(table_.reclaimer_.context);
    shard_.retired.push({old_, token, bytes, Kind::kRecord});
    for (std::size_t i = 0; i < old_count(); ++i) {
        if (edit_.actions_[i] == Action::kDrop) {
            shard_.retired.push({nullptr, token, views_[i].id.slot, Kind::kSlot});
        }
    }
}

}  // namespace pinhole::table
