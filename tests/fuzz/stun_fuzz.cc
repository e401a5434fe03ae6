// SPDX-License-Identifier: BSD-3-Clause
// What came as STUN is answered with STUN, for the same transaction, from either family, and never
// with more than 1.5 times as much.
#include "dataplane/net/stun.h"

#include <array>
#include <cstdlib>
#include <cstring>

namespace {

using pinhole::net::Bytes;

void exercise(Bytes datagram, const pinhole::net::Flow& flow) {
    std::array<std::uint8_t, pinhole::net::kMaxStunAnswer> out;
    const std::size_t size = pinhole::net::write_stun_answer(datagram, flow, out);
    const Bytes answer{out.data(), size};
    const std::size_t headers = flow.is_v4() ? 28 : 48;
    if (size > out.size() || (size + headers) * 2 > (datagram.size() + headers) * 3 ||
        pinhole::net::stun_kind(answer) != pinhole::net::StunKind::kOther ||
        std::memcmp(&answer[4], &datagram[4], 16) != 0) {
        std::abort();
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const Bytes datagram{data, size};
    if (pinhole::net::stun_kind(datagram) == pinhole::net::StunKind::kRequest) {
        pinhole::net::Flow flow;
        flow.their_udp_port = 32853;
        exercise(datagram, flow);
        flow.theirs = pinhole::net::Address::v4(0xc0000201);
        exercise(datagram, flow);
    }
    return 0;
}
