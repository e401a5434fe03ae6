// SPDX-License-Identifier: BSD-3-Clause
#include "control/qualify/gateways.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <string_view>

namespace pinhole::qualify {
namespace {

std::array<std::uint64_t, 2> words_of(const net::Address& address) {
    return std::bit_cast<std::array<std::uint64_t, 2>>(address);
}

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
    lesson.failed_at_s = 0;
    lesson.fell_at_s = 0;
    lesson.wins = 0;
}

}  // namespace

net::Address gateway_of(const net::Address& address) {
    net::Address gateway = address;
    if (!address.is_v4()) {
        std::fill(gateway.bytes.begin() + 8, gateway.bytes.end(), std::uint8_t{0});
    }
    return gateway;
}

Gateways::Gateways(std::uint32_t capacity, const table::KeyedHash& hash)
    : capacity_(std::clamp(capacity, 1u, kMaxCapacity)),
      hash_(hash),
      entries_(std::make_unique<Entry[]>(std::size_t{capacity_} + 1)),
      heads_(std::bit_ceil(capacity_), kNone) {}

Gateways::Index& Gateways::head_of(const net::Address& address) {
    const std::string_view text(reinterpret_cast<const char*>(address.bytes.data()),
                                address.bytes.size());
    return heads_[hash_(text) & (heads_.size() - 1)];
}

net::Address Gateways::address_of(const Entry& entry) const {
    const std::array<std::uint64_t, 2> words{entry.address[0].load(std::memory_order_relaxed),
                                             entry.address[1].load(std::memory_order_relaxed)};
    return std::bit_cast<net::Address>(words);
}

Gateways::Index Gateways::find(const net::Address& address) {
    Index index = head_of(address);
    while (index != kNone && address_of(entries_[index]) != address) {
        index = entries_[index].next;
    }
    return index;
}

Gateways::Place Gateways::enter(const net::Address& address, std::uint8_t agent) {
    const net::Address gateway = gateway_of(address);
    Index index = find(gateway);
    if (index == kNone) {
        index = place();
        if (index == kNone) {
            refused_.add(1);
            return {};
        }
        settle(index, gateway);
    }
    Gateway& entry = entries_[index].gateway;
    const std::uint8_t lesson = lesson_for(entry, agent);
    entry.phones.add(1);
    entry.lessons[lesson].phones.add(1);
    return {index, lesson};
}

void Gateways::leave(const Place& place) {
    Gateway& entry = entries_[place.index].gateway;
    if (place.index != kNone && entry.phones.get() != 0) {
        entry.phones.set(entry.phones.get() - 1);
        Lesson& lesson = entry.lessons[place.lesson];
        lesson.phones.set(lesson.phones.get() - 1);
    }
}

void Gateways::count_alg(Index index, unsigned alg, int by) {
    if (index != kNone && alg != 0 && alg <= Gateway::kAlgs) {
        entries_[index].gateway.rewritten[alg - 1].add(static_cast<std::uint32_t>(by));
    }
}

// The one of its kind; else one that nobody has any more, beginning with those that have nothing to
// forget; else the last, which is of all the others from then on.
std::uint8_t Gateways::lesson_for(Gateway& gateway, std::uint8_t agent) {
    std::size_t best = Gateway::kLessons - 1;
    bool found = false;
    for (std::size_t i = 0; i < Gateway::kLessons; ++i) {
        const Lesson& lesson = gateway.lessons[i];
        const bool blank = lesson.phones.get() == 0 && lesson.safe_s.get() == 0;
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

// A place that nobody has, or that has no phones any more.
Gateways::Index Gateways::place() {
    if (fresh_ <= capacity_) {
        used_.add(1);
        return fresh_++;
    }
    for (std::uint32_t look = 0; look < std::min(kLooks, capacity_); ++look) {
        const Index index = hand_;
        hand_ = hand_ == capacity_ ? 1 : hand_ + 1;
        if (entries_[index].gateway.phones.get() == 0) {
            unlink(index);
            return index;
        }
    }
    return kNone;
}

void Gateways::unlink(Index index) {
    Index* link = &head_of(address_of(entries_[index]));
    while (*link != index) {
        link = &entries_[*link].next;
    }
    *link = entries_[index].next;
}

void Gateways::settle(Index index, const net::Address& address) {
    Entry& entry = entries_[index];
    // Pairs with read_any(): who sees a word of the new gateway sees that the count is odd or has
    // moved on.
    const std::uint32_t sequence = entry.sequence.load(std::memory_order_relaxed);
    entry.sequence.store(sequence + 1, std::memory_order_relaxed);
    std::atomic_thread_fence(std::memory_order_release);
    const auto words = words_of(address);
    entry.address[0].store(words[0], std::memory_order_relaxed);
    entry.address[1].store(words[1], std::memory_order_relaxed);
    entry.gateway.phones.set(0);
    entry.gateway.rebinds.set(0);
    entry.gateway.missed.set(0);
    entry.gateway.sent.set(0);
    for (auto& count : entry.gateway.rewritten) {
        count.set(0);
    }
    entry.gateway.turn_us = 0;
    entry.gateway.next_probe_ms = 0;
    for (Lesson& lesson : entry.gateway.lessons) {
        clear(lesson);
    }
    entry.sequence.store(sequence + 2, std::memory_order_release);
    Index& head = head_of(address);
    entry.next = head;
    head = index;
}

std::uint64_t Gateways::take_turn(Index index, std::uint64_t now_us, std::uint32_t per_s) {
    constexpr std::uint64_t kSecond_us = 1'000'000;
    constexpr std::uint64_t kBurst_us = 100'000;  // what may be made up for at once
    std::uint64_t& turn_us = entries_[index].gateway.turn_us;
    turn_us = std::max(turn_us, now_us - std::min(now_us, kBurst_us));
    const std::uint64_t mine_us = turn_us;
    turn_us += std::max<std::uint64_t>(kSecond_us / per_s, 1);
    return mine_us > now_us ? mine_us - now_us : 0;
}

bool Gateways::may_probe(Index index, std::uint64_t now_ms) {
    std::uint64_t& next_ms = entries_[index].gateway.next_probe_ms;
    if (now_ms < next_ms) {
        return false;
    }
    next_ms = now_ms + kProbeEvery_ms;
    return true;
}

bool Gateways::read_any(Index index, GatewayView& out) const {
    if (index == kNone || index > capacity_) {
        return false;
    }
    const Entry& entry = entries_[index];
    const std::uint32_t before = entry.sequence.load(std::memory_order_acquire);
    out.address = address_of(entry);
    out.phones = entry.gateway.phones.get();
    out.rebinds = entry.gateway.rebinds.get();
    out.missed = entry.gateway.missed.get();
    out.sent = entry.gateway.sent.get();
    for (std::size_t i = 0; i < Gateway::kAlgs; ++i) {
        out.rewritten[i] = entry.gateway.rewritten[i].get();
    }
    for (std::size_t i = 0; i < Gateway::kLessons; ++i) {
        const Lesson& from = entry.gateway.lessons[i];
        out.lessons[i] = {from.agent.get(),  from.phones.get(),  from.safe_s.get(),
                          from.fail_s.get(), from.trial_s.get(), from.losses.get()};
    }
    std::atomic_thread_fence(std::memory_order_acquire);
    return before != 0 && (before & 1) == 0 &&
           entry.sequence.load(std::memory_order_relaxed) == before;
}

}  // namespace pinhole::qualify
