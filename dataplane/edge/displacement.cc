// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/edge/displacement.h"

#include "dataplane/nat/takeover.h"

#include <array>
#include <bit>
#include <optional>

namespace pinhole::edge {

// Where the answer goes elsewhere than the packet came from, no gateway stands between. A proxy on
// the way has its phones' requests come by one flow, and the Path that would say so is believed
// from few.
void Displacement::look(const Job& job, const Moment& now) {
    const registrar::Whose& whose = job.registration->whose;
    if (!whose.path.empty() || whose.flow != job.packet.flow || sip::came_by_proxy(job.message)) {
        return;
    }
    std::array<table::ContactId, nat::kMaxHolders> ids;
    const table::FlowMatches found = shared_.table.find_by_flow(whose.flow, ids);
    if (found.count < 2 || found.count == ids.size()) {
        return;  // nobody was there, or an exchange is
    }
    std::array<nat::Holder, nat::kMaxHolders> holders;
    std::optional<table::ContactView> newcomer;
    std::size_t count = 0;
    for (std::size_t i = 0; i < found.count; ++i) {
        table::ContactView view;
        if (shared_.table.read(ids[i], view) != table::SlotRead::kLive ||
            view.state.expires_at_s <= now.s) {
            continue;
        }
        if (view.aor == whose.aor) {
            newcomer = view;
            continue;
        }
        const nat::Pulse pulse = nat::pulse_of(view.state, shared_.qualify.read_any(ids[i]),
                                               shared_.qualify.life_any(ids[i].slot), whose.now);
        holders[count++] = {view, pulse};
    }
    if (!newcomer.has_value()) {
        return;
    }
    std::uint32_t lost = nat::displaced(*newcomer, {holders.data(), count}, job.is_proven());
    for (; lost != 0; lost &= lost - 1) {
        suspect(holders[static_cast<std::size_t>(std::countr_zero(lost))].contact);
    }
}

// If it is still there and has not registered since it was looked at. Another record may take its
// place meanwhile, for the AOR's other contacts are changed by their owner; not many times.
void Displacement::suspect(const table::ContactView& seen) {
    constexpr int kTries = 3;
    bool done = false;
    const auto mark = [&](table::ClaimedRecord& claimed) {
        const std::size_t i = claimed.record().index_of(seen.id);
        if (i == claimed.record().contact_count() || claimed.state(i) != seen.state) {
            return;
        }
        table::ContactState state = seen.state;
        state.flags |= table::kSuspect;
        claimed.update(i, state);
        done = true;
    };
    for (int i = 0; i < kTries; ++i) {
        const table::Record* record = shared_.table.record_of(seen.id);
        if (record == nullptr ||
            shared_.table.refresh_any(*record, mark, shared_.table.log_of(worker_)) !=
                table::RefreshResult::kDead) {
            break;
        }
    }
    if (done) {
        counters_.displaced.add();
        shared_.table.for_wheel().mark(seen.id.slot);
    }
}

}  // namespace pinhole::edge
