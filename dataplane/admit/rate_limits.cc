// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/admit/rate_limits.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace pinhole::admit {
namespace {

constexpr std::uint32_t kSubnetFactor = 4;
// What names the guesses at one user, not those of an address as a whole.
constexpr std::uint64_t kAnyUser = 0;

SourceName name_of(std::uint64_t low, std::uint64_t high) {
    SourceName name;
    std::memcpy(name.data(), &low, sizeof low);
    std::memcpy(name.data() + sizeof low, &high, sizeof high);
    name[0] |= 1;  // never nobody's
    return name;
}

// Who sits behind one address, or, in IPv6, has the customary network of a site's to pick from.
SourceName address_name(const net::Address& address) {
    SourceName name = address.bytes;
    if (!address.is_v4()) {
        std::fill(name.begin() + 8, name.end(), std::uint8_t{0});
        name[15] = 64;
    }
    return name;
}

// What a provider may have given to one customer.
SourceName subnet_name(const net::Address& address) {
    SourceName name = address_name(address);
    name[7] = 0;
    name[15] = 56;
    return name;
}

Rate share(const Rate& rate, unsigned workers) {
    const auto part = [workers](std::uint32_t n) {
        return n == 0 ? 0 : std::max<std::uint32_t>(n / workers, 1);
    };
    return {part(rate.per_minute), part(rate.burst)};
}

Rate times(const Rate& rate, std::uint32_t factor) {
    return {rate.per_minute * factor, rate.burst * factor};
}

// The policy as one worker of several applies it. A flow has one worker, so its share is all.
LimitPolicy shared(LimitPolicy policy, unsigned workers) {
    policy.address = share(policy.address, workers);
    policy.address_guesses = share(policy.address_guesses, workers);
    return policy;
}

}  // namespace

Limits::Limits(const LimitPolicy& policy, std::size_t sources, unsigned workers,
               const table::KeyedHash& hash)
    : workers_(workers),
      policy_(shared(policy, workers)),
      subnet_(times(policy_.address, kSubnetFactor)),
      flows_(sources, hash),
      addresses_(sources, hash),
      subnets_(sources, hash),
      guesses_(sources, hash),
      hash_(hash) {}

void Limits::use(const LimitPolicy& policy) {
    policy_ = shared(policy, workers_);
    subnet_ = times(policy_.address, kSubnetFactor);
}

Rate Limits::with_phones(const Rate& base, const Source& source, const Moment& now) const {
    const float phones = source.phones_now(now.s);
    const auto more = [phones](std::uint32_t each) {
        return static_cast<std::uint32_t>(phones * static_cast<float>(each));
    };
    return {base.per_minute + more(policy_.phone.per_minute),
            base.burst + more(policy_.phone.burst)};
}

Limited Limits::admit(const net::Flow& from, const Moment& now) {
    if (!policy_.enabled) {
        return Limited::kNo;
    }
    const auto allows = [&](SourceTable& table, const SourceName& name, const Rate& base) {
        Source& source = table.at(name, base, now.stamp_ms(), now.s);
        return source.bucket.take(with_phones(base, source, now), now.stamp_ms());
    };
    const std::uint64_t flow_hash = hash_(from);
    // The flow first: a flood by one port of an address leaves the other ports their requests.
    if (!allows(flows_, name_of(flow_hash, from.their_udp_port), policy_.flow)) {
        return Limited::kByFlow;
    }
    if (!allows(addresses_, address_name(from.theirs), policy_.address)) {
        return Limited::kByAddress;
    }
    if (!from.theirs.is_v4() && !allows(subnets_, subnet_name(from.theirs), subnet_)) {
        return Limited::kByAddress;
    }
    return Limited::kNo;
}

SourceName Limits::guess_name(const net::Flow& from, std::uint64_t user_hash) const {
    struct {
        SourceName address;
        std::uint64_t user;
    } const key{address_name(from.theirs), user_hash};
    return name_of(hash_({reinterpret_cast<const char*>(&key), sizeof key}), user_hash);
}

// Wrong passwords are usual behind a gateway with many phones.
Rate Limits::address_guesses(const net::Flow& from, const Moment& now) const {
    const Source* address = addresses_.find(address_name(from.theirs));
    return address == nullptr ? policy_.address_guesses
                              : with_phones(policy_.address_guesses, *address, now);
}

bool Limits::may_guess(const net::Flow& from, std::uint64_t user_hash, const Moment& now) const {
    const auto left = [&](std::uint64_t user, const Rate& rate) {
        const Source* source = guesses_.find(guess_name(from, user));
        return source == nullptr || source->bucket.has(rate, now.stamp_ms());
    };
    return !policy_.enabled ||
           (left(user_hash, policy_.guesses) && left(kAnyUser, address_guesses(from, now)));
}

void Limits::guessed_wrong(const net::Flow& from, std::uint64_t user_hash, const Moment& now) {
    if (!policy_.enabled) {
        return;
    }
    const auto take = [&](std::uint64_t user, const Rate& rate) {
        (void)guesses_.at(guess_name(from, user), rate, now.stamp_ms(), now.s)
            .bucket.take(rate, now.stamp_ms());
    };
    take(user_hash, policy_.guesses);
    take(kAnyUser, address_guesses(from, now));
}

void Limits::count_phones(const net::Flow& from, float change, const Moment& now) {
    if (!policy_.enabled) {
        return;
    }
    const auto add = [&](SourceTable& table, const SourceName& name, const Rate& base) {
        table.at(name, base, now.stamp_ms(), now.s).add_phones(change, now.s);
    };
    add(flows_, name_of(hash_(from), from.their_udp_port), policy_.flow);
    add(addresses_, address_name(from.theirs), policy_.address);
    if (!from.theirs.is_v4()) {
        add(subnets_, subnet_name(from.theirs), subnet_);
    }
}

void Limits::registered(const net::Flow& from, std::uint32_t expires_s, bool first,
                        const Moment& now) {
    const float refresh = static_cast<float>(expires_s) / (2 * SourceTable::kMemory_s);
    count_phones(from, first ? 1 : std::min(refresh, 1.0F), now);
}

void Limits::left(const net::Flow& from, const Moment& now) {
    count_phones(from, -1, now);
}

void Limits::remember(const SourceName& address, float phones, const Moment& now) {
    if (address == SourceName{}) {
        return;
    }
    addresses_.at(address, policy_.address, now.stamp_ms(), now.s).add_phones(phones, now.s);
    // The /56 is that of all its /64s together.
    if (const net::Address named{address}; !named.is_v4()) {
        subnets_.at(subnet_name(named), subnet_, now.stamp_ms(), now.s).add_phones(phones, now.s);
    }
}

}  // namespace pinhole::admit
