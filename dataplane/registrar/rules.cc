// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/registrar/rules.h"

#include "dataplane/registrar/answer.h"

#include <array>

namespace pinhole::registrar {
namespace {

// What the plan has in mind for a contact that is there.
enum class Fate : std::uint8_t { kKept, kTouched, kGone };

class Planner {
  public:
    Planner(const table::Current& current, const RegisterRequest& request,
            const RegistrarPolicy& policy, const Reachability& reachability, table::Edit& edit)
        : current_(current),
          request_(request),
          policy_(policy),
          reachability_(reachability),
          edit_(edit) {}

    Verdict run() {
        for (std::size_t i = 0; i < current_.contacts.size(); ++i) {
            if (expired(current_.contacts[i].state, request_.whose->now)) {
                gone(i);
            } else {
                ++alive_;
                listed_ += listed(current_.contacts[i]);
            }
        }
        if (request_.star) {
            return remove_all();
        }
        for (std::size_t n = 0; n < request_.count; ++n) {
            if (const Verdict v = take(request_.contacts[n]); v != Verdict::kOk) {
                return v;
            }
        }
        return grows_ ? make_room() : Verdict::kOk;
    }

  private:
    // Step 6. Only what this request is newer than may go; one that isn't refuses the whole.
    Verdict remove_all() {
        for (std::size_t i = 0; i < current_.contacts.size(); ++i) {
            if (fate_[i] == Fate::kGone) {
                continue;
            }
            if (order_of(current_.contacts[i].state, request_) != Order::kNewer) {
                return Verdict::kOutOfOrder;
            }
            gone(i);
        }
        return Verdict::kOk;
    }

    // Step 7, for one contact of the request.
    Verdict take(const RequestedContact& asked) {
        const std::size_t i = find(asked);
        if (i == current_.contacts.size()) {
            return asked.expires_s == 0 ? Verdict::kOk : add(asked);
        }
        const table::ContactView& stored = current_.contacts[i];
        switch (order_of(stored.state, request_)) {
            case Order::kLate:
                return Verdict::kOutOfOrder;
            case Order::kRetransmission:
                fate_[i] = Fate::kTouched;
                return Verdict::kOk;
            case Order::kNewer:
                break;
        }
        if (asked.expires_s == 0) {
            lose(i);
            return Verdict::kOk;
        }
        fate_[i] = Fate::kTouched;
        if (same_text(stored, asked, request_)) {
            table::ContactState next = next_state(asked, stored.state);
            if (stays_at_contact(stored.state, request_.whose->flow) && !reachability_(stored.id)) {
                next.flow = stored.state.flow;
                next.flags |= table::kAtContact;
            }
            edit_.modify(i, next);
            return Verdict::kOk;
        }
        grows_ = true;
        listed_ += listed(asked) - listed(stored);
        table::NewContact next = contact_of(asked, stored.registered_at_s);
        next.state = next_state(asked, stored.state);
        return edit_.replace(i, next) ? Verdict::kOk : Verdict::kTooManyContacts;
    }

    [[nodiscard]] table::ContactState next_state(const RequestedContact& asked,
                                                 const table::ContactState& stored) const {
        table::ContactState state = state_after(asked, request_);
        state.flags |= stored.call_id_hash == request_.whose->call_id_hash ? table::kSameCall : 0;
        state.flags |= found_out();
        return state;
    }

    // The binding is made or changes: it is looked at anew.
    [[nodiscard]] std::uint16_t found_out() const {
        return static_cast<std::uint16_t>(request_.alg << table::kAlgShift);
    }

    Verdict add(const RequestedContact& asked) {
        ++added_;
        grows_ = true;
        listed_ += listed(asked);
        return edit_.add(contact_of(asked, request_.whose->now.s)) ? Verdict::kOk
                                                                   : Verdict::kTooManyContacts;
    }

    // A newcomer, or a longer text, may have to push others out, never those that the same request
    // names.
    Verdict make_room() {
        const std::size_t max = policy_.max_contacts_per_aor;
        while (alive_ + added_ > max || listed_ > kMaxListedBytes) {
            const std::size_t i = policy_.full_aor == FullAor::kReplace ? most_expendable()
                                                                        : current_.contacts.size();
            if (i == current_.contacts.size()) {
                return Verdict::kAorFull;
            }
            lose(i);
        }
        return Verdict::kOk;
    }

    // The unreachable before the others, then the one that was refreshed the longest ago.
    [[nodiscard]] std::size_t most_expendable() const {
        std::size_t best = current_.contacts.size();
        bool best_unreachable = false;
        std::uint32_t best_age_ms = 0;
        for (std::size_t i = 0; i < current_.contacts.size(); ++i) {
            if (fate_[i] != Fate::kKept) {
                continue;
            }
            const table::ContactView& stored = current_.contacts[i];
            const bool unreachable = reachability_(stored.id);
            const std::uint32_t age = stored.state.age_ms(request_.whose->now.stamp_ms());
            if (best == current_.contacts.size() || unreachable > best_unreachable ||
                (unreachable == best_unreachable && age > best_age_ms)) {
                best = i;
                best_unreachable = unreachable;
                best_age_ms = age;
            }
        }
        return best;
    }

    // Of several that it may mean the surest, so that it is the one that refresh() would take.
    [[nodiscard]] std::size_t find(const RequestedContact& asked) const {
        std::size_t best = current_.contacts.size();
        Likeness likeness = Likeness::kOther;
        for (std::size_t i = 0; i < current_.contacts.size(); ++i) {
            if (fate_[i] != Fate::kKept) {
                continue;
            }
            const Likeness here = likeness_of(current_.contacts[i], asked, request_);
            if (here > likeness) {
                best = i;
                likeness = here;
            }
        }
        return best;
    }

    void gone(std::size_t i) {
        fate_[i] = Fate::kGone;
        edit_.drop(i);
    }

    // One that counted.
    void lose(std::size_t i) {
        gone(i);
        --alive_;
        listed_ -= listed(current_.contacts[i]);
    }

    template <class Contact>
    static std::size_t listed(const Contact& contact) {
        return listed_bytes(contact.uri.size(), contact.params.size());
    }

    [[nodiscard]] table::NewContact contact_of(const RequestedContact& asked,
                                               std::uint32_t registered_at_s) const {
        table::NewContact contact;
        contact.uri = asked.uri;
        contact.params = asked.params;
        contact.instance = asked.instance;
        contact.path = request_.whose->path;
        contact.reg_id = asked.reg_id;
        contact.registered_at_s = registered_at_s;
        contact.state = state_after(asked, request_);
        contact.state.flags |= found_out();
        return contact;
    }

    const table::Current& current_;
    const RegisterRequest& request_;
    const RegistrarPolicy& policy_;
    const Reachability& reachability_;
    table::Edit& edit_;
    std::array<Fate, table::kMaxContactsPerAor> fate_{};
    std::size_t alive_ = 0;
    std::size_t added_ = 0;
    std::size_t listed_ = 0;  // bytes of the answer
    bool grows_ = false;      // there may be more to list than before
};

// The first contact from `i` on that has exactly the text of the request's `n`; contact_count() if
// none has.
std::size_t find_text(const table::Record& record, const RegisterRequest& request, std::size_t n,
                      std::size_t i) {
    const bool looked = request.known == &record && i <= request.known_index;
    if (looked && record.path(request.known_index) == request.whose->path) {
        return request.known_index;
    }
    const RequestedContact& asked = request.contacts[n];
    while (i < record.contact_count() &&
           (record.uri(i) != asked.uri || record.params(i) != asked.params ||
            record.path(i) != request.whose->path)) {
        ++i;
    }
    return i;
}

}  // namespace

Verdict plan(const table::Current& current, const RegisterRequest& request,
             const RegistrarPolicy& policy, const Reachability& reachability, table::Edit& edit) {
    return Planner(current, request, policy, reachability, edit).run();
}

table::ContactState state_after(const RequestedContact& asked, const RegisterRequest& request) {
    table::ContactState state;
    state.flow = request.whose->flow;
    state.call_id_hash = request.whose->call_id_hash;
    state.expires_at_s = expiry_of(asked.expires_s, request.whose->now);
    state.cseq = request.whose->cseq;
    state.refreshed_at_ms = request.whose->now.stamp_ms();
    state.q = asked.q;
    state.flags = static_cast<std::uint16_t>(request.agent << table::kAgentShift);
    return state;
}

bool may_refresh(const table::Record& record, const RegisterRequest& request) {
    if (request.star || request.count == 0) {
        return false;
    }
    for (std::size_t n = 0; n < request.count; ++n) {
        if (request.contacts[n].expires_s == 0 ||
            find_text(record, request, n, 0) == record.contact_count()) {
            return false;
        }
    }
    return true;
}

InPlace refresh(table::ClaimedRecord& claimed, const RegisterRequest& request, Named& named) {
    const table::Record& record = claimed.record();
    Named found;
    std::uint32_t to_update = 0;  // a bit a contact of the request
    std::array<std::size_t, kMaxContactsPerRequest> at;
    std::array<std::uint16_t, kMaxContactsPerRequest> kept;
    for (std::size_t n = 0; n < request.count; ++n) {
        // The same text from the same flow under the same Call-ID is the binding, by every rule of
        // match.h; under another Call-ID it is by the restart's.
        table::ContactState stored;
        at[n] = find_text(record, request, n, 0);
        while (at[n] < record.contact_count() &&
               (stored = claimed.state(at[n])).flow != request.whose->flow) {
            at[n] = find_text(record, request, n, at[n] + 1);
        }
        if (at[n] == record.contact_count() || expired(stored, request.whose->now)) {
            return InPlace::kNeedsOwner;
        }
        // It is the flow's own again: the control thread has to hear of that.
        if ((stored.flags & table::kSuspect) != 0) [[unlikely]] {
            return InPlace::kNeedsOwner;
        }
        // After a restart; where there are more, one of them may have this Call-ID and be meant.
        if (stored.call_id_hash != request.whose->call_id_hash && record.contact_count() > 1) {
            return InPlace::kNeedsOwner;
        }
        found.all |= 1U << at[n];
        kept[n] = stored.flags & table::kKeptFlags;
        switch (order_of(stored, request)) {
            case Order::kLate:
                return InPlace::kOutOfOrder;
            case Order::kRetransmission:
                break;
            case Order::kNewer:
                to_update |= 1U << n;
                found.by_call |=
                    stored.call_id_hash == request.whose->call_id_hash ? 1U << at[n] : 0;
                break;
        }
    }
    for (std::size_t n = 0; n < request.count; ++n) {
        if ((to_update >> n & 1U) != 0) {
            table::ContactState state = state_after(request.contacts[n], request);
            state.flags |= (found.by_call >> at[n] & 1U) != 0 ? table::kSameCall : 0;
            state.flags |= kept[n];
            claimed.update(at[n], state);
        }
    }
    named = found;
    return InPlace::kDone;
}

}  // namespace pinhole::registrar
