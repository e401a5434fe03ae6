// SPDX-License-Identifier: BSD-3-Clause
// What Gateways knows of outages: every sample counts for the gateway and for its prefix. A prefix
// that is silent is one event, whatever its gateways are; a prefix with one gateway is that
// gateway.
#include "control/qualify/gateways.h"

namespace pinhole::qualify {

OutageNotice Gateways::notice_of(Index index, std::uint32_t now_s) const {
    const Gateway& gateway = gateways_.at(index);
    return {.address = gateways_.address_of(index),
            .phones = gateway.phones.get(),
            .since_s = gateway.watch.began_s,
            .at_s = now_s};
}

OutageNotice Gateways::notice_of_area(std::uint32_t area, std::uint32_t now_s) const {
    return {.address = areas_.address_of(area),
            .is_prefix = true,
            .phones = areas_.at(area).phones.get(),
            .since_s = areas_.at(area).watch.began_s,
            .at_s = now_s};
}

// The end is told of what was told of.
void Gateways::tell(Watch& watch, OutageNotice notice, bool began) {
    if (!began && !watch.told.get()) {
        return;
    }
    watch.told.set(began);
    outages_.add(began ? 1 : 0);
    silent_.set(silent_.get() + (began ? 1 : -1u));
    notice.began = began;
    news_.put(notice);
}

void Gateways::fell_silent(Index index, std::uint32_t now_s) {
    if (index == kNone) {
        return;
    }
    Gateway& gateway = gateways_.at(index);
    Area& area = areas_.at(gateway.area);
    const bool gateway_fell = qualify::fell_silent(gateway.watch, now_s);
    const bool area_fell = gateway.area != 0 && qualify::fell_silent(area.watch, now_s);
    const bool is_alone = gateway.area == 0 || area.phones.get() == gateway.phones.get();
    if (gateway_fell && (is_alone || !area.watch.silent())) {
        tell(gateway.watch, notice_of(index, now_s), true);
    }
    if (area_fell && !is_alone) {
        tell(area.watch, notice_of_area(gateway.area, now_s), true);
    }
}

bool Gateways::showed_life(Index index, std::uint32_t at_s, std::uint32_t now_s, bool answered) {
    if (index == kNone) {
        return false;
    }
    Gateway& gateway = gateways_.at(index);
    bool ended = false;
    if (gateway.area != 0) {
        Area& area = areas_.at(gateway.area);
        if (qualify::showed_life(area.watch, at_s, now_s, answered)) {
            tell(area.watch, notice_of_area(gateway.area, now_s), false);
            ended = true;
        }
    }
    if (qualify::showed_life(gateway.watch, at_s, now_s, answered)) {
        tell(gateway.watch, notice_of(index, now_s), false);
        ended = true;
    }
    return ended;
}

std::uint32_t Gateways::silent_with(Index index) const {
    const Gateway& gateway = gateways_.at(index);
    const Area& area = areas_.at(gateway.area);
    if (area.watch.silent()) {
        return area.phones.get();
    }
    return gateway.watch.silent() ? gateway.phones.get() : 0;
}

std::uint32_t Gateways::silent_since_s(Index index) const {
    const Gateway& gateway = gateways_.at(index);
    const std::uint32_t area_s = areas_.at(gateway.area).watch.silent_since_s.get();
    return area_s != 0 ? area_s : gateway.watch.silent_since_s.get();
}

bool Gateways::excuses(Index index, std::uint32_t silent_s, std::uint32_t now_s,
                       const Patience& patience) const {
    const Gateway& gateway = gateways_.at(index);
    return qualify::excuses(gateway.watch, silent_s, now_s, patience) ||
           qualify::excuses(areas_.at(gateway.area).watch, silent_s, now_s, patience);
}

}  // namespace pinhole::qualify
