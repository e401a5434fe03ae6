// SPDX-License-Identifier: BSD-3-Clause
#include "bench/load/nat_gateways.h"

#include "dataplane/net/wire.h"

#include <cstring>

namespace pinhole::load {
namespace {

std::uint32_t last_four(const net::Address& address) {
    return net::load_be32(address.bytes.data() + 12);
}

}  // namespace

NatGateways::NatGateways(std::uint32_t phones, std::uint32_t gateways, const net::Address& first,
                         const Timeouts& timeouts, std::uint64_t seed)
    : phones_(phones),
      gateways_(gateways),
      behind_((phones + gateways - 1) / gateways),
      generations_((65536 - kFirstPort) / behind_),
      first_(first),
      first_last_four_(last_four(first)),
      mappings_(phones) {
    qualify::Random random(seed);
    timeouts_ms_.reserve(gateways);
    for (std::uint32_t i = 0; i < gateways; ++i) {
        timeouts_ms_.push_back(timeouts.pick_ms(random));
    }
}

bool NatGateways::alive(PhoneIndex phone, std::uint64_t now_ms) const {
    const Mapping& mapping = mappings_[phone];
    const std::uint32_t timeout = timeout_ms(phone);
    return mapping.generation != 0 &&
           (timeout == Timeouts::kNever_ms ||
            static_cast<std::uint32_t>(now_ms) - mapping.used_ms <= timeout);
}

std::uint16_t NatGateways::port_of(PhoneIndex phone) const {
    return static_cast<std::uint16_t>(kFirstPort + number_behind(phone) +
                                      mappings_[phone].generation % generations_ * behind_);
}

bool NatGateways::leave(PhoneIndex phone, std::uint64_t now_ms, PublicEnd& from) {
    Mapping& mapping = mappings_[phone];
    const bool is_new = !alive(phone, now_ms);
    mapping.generation += is_new ? 1 : 0;
    mapping.used_ms = static_cast<std::uint32_t>(now_ms);
    from.address = first_;
    net::store_be32(from.address.bytes.data() + 12, first_last_four_ + phone % gateways_);
    from.udp_port = port_of(phone);
    return is_new;
}

Delivery NatGateways::arrive(const PublicEnd& to, std::uint64_t now_ms, PhoneIndex& phone) {
    const std::uint32_t at = to.udp_port - kFirstPort;
    if (!owns(to.address) || to.udp_port < kFirstPort || at / behind_ >= generations_) {
        return Delivery::kNobody;
    }
    const std::uint64_t index =
        std::uint64_t{at % behind_} * gateways_ + (last_four(to.address) - first_last_four_);
    if (index >= phones_) {
        return Delivery::kNobody;
    }
    phone = static_cast<PhoneIndex>(index);
    if (port_of(phone) != to.udp_port || !alive(phone, now_ms)) {
        return Delivery::kDead;
    }
    mappings_[phone].used_ms = static_cast<std::uint32_t>(now_ms);
    return Delivery::kIn;
}

bool NatGateways::owns(const net::Address& address) const {
    return std::memcmp(address.bytes.data(), first_.bytes.data(), 12) == 0 &&
           last_four(address) - first_last_four_ < gateways_;
}

}  // namespace pinhole::load
