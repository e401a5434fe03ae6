// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/edge/owner.h"

#include "dataplane/nat/other_port.h"
#include "dataplane/registrar/rules.h"

#include <algorithm>

namespace pinhole::edge {
namespace {

using registrar::Verdict;

// How long a REGISTER may have been on its way from its arrival to its owner: its contact bears the
// time of its arrival.
constexpr std::int32_t kOnItsWay_ms = 2000;

bool unreachable(const void* qualify, table::ContactId id) {
    return static_cast<const table::QualifyTable*>(qualify)->reach_any(id) ==
           table::Reach::kUnreachable;
}

// Of a change that the rules agreed to.
Verdict verdict_of(table::ChangeResult result, Verdict planned) {
    switch (result) {
        case table::ChangeResult::kOk:
        case table::ChangeResult::kNothing:
            return planned;
        case table::ChangeResult::kTableFull:
        case table::ChangeResult::kNoMemory:
            return Verdict::kTableFull;
        case table::ChangeResult::kTooLarge:
            return Verdict::kTextTooLong;
        case table::ChangeResult::kBusy:
        case table::ChangeResult::kContended:
            break;
    }
    return Verdict::kBusy;
}

}  // namespace

Owner::Applied Owner::apply(const registrar::RegisterRequest& request, const Round& round) {
    const registrar::Whose& whose = *request.whose;
    const LiveSettings& settings = round.settings();
    const registrar::Reachability reachability{unreachable, &shared_.qualify};
    Verdict planned = Verdict::kOk;
    bool arrives = false;
    const auto changed = shared_.table.change_owner(
        whose.aor_hash, whose.aor, [&](const table::Current& current, table::Edit& edit) {
            planned = registrar::plan(current, request, settings.registrar, reachability, edit);
            arrives = std::none_of(
                current.contacts.begin(), current.contacts.end(),
                [&](const table::ContactView& c) { return c.state.flow == whose.flow; });
            if (planned == Verdict::kOk && settings.draining && edit.adds()) [[unlikely]] {
                planned = Verdict::kDraining;
            }
            return planned == Verdict::kOk;
        });
    const Verdict verdict = verdict_of(changed.result, planned);
    if (verdict == Verdict::kTableFull) {
        counters_.table_full.add();
    }
    return {verdict, arrives};
}

void Owner::remove(const Command& command, const Moment& now) {
    const auto still = [&](const table::ContactView& contact) {
        switch (command.kind) {
            case CommandKind::kExpire:
                return contact.state.expires_at_s <= now.s;
            case CommandKind::kRemoveUnreachable:
                // A REGISTER since the control thread looked is newer than what it knew; so is one
                // that was on its way then. The control thread asks again.
                return static_cast<std::int32_t>(command.since_ms - contact.state.refreshed_at_ms) >
                       kOnItsWay_ms;
            default:
                return true;
        }
    };
    const table::ChangeResult result = shared_.table.remove_owner(command.id, still);
    if (command.done != nullptr) {
        const std::uint32_t said = result == table::ChangeResult::kOk        ? 1
                                   : result == table::ChangeResult::kNothing ? 2
                                                                             : 3;
        // Pairs with the asker's acquire load.
        command.done->store(said, std::memory_order_release);
    }
}

void Owner::retarget(table::ContactId id) {
    const table::Record* record = shared_.table.record_of(id);
    if (record == nullptr) {
        return;
    }
    const auto changed = shared_.table.change_owner(
        record->hash(), record->aor(), [&](const table::Current& current, table::Edit& edit) {
            for (std::size_t i = 0; i < current.contacts.size(); ++i) {
                const table::ContactView& contact = current.contacts[i];
                const auto flow = contact.id == id ? nat::other_port(contact) : std::nullopt;
                if (!flow.has_value() ||
                    shared_.table.has_flow(*flow, shared_.table.hash()(*flow))) {
                    continue;
                }
                table::ContactState state = contact.state;
                state.flow = *flow;
                state.flags |= table::kAtContact;
                edit.modify(i, state);
                return true;
            }
            return false;
        });
    if (changed.result == table::ChangeResult::kOk) {
        counters_.retargeted.add();
    }
}

}  // namespace pinhole::edge
