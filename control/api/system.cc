// SPDX-License-Identifier: BSD-3-Clause
#include "control/api/system.h"

namespace pinhole::api {

CoreStatus core_status(const metrics::CoreFigures& figures) {
    const CoreCounters& counters = *figures.counters;
    CoreStatus out;
    out.core = figures.core;
    out.contacts = figures.contacts;
    out.rx_packets = counters.rx_packets.get();
    out.tx_packets = counters.tx_packets.get();
    for (const Counter& drop : counters.drops) {
        out.drops += drop.get();
    }
    out.registers = counters.requests[static_cast<std::size_t>(MethodLabel::kRegister)].get();
    out.refreshed_in_place = counters.refreshed_in_place.get();
    out.calls_in = counters.calls_in.get();
    out.calls_out = counters.calls_out.get();
    out.pings_sent = counters.pings_sent.get();
    out.pongs = counters.pongs.get();
    out.handoffs = counters.handoffs.get();
    out.cycles_busy = counters.cycles_busy.get();
    out.cycles_idle = counters.cycles_idle.get();
    return out;
}

}  // namespace pinhole::api
