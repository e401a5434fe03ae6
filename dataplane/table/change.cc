// SPDX-License-Identifier: BSD-3-Clause
// A structural change of one AOR, by its shard's owner. The current record is claimed first, so
// that no refresh comes between the decision and its effect. Everything that can fail (slots,
// memory, a bucket cell, room to retire) is taken before anything is published; then the new record
// stands in the bucket before the old one is marked dead, so that who waited for the claim finds
// what to do next.
#include "dataplane/table/binding_table.h"

#include <algorithm>

namespace pinhole::table {

class Change {
  public:
    Change(BindingTable& table, std::uint64_t hash, std::string_view aor)
        : table_(table),
          shard_n_(table.shard_of(hash)),
          shard_(table.shards_[shard_n_]),
          hash_(hash),
          aor_(aor) {}

    BindingTable::Changed run(const BindingTable::Decision& decision);

  private:
    using Action = Edit::Action;
    using Kind = RetireList::Kind;

    [[nodiscard]] std::size_t old_count() const {
        return old_ != nullptr ? old_->contact_count() : 0;
    }
    BindingTable::Changed refuse(ChangeResult why);

    [[nodiscard]] bool claim();
    [[nodiscard]] ChangeResult plan();
    [[nodiscard]] bool count_text(const NewContact& contact);
    void change_in_place();
    void settle(std::size_t i, const ContactState& state);

    [[nodiscard]] ChangeResult reserve();
    [[nodiscard]] bool reserve_room();
    [[nodiscard]] bool reserve_slots();
    [[nodiscard]] bool reserve_memory();
    void give_slots_back();

    void build();
    void publish();
    void settle_contacts();
    void retire_old();

    const NewContact& new_contact(std::size_t i) const {
        return edit_.new_[edit_.new_index_[i]].contact;
    }

    BindingTable& table_;
    const std::uint32_t shard_n_;
    Shard& shard_;
    const std::uint64_t hash_;
    const std::string_view aor_;

    BucketIndex::Place place_;
    Record* old_ = nullptr;  // claimed
    std::array<ContactView, kMaxContactsPerAor> views_;
    Edit edit_;

    // The plan.
    std::size_t contacts_ = 0;  // that will be
    std::size_t dropped_ = 0;
    std::size_t text_bytes_ = 0;
    bool new_texts_ = false;
    bool modified_ = false;

    // The reserves.
    std::array<ContactId, Edit::kMaxNew> ids_;
    std::size_t taken_ = 0;  // of ids_, in the order of edit_.new_, the added ones alone
    void* memory_ = nullptr;
    std::size_t bytes_ = 0;
    Record* fresh_ = nullptr;
};

BindingTable::Changed BindingTable::change(std::uint64_t hash, std::string_view aor,
                                           Decision decision) {
    return Change(*this, hash, aor).run(decision);
}

BindingTable::Changed Change::run(const BindingTable::Decision& decision) {
    if (!claim()) {
        return {ChangeResult::kContended, nullptr};
    }
    if (!decision.decide(decision.context, {old_, std::span(views_).first(old_count())}, edit_)) {
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
        old_->view_fixed(i, views_[i]);
        views_[i].state = old_->load_state(i);
    }
    return true;
}

bool Change::count_text(const NewContact& contact) {
    ++contacts_;
    text_bytes_ += contact.uri.size() + contact.params.size();
    new_texts_ = true;
    const auto inside = [&] {
        const std::less_equal<const char*> not_after;
        return not_after(contact.params.data(), contact.instance.data()) &&
               not_after(contact.instance.data() + contact.instance.size(),
                         contact.params.data() + contact.params.size());
    };
    return contact.uri.size() <= kMaxUriBytes && contact.params.size() <= kMaxParamsBytes &&
           (contact.instance.empty() || inside());
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
                text_bytes_ += views_[i].uri.size() + views_[i].params.size();
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

// Contact `i` of the old record is in `state` from now on: follow up in the index and the marks.
void Change::settle(std::size_t i, const ContactState& state) {
    const std::uint32_t slot = views_[i].id.slot;
    if (state.flow != views_[i].state.flow) {
        shard_.flows.unlink(slot, views_[i].state.flow);
        shard_.flows.link(slot, state.flow);
        table_.for_wheel_.mark(slot);
    }
    table_.for_journal_.mark(slot);
}

void Change::change_in_place() {
    for (std::size_t i = 0; i < old_count(); ++i) {
        if (edit_.actions_[i] == Action::kModify) {
            old_->store_state(i, edit_.states_[i]);
            settle(i, edit_.states_[i]);
        }
    }
    old_->sequence().release();
}

ChangeResult Change::reserve() {
    if (!reserve_room()) {
        return ChangeResult::kBusy;
    }
    if (!reserve_slots()) {
        return ChangeResult::kTableFull;
    }
    if (contacts_ != 0 && !reserve_memory()) {
        give_slots_back();
        return ChangeResult::kNoMemory;
    }
    return ChangeResult::kOk;
}

bool Change::reserve_room() {
    const std::size_t pieces = dropped_ + 2;  // the old record, and a line that it may leave empty
    if (shard_.retired.room() < pieces) {
        table_.reclaim_owner(shard_n_);
    }
    return shard_.retired.room() >= pieces;
}

bool Change::reserve_slots() {
    for (std::size_t n = 0; n < edit_.new_count_; ++n) {
        if (!edit_.new_[n].added) {
            continue;
        }
        if (const ContactId id = edit_.new_[n].contact.restored_id; id.valid()) {
            ids_[taken_++] = id;
            continue;
        }
        auto id = table_.slots_.take(shard_.magazine);
        if (!id && table_.reclaim_owner(shard_n_) != 0) {
            id = table_.slots_.take(shard_.magazine);
        }
        if (!id) {
            give_slots_back();
            return false;
        }
        ids_[taken_++] = *id;
    }
    return true;
}

bool Change::reserve_memory() {
    RecordAllocator& records = shard_.records;
    bytes_ = record_bytes(aor_.size(), contacts_, text_bytes_);
    memory_ = records.allocate(records.context, bytes_);
    if (memory_ == nullptr && table_.reclaim_owner(shard_n_) != 0) {
        memory_ = records.allocate(records.context, bytes_);
    }
    if (memory_ == nullptr) {
        return false;
    }
    if (place_.cell == nullptr) {
        place_ = shard_.buckets.reserve(hash_);
    }
    if (place_.cell == nullptr) {
        records.release(records.context, memory_, bytes_);
        return false;
    }
    return true;
}

void Change::give_slots_back() {
    std::size_t next_id = 0;
    for (std::size_t n = 0; n < edit_.new_count_ && next_id < taken_; ++n) {
        if (!edit_.new_[n].added) {
            continue;
        }
        // A restored slot is left for finish_restore() to find.
        if (!edit_.new_[n].contact.restored_id.valid()) {
            table_.slots_.give_back(ids_[next_id].slot, shard_.magazine);
        }
        ++next_id;
    }
    taken_ = 0;
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
                settle(i, edit_.states_[i]);
                break;
            case Action::kReplace:
                settle(i, new_contact(i).state);
                break;
            case Action::kDrop:
                shard_.flows.unlink(slot, views_[i].state.flow);
                table_.slots_.end_contact(slot);
                table_.for_wheel_.mark(slot);
                table_.for_journal_.mark(slot);
                break;
        }
    }
    std::size_t next_id = 0;
    for (std::size_t n = 0; n < edit_.new_count_; ++n) {
        if (edit_.new_[n].added) {
            const std::uint32_t slot = ids_[next_id++].slot;
            shard_.flows.link(slot, edit_.new_[n].contact.state.flow);
            table_.for_wheel_.mark(slot);
            table_.for_journal_.mark(slot);
        }
    }
}

void Change::retire_old() {
    const auto bytes = static_cast<std::uint32_t>(old_->bytes());
    old_->sequence().retire();
    // After all of it is out of the table: who is quiescent from here on can't have it.
    const std::uint64_t token = table_.reclaimer_.start(table_.reclaimer_.context);
    shard_.retired.push({old_, token, bytes, Kind::kRecord});
    for (std::size_t i = 0; i < views_.size() && i < old_->contact_count(); ++i) {
        if (edit_.actions_[i] == Action::kDrop) {
            shard_.retired.push({nullptr, token, views_[i].id.slot, Kind::kSlot});
        }
    }
}

}  // namespace pinhole::table
