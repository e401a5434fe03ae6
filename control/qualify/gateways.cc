// SPDX-License-Identifier: BSD-3-Clause
#include "control/qualify/gateways.h"

#include <algorithm>

namespace pinhole::qualify {
namespace {

// A kind of its own: several, where there is no room for each.
constexpr std::uint8_t kMixedAgents = 255;

void clear(Lesson& lesson) {
    lesson.agent.set(0);
    lesson.phones.set(0);
    lesson.safe_s.set(0);
    lesson.fail_s.set(0);
    lesson.trial_s.set(0);
    lesson.losses.set(0);
    lesson.canary = 0;
    lesson.witness = 0;
    lesson.failed_at_s.set(0);
    lesson.fell_at_s = 0;
    lesson.wins = 0;
    lesson.rate = 0;
}

}  // namespace

net::Address gateway_of(const net::Address& address, std::uint32_t prefix_v4) {
    if (address.is_v4()) {
        return net::Address::v4(address.v4_host_order() & ~0u << (32 - prefix_v4));
    }
    net::Address gateway = address;
    std::fill(gateway.bytes.begin() + 8, gateway.bytes.end(), std::uint8_t{0});
    return gateway;
}

net::Address area_of(const net::Address& gateway) {
    net::Address area = gateway;
    std::fill(area.bytes.begin() + (gateway.is_v4() ? 15 : 6), area.bytes.end(), std::uint8_t{0});
    return area;
}

std::string Gateways::name_of(const net::Address& gateway) const {
    const std::string address = net::to_string(gateway);
    if (!gateway.is_v4()) {
        return address + "/64";
    }
    return prefix_v4_ == 32 ? address : address + "/" + std::to_string(prefix_v4_);
}

std::string area_text(const net::Address& area) {
    return net::to_string(area) + (area.is_v4() ? "/24" : "/48");
}

// What it is shown by: since when, if the operator was told.
std::uint32_t shown_since_s(const Watch& watch) {
    return watch.told.get() ? watch.silent_since_s.get() : 0;
}

void Area::clear() {
    phones.set(0);
    watch.clear();
}

void Gateway::clear() {
    phones.set(0);
    rebinds.set(0);
    missed.set(0);
    sent.set(0);
    for (auto& count : rewritten) {
        count.set(0);
    }
    watch.clear();
    turn_us = 0;
    next_probe_ms = 0;
    area = 0;
    for (Lesson& lesson : lessons) {
        qualify::clear(lesson);
    }
}

Gateways::Gateways(std::uint32_t capacity, const table::KeyedHash& hash, std::uint32_t prefix_v4)
    : prefix_v4_(std::clamp(prefix_v4, 1u, 32u)),
      gateways_(std::clamp(capacity, 1u, kMaxCapacity), hash),
      areas_(gateways_.capacity(), hash) {}

Gateways::Place Gateways::enter(const net::Address& address, std::uint8_t agent) {
    const net::Address gateway = gateway_of(address, prefix_v4_);
    const Index index = gateways_.enter(gateway);
    if (index == kNone) {
        refused_.add(1);
        return {};
    }
    Gateway& entry = gateways_.at(index);
    if (entry.phones.get() == 0) {
        entry.area = areas_.enter(area_of(gateway));  // another may have got the one it had
    }
    areas_.at(entry.area).phones.add(1);
    const std::uint8_t lesson = lesson_for(entry, agent);
    entry.phones.add(1);
    entry.lessons[lesson].phones.add(1);
    rate_ += entry.lessons[lesson].rate;
    ++phones_;
    return {index, lesson};
}

void Gateways::leave(const Place& place, std::uint32_t now_s) {
    Gateway& entry = gateways_.at(place.index);
    if (place.index == kNone || entry.phones.get() == 0) {
        return;
    }
    Area& area = areas_.at(entry.area);
    if (entry.phones.get() == 1 && entry.watch.silent()) {
        // Nobody is left to speak for it.
        (void)qualify::showed_life(entry.watch, now_s, now_s, false);
        tell(entry.watch, notice_of(place.index, now_s), false);
    }
    if (area.phones.get() == 1 && area.watch.silent()) {
        (void)qualify::showed_life(area.watch, now_s, now_s, false);
        tell(area.watch, notice_of_area(entry.area, now_s), false);
    }
    entry.phones.set(entry.phones.get() - 1);
    area.phones.set(area.phones.get() - 1);
    Lesson& lesson = entry.lessons[place.lesson];
    lesson.phones.set(lesson.phones.get() - 1);
    rate_ -= lesson.rate;
    --phones_;
}

void Gateways::set_rate(const Place& place, std::uint32_t rate) {
    if (place.index == kNone) {
        return;
    }
    Lesson& lesson = gateways_.at(place.index).lessons[place.lesson];
    rate_ -= std::uint64_t{lesson.rate} * lesson.phones.get();
    rate_ += std::uint64_t{rate} * lesson.phones.get();
    lesson.rate = rate;
}

void Gateways::recall(const KeptLesson& kept, std::uint32_t now_s) {
    const Index index = gateways_.enter(gateway_of(kept.gateway, prefix_v4_));
    if (index == kNone) {
        return;
    }
    Gateway& gateway = gateways_.at(index);
    Lesson& lesson = gateway.lessons[lesson_for(gateway, kept.agent)];
    lesson.safe_s.set(kept.safe_s);
    lesson.fail_s.set(kept.fail_s);
    lesson.failed_at_s.set(now_s - kept.failed_ago_s);
    lesson.losses.set(kept.losses);
}

void keep_lessons(const GatewayView& view, std::uint32_t now_s, std::vector<KeptLesson>& out) {
    for (const LessonView& lesson : view.lessons) {
        const bool is_known = lesson.safe_s != 0 || lesson.fail_s != 0;
        if (is_known && lesson.agent != kMixedAgents) {
            out.push_back({view.address, lesson.agent, static_cast<std::uint16_t>(lesson.safe_s),
                           static_cast<std::uint16_t>(lesson.fail_s),
                           lesson.fail_s == 0 ? 0 : now_s - lesson.failed_at_s, lesson.losses});
        }
    }
}

void Gateways::count_alg(Index index, unsigned alg, int by) {
    if (index != kNone && alg != 0 && alg <= Gateway::kAlgs) {
        gateways_.at(index).rewritten[alg - 1].add(static_cast<std::uint32_t>(by));
    }
}

// The one of its kind; else one that nobody has any more, beginning with those that have nothing to
// forget; else the last, which is of all the others from then on.
std::uint8_t Gateways::lesson_for(Gateway& gateway, std::uint8_t agent) {
    std::size_t best = Gateway::kLessons - 1;
    bool found = false;
    for (std::size_t i = 0; i < Gateway::kLessons; ++i) {
        const Lesson& lesson = gateway.lessons[i];
        const bool blank =
            lesson.phones.get() == 0 && lesson.safe_s.get() == 0 && lesson.fail_s.get() == 0;
        if (!blank && lesson.agent.get() == agent) {
            return static_cast<std::uint8_t>(i);
        }
        if (blank && !found) {
            best = i;
            found = true;
        }
    }
    for (std::size_t i = 0; !found && i < Gateway::kLessons; ++i) {
        if (gateway.lessons[i].phones.get() == 0) {
            best = i;
            found = true;
        }
    }
    Lesson& lesson = gateway.lessons[best];
    if (found) {
        clear(lesson);
        lesson.agent.set(agent);
    } else if (lesson.agent.get() != kMixedAgents) {
        lesson.agent.set(kMixedAgents);
        lesson.safe_s.set(0);  // it was another kind's
    }
    return static_cast<std::uint8_t>(best);
}

std::uint64_t Gateways::take_turn(Index index, std::uint64_t now_us, std::uint32_t per_s) {
    constexpr std::uint64_t kSecond_us = 1'000'000;
    constexpr std::uint64_t kBurst_us = 100'000;  // what may be made up for at once
    std::uint64_t& turn_us = gateways_.at(index).turn_us;
    turn_us = std::max(turn_us, now_us - std::min(now_us, kBurst_us));
    const std::uint64_t mine_us = turn_us;
    turn_us += std::max<std::uint64_t>(kSecond_us / per_s, 1);
    return mine_us > now_us ? mine_us - now_us : 0;
}

bool Gateways::may_probe(Index index, std::uint64_t now_ms) {
    std::uint64_t& next_ms = gateways_.at(index).next_probe_ms;
    if (now_ms < next_ms) {
        return false;
    }
    next_ms = now_ms + kProbeEvery_ms;
    return true;
}

bool Gateways::read_any(Index index, GatewayView& out) const {
    return gateways_.read_any(index, [&out](const net::Address& address, const Gateway& from) {
        out = {.address = address,
               .phones = from.phones.get(),
               .rebinds = from.rebinds.get(),
               .missed = from.missed.get(),
               .sent = from.sent.get(),
               .rewritten = {},
               .outages = from.watch.outages.get(),
               .silent_since_s = shown_since_s(from.watch),
               .lessons = {}};
        for (std::size_t i = 0; i < Gateway::kAlgs; ++i) {
            out.rewritten[i] = from.rewritten[i].get();
        }
        for (std::size_t i = 0; i < Gateway::kLessons; ++i) {
            const Lesson& lesson = from.lessons[i];
            out.lessons[i] = {lesson.agent.get(),      lesson.phones.get(),  lesson.safe_s.get(),
                              lesson.fail_s.get(),     lesson.trial_s.get(), lesson.losses.get(),
                              lesson.failed_at_s.get()};
        }
    });
}

bool Gateways::read_area_any(Index index, AreaView& out) const {
    return areas_.read_any(index, [&out](const net::Address& prefix, const Area& from) {
        out = {prefix, from.phones.get(), from.watch.outages.get(), shown_since_s(from.watch)};
    });
}

}  // namespace pinhole::qualify
