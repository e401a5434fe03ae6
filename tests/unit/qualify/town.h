// SPDX-License-Identifier: BSD-3-Clause
// A population for tests of the keeper over hours of synthetic time: phones that register behind
// gateways that forget, a way that loses packets, and calls placed at random moments. All of it
// follows from one seed.
//
// Gateways refresh a mapping by what leaves through it and by nothing else, which is the least that
// RFC 4787 asks of them.
#pragma once

#include "tests/unit/qualify/world.h"

#include <queue>
#include <random>

namespace pinhole::qualify {

struct TownPlan {
    std::uint32_t gateways = 100;
    std::uint32_t phones_each = 8;
    std::uint32_t register_s = 1'800;     // every so often, give or take a tenth
    double loss = 0;                      // of each packet
    std::uint32_t prefix_gateways = 256;  // so many have a /24 in common
    std::vector<std::pair<std::uint32_t, unsigned>> lifetimes;  // seconds and weight
};

class Town {
  public:
    Town(const PingPolicy& policy, const TownPlan& plan, std::uint64_t seed)
        : plan_(plan),
          random_(seed),
          world(policy, plan.gateways * plan.phones_each),
          phones_(plan.gateways * plan.phones_each) {
        std::vector<unsigned> weights;
        for (const auto& [lifetime_s, weight] : plan.lifetimes) {
            weights.push_back(weight);
        }
        std::discrete_distribution<std::size_t> pick(weights.begin(), weights.end());
        for (std::uint32_t g = 0; g < plan.gateways; ++g) {
            lifetimes_ms_.push_back(plan.lifetimes[pick(random_)].first * 1'000);
        }
        cut_.resize(plan.gateways, false);
        world.sink.on_ping = [this](ContactId id) { on_ping(id); };
        world.sink.on_removal = [this](ContactId id) { removed_.push_back(id.slot); };
        for (std::uint32_t n = 0; n < phones_.size(); ++n) {
            world.contacts.slots[n].address = address_of(n / plan.phones_each);
            world.add(n, false);
            left(n);
            phones_[n].registers_ms = world.ms + random_() % (plan.register_s * 1'000);
        }
    }

    void run_s(std::uint32_t seconds) {
        constexpr std::uint32_t kStepMs = 50;
        for (const std::uint64_t end = world.ms + seconds * std::uint64_t{1'000}; world.ms < end;) {
            world.ms += kStepMs;
            while (!pongs_.empty() && pongs_.top().first <= world.ms) {
                const ContactId id = pongs_.top().second;
                pongs_.pop();
                world.keeper.pong(id, World::kRttMs * 1'000, 200, true);
            }
            world.step();
            for (const std::uint32_t n : removed_) {
                world.remove(n);
            }
            removed_.clear();
            if (world.ms % 1'000 < kStepMs) {
                register_some();
                call_some();
            }
        }
    }

    void count_anew() { pings_ = pongs_sent_ = calls_ = reached_ = 0; }
    [[nodiscard]] double packets() const { return static_cast<double>(pings_ + pongs_sent_); }
    // Of calls to phones at random, those that were sent there and found the mapping alive.
    [[nodiscard]] double reached() const {
        return static_cast<double>(reached_) / static_cast<double>(calls_);
    }
    [[nodiscard]] std::uint64_t calls() const { return calls_; }
    [[nodiscard]] double packets_a_contact_hour(double hours) const {
        return packets() / static_cast<double>(phones_.size()) / hours;
    }
    [[nodiscard]] std::uint32_t lifetime_ms(std::uint32_t gateway) const {
        return lifetimes_ms_[gateway];
    }
    void set_lifetime_s(std::uint32_t gateway, std::uint32_t s) {
        lifetimes_ms_[gateway] = s * 1'000;
    }
    // The phone loses power, and comes back after a restart.
    void power(std::uint32_t phone, bool on) {
        phones_[phone].on = on;
        if (on) {
            world.contacts.slots[phone].same_call = false;
            phones_[phone].registers_ms = world.ms;
        }
    }
    // The access line of a gateway: cut, nothing passes it either way.
    void cut(std::uint32_t gateway, bool is_cut) { cut_[gateway] = is_cut; }
    [[nodiscard]] net::Address address_of(std::uint32_t gateway) const {
        return net::Address::v4(0x0a00'0000 + gateway / plan_.prefix_gateways * 256 +
                                gateway % plan_.prefix_gateways);
    }
    [[nodiscard]] const Lesson& lesson(std::uint32_t gateway) {
        return world.gateways.at(gateway + 1).lessons[0];
    }

  private:
    struct Phone {
        std::uint64_t left_ms = 0;  // when a packet of its last left
        std::uint64_t registers_ms = 0;
        bool on = true;
    };

    [[nodiscard]] bool arrives() {
        return std::uniform_real_distribution<double>(0, 1)(random_) >= plan_.loss;
    }
    [[nodiscard]] bool alive(std::uint32_t n) const {
        return world.ms - phones_[n].left_ms < lifetimes_ms_[n / plan_.phones_each];
    }
    void left(std::uint32_t n) { phones_[n].left_ms = world.ms; }

    void on_ping(ContactId id) {
        ++pings_;
        const bool passes = !cut_[id.slot / plan_.phones_each] && arrives();
        if (!passes || !alive(id.slot) || !phones_[id.slot].on) {
            return;
        }
        ++pongs_sent_;
        left(id.slot);
        if (arrives()) {
            pongs_.push({world.ms + World::kRttMs, id});
        }
    }
    void register_some() {
        for (std::uint32_t n = 0; n < phones_.size(); ++n) {
            Phone& phone = phones_[n];
            if (!phone.on || phone.registers_ms > world.ms) {
                continue;
            }
            const bool was_alive = alive(n);
            left(n);
            if (cut_[n / plan_.phones_each] || !arrives()) {
                phone.registers_ms = world.ms + 1'000;  // sent again
            } else {
                const std::uint32_t tenth_ms = plan_.register_s * 100;
                phone.registers_ms = world.ms + plan_.register_s * 900 + random_() % (2 * tenth_ms);
                if (!world.contacts.slots[n].present) {
                    world.contacts.slots[n].same_call = false;
                    world.add(n, false);
                    continue;
                }
                was_alive ? world.states.prove_any(n, static_cast<std::uint32_t>(world.ms),
                                                   table::Proof::kRegister)
                          : world.move(n);
                world.contacts.slots[n].same_call = true;
            }
        }
    }
    void call_some() {
        for (int i = 0; i < 10; ++i) {
            const auto n = static_cast<std::uint32_t>(random_() % phones_.size());
            if (phones_[n].on) {
                ++calls_;
                reached_ += alive(n) && world.contacts.slots[n].present &&
                                    world.states.get_control(n).state != table::Reach::kUnreachable
                                ? 1
                                : 0;
            }
        }
    }

    using Pong = std::pair<std::uint64_t, ContactId>;
    struct Later {
        bool operator()(const Pong& a, const Pong& b) const { return a.first > b.first; }
    };

    const TownPlan plan_;
    std::mt19937_64 random_;

  public:
    World world;

  private:
    std::vector<Phone> phones_;
    std::vector<std::uint32_t> lifetimes_ms_;
    std::vector<bool> cut_;               // by gateway
    std::vector<std::uint32_t> removed_;  // as the keeper asked, and not known to it yet
    std::priority_queue<Pong, std::vector<Pong>, Later> pongs_;
    std::uint64_t pings_ = 0;
    std::uint64_t pongs_sent_ = 0;
    std::uint64_t calls_ = 0;
    std::uint64_t reached_ = 0;
};

// As home gateways were measured in the field: 30 s to 690 s, half of them within 180 s.
inline const std::vector<std::pair<std::uint32_t, unsigned>> kFieldLifetimes{
    {30, 4}, {60, 10}, {90, 14}, {120, 20}, {180, 28}, {300, 14}, {600, 7}, {690, 3}};

}  // namespace pinhole::qualify
