// SPDX-License-Identifier: BSD-3-Clause
// The NAT gateways that the phones stand behind. Phones are dealt out in turn: phone n is number n
// / gateways behind gateway n % gateways, whose public address is the first one's plus that. Each
// phone has one mapping, to the edge. A mapping that was idle for longer than its gateway's timeout
// is dead: a packet that comes to it vanishes, and the phone's next packet opens a mapping with
// another public port.
//
// The port tells which phone's mapping it is, and of which generation, so nothing is kept to find
// the phone of a packet:
//
//   port = kFirstPort + number + generation * (phones a gateway), over as many generations as fit
//
// Packets of both directions keep a mapping alive, as in Linux's conntrack. Pure; time is handed
// in.
#pragma once

#include "bench/load/timeouts.h"
#include "dataplane/net/address.h"

#include <cstdint>
#include <vector>

namespace pinhole::load {

using PhoneIndex = std::uint32_t;

// The far end of a flow: a public address and port.
struct PublicEnd {
    net::Address address;
    std::uint16_t udp_port = 0;
};

enum class Delivery : std::uint8_t {
    kIn,      // to the phone
    kDead,    // to a mapping that the gateway has forgotten, or that never was
    kNobody,  // to an address or port that is no gateway's
};

class NatGateways {
  public:
    static constexpr std::uint32_t kFirstPort = 1024;
    // Three generations at least, so that a new mapping has a port that the last one had not.
    static constexpr std::uint32_t kMaxPhonesBehind = (65536 - kFirstPort) / 3;

    // `gateways` of at most `phones`, and at most kMaxPhonesBehind phones each. The addresses after
    // `first` must not overflow their last four bytes.
    NatGateways(std::uint32_t phones, std::uint32_t gateways, const net::Address& first,
                const Timeouts& timeouts, std::uint64_t seed);

    // The phone sends: where from, as the edge sees it. True if the mapping is a new one.
    bool leave(PhoneIndex phone, std::uint64_t now_ms, PublicEnd& from);
    // A packet comes in; `phone` is whose it is unless nobody's.
    Delivery arrive(const PublicEnd& to, std::uint64_t now_ms, PhoneIndex& phone);

    [[nodiscard]] bool owns(const net::Address& address) const;
    [[nodiscard]] std::uint32_t number_behind(PhoneIndex phone) const { return phone / gateways_; }
    [[nodiscard]] std::uint32_t timeout_ms(PhoneIndex phone) const {
        return timeouts_ms_[phone % gateways_];
    }
    void prefetch(PhoneIndex phone) const { __builtin_prefetch(&mappings_[phone], 1); }

  private:
    struct Mapping {
        std::uint32_t used_ms = 0;     // modulo 2^32: longer than any timeout
        std::uint32_t generation = 0;  // 0: the phone never sent
    };

    [[nodiscard]] bool alive(PhoneIndex phone, std::uint64_t now_ms) const;
    [[nodiscard]] std::uint16_t port_of(PhoneIndex phone) const;

    std::uint32_t phones_;
    std::uint32_t gateways_;
    std::uint32_t behind_;       // phones a gateway, rounded up
    std::uint32_t generations_;  // that fit into the ports
    net::Address first_;
    std::uint32_t first_last_four_;
    std::vector<std::uint32_t> timeouts_ms_;  // a gateway
    std::vector<Mapping> mappings_;           // a phone
};

}  // namespace pinhole::load
