// SPDX-License-Identifier: BSD-3-Clause
// Phones, a table of contacts and two clocks for tests of the keeper: synthetic time, every ping
// recorded.
#pragma once

#include "control/qualify/keeper.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <vector>

namespace pinhole::qualify {

struct FakeContacts final : Contacts {
    struct Contact {
        std::uint32_t generation = 0;
        std::uint32_t expires_at_s = 0;
        bool present = false;
        bool by_path = false;
        net::Address address = net::Address::v4(0x43c2'1737);
        std::uint16_t port = 1024;
        std::uint8_t agent = 0;
        bool same_call = true;
        std::uint8_t traits = 0;
        bool has_other_port = false;
        bool at_contact = false;
    };
    std::vector<Contact> slots;

    static std::uint64_t aor_hash_of(std::uint32_t slot) { return 1'000'000 + slot; }
    bool where_is(std::uint32_t slot, Whereabouts& out) override {
        out = {slots[slot].address, slots[slot].port,           slots[slot].port,
               aor_hash_of(slot),   slots[slot].agent,          slots[slot].same_call,
               slots[slot].traits,  slots[slot].has_other_port, slots[slot].at_contact};
        return slots[slot].present;
    }

    std::uint64_t reads = 0;

    ContactId id_at(std::uint32_t slot) override { return {slot, slots[slot].generation}; }
    bool read(ContactId id, ContactBrief& out) override {
        ++reads;
        const Contact& c = slots[id.slot];
        out = {id, c.expires_at_s, c.by_path};
        return c.present && c.generation == id.generation;
    }
};

struct Sent {
    std::uint64_t ms;
    ContactId id;
};

struct FakeSink final : Sink {
    std::uint64_t now_ms = 0;
    std::vector<Sent> pings, expires, removals, probes, retargets;
    bool queue_full = false;
    std::uint64_t refused = 0;
    std::function<void(ContactId)> on_ping = [](ContactId) {};
    std::function<void(ContactId)> on_expire = [](ContactId) {};
    std::function<void(ContactId)> on_removal = [](ContactId) {};

    bool send_ping(const ContactBrief& contact) override {
        if (queue_full) {
            ++refused;
            return false;
        }
        pings.push_back({now_ms, contact.id});
        on_ping(contact.id);
        return true;
    }
    void expire(ContactId id) override {
        expires.push_back({now_ms, id});
        on_expire(id);
    }
    void send_probe(ContactId id) override { probes.push_back({now_ms, id}); }
    void retarget(ContactId id) override { retargets.push_back({now_ms, id}); }
    void remove_unreachable(ContactId id) override {
        removals.push_back({now_ms, id});
        on_removal(id);
    }
};

// Phones answer 40 ms after a ping, those that answer at all.
class World {
  public:
    static constexpr std::uint32_t kRttMs = 40;
    static constexpr std::uint32_t kFarS = 1'000'000;  // expiry that no test reaches
    static constexpr std::uint64_t kStartMs = 5'000'123;
    static constexpr std::uint32_t kStartS = 1'700'000'000;
    static constexpr std::uint32_t kGateways = 1'000;

    World(const PingPolicy& policy, std::uint32_t capacity, std::uint64_t start_ms = kStartMs)
        : ms(start_ms),
          start_ms_(start_ms),
          states(capacity),
          gateways(kGateways, table::KeyedHash(std::array<std::byte, 32>{})),
          ledger(capacity),
          keeper(policy, {states, gateways, ledger}, contacts, sink, now(), 42) {
        contacts.slots.resize(capacity);
        answers.resize(capacity, false);
        sink.on_ping = [this](ContactId id) {
            if (answers[id.slot]) {
                on_the_way_.push_back({ms + kRttMs, id});
            }
        };
    }

    // Seconds change at another moment than at a multiple of 1000 ms, as they do.
    [[nodiscard]] Now now() const {
        return {ms, kStartS + static_cast<std::uint32_t>((ms - start_ms_ + kPhaseMs) / 1'000)};
    }
    // When a second begins, on the millisecond clock.
    [[nodiscard]] std::uint64_t begin_of(std::uint32_t second) const {
        return start_ms_ + std::uint64_t{second - kStartS} * 1'000 - kPhaseMs;
    }

    ContactId add(std::uint32_t slot, bool phone_answers,
                  std::uint32_t expires_at_s = kStartS + kFarS) {
        auto& c = contacts.slots[slot];
        c.generation += 1;
        c.expires_at_s = expires_at_s;
        c.present = true;
        c.by_path = false;
        answers[slot] = phone_answers;
        keeper.changed(slot);
        return {slot, c.generation};
    }
    // It comes back by another mapping.
    void move(std::uint32_t slot) {
        ++contacts.slots[slot].port;
        keeper.changed(slot);
    }
    void remove(std::uint32_t slot) {
        contacts.slots[slot].present = false;
        keeper.changed(slot);
    }

    // Lets time pass in steps, pongs delivered before each, as the control thread does it.
    void run(std::uint64_t for_ms, std::uint32_t step_ms = 5, std::uint32_t budget = 100'000) {
        for (const std::uint64_t end = ms + for_ms; ms < end;) {
            ms += step_ms;
            step(budget);
        }
    }
    // Until the next ping has left, of the only contact or of any, and its answer has come.
    void run_past_ping() {
        for (const std::size_t before = sink.pings.size(); sink.pings.size() == before;) {
            run(5);
        }
        run(100);
    }
    bool step(std::uint32_t budget = 100'000) {
        while (!on_the_way_.empty() && on_the_way_.front().ms <= ms) {
            keeper.pong(on_the_way_.front().id, kRttMs * 1'000, 200, true);
            on_the_way_.pop_front();
        }
        sink.now_ms = ms;
        const bool done = keeper.advance(now(), budget);
        keeper.handed_over(now(), waiting);
        return done;
    }

    [[nodiscard]] table::QualifyView view(ContactId id) const { return states.read_any(id); }
    [[nodiscard]] std::uint64_t in_state(table::Reach r) const {
        return keeper.figures().by_state[static_cast<std::size_t>(r)].get();
    }

    std::uint64_t ms;

  private:
    static constexpr std::uint32_t kPhaseMs = 377;
    const std::uint64_t start_ms_;
    std::deque<Sent> on_the_way_;

  public:
    table::QualifyTable states;
    Gateways gateways;
    Ledger ledger;
    FakeContacts contacts;
    FakeSink sink;
    std::vector<bool> answers;
    std::uint32_t waiting = 0;  // pings for their worker
    Keeper keeper;
};

// The most pings in any 10 ms, wherever they begin, of those at `from_ms` or later.
inline std::uint64_t busiest(const std::vector<Sent>& pings, std::uint64_t span_ms,
                             std::uint64_t from_ms = 0) {
    std::uint64_t most = 0;
    for (std::size_t last = 0, first = 0; last < pings.size(); ++last) {
        while (pings[last].ms - pings[first].ms >= span_ms || pings[first].ms < from_ms) {
            if (first == last) {
                break;
            }
            ++first;
        }
        if (pings[first].ms >= from_ms) {
            most = std::max<std::uint64_t>(most, last - first + 1);
        }
    }
    return most;
}
inline std::uint64_t busiest_10_ms(const std::vector<Sent>& pings, std::uint64_t from_ms = 0) {
    return busiest(pings, 10, from_ms);
}

}  // namespace pinhole::qualify
