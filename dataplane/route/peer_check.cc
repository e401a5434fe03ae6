// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/route/peer_check.h"

#include "dataplane/route/ping.h"
#include "dataplane/sip/via.h"
#include "dataplane/tokens/base64.h"
#include "dataplane/tokens/pack.h"

#include <array>

namespace pinhole::route {
namespace {

constexpr char kCheckMark = 'C';
constexpr std::uint64_t kTimeMask = (1ull << 48) - 1;
constexpr std::size_t kSignedBytes = 1 + 4 + 6;  // key, peer, send time
constexpr std::size_t kCheckBytes = kSignedBytes + 8;
constexpr std::size_t kCheckChars = tokens::base64_chars(kCheckBytes);
constexpr std::size_t kTagChars = 11;  // the end of it: the MAC, which no two checks share

}  // namespace

bool build_peer_check(const Peer& peer, const tokens::Keys& keys, std::uint64_t now_us,
                      sip::Writer& out) {
    tokens::Packer<kCheckBytes> packer;
    packer.number(keys.current_id(), 1).number(peer.hash, 4).number(now_us & kTimeMask, 6);
    packer.number(keys.mac(tokens::Purpose::kCheck, keys.current_id(), packer.view()), 8);
    std::array<char, kCheckChars> text;
    tokens::base64_encode(packer.view(), text.data());
    const std::string_view mark{text.data(), text.size()};
    const net::Flow& flow = peer.flow;

    out.text("OPTIONS sip:").host(flow.theirs).character(':').number(flow.their_udp_port);
    out.text(" SIP/2.0\r\nVia: SIP/2.0/UDP ").host(flow.ours).character(':');
    out.number(flow.our_udp_port).text(";rport;branch=").text(sip::kMagicCookie);
    out.character(kCheckMark).text(mark);
    out.text("\r\nMax-Forwards: 70\r\nFrom: <sip:ping@").host(flow.ours);
    out.text(">;tag=").text(mark.substr(kCheckChars - kTagChars)).text("\r\nTo: <sip:");
    out.host(flow.theirs).character(':').number(flow.their_udp_port);
    out.text(">\r\nCall-ID: ").text(mark);
    out.text("\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n");
    return !out.overflow();
}

bool is_check_branch(std::string_view branch) {
    return branch.starts_with(sip::kMagicCookie) && branch.size() > sip::kMagicCookie.size() &&
           branch[sip::kMagicCookie.size()] == kCheckMark;
}

std::optional<PeerPong> parse_peer_pong(const sip::Message& response, std::string_view branch,
                                        const tokens::Keys& keys, std::uint64_t now_us) {
    std::array<std::uint8_t, kCheckBytes> data;
    if (!is_check_branch(branch) || response.is_request || response.status < 200 ||
        response.method != sip::Method::kOptions ||
        branch.size() != sip::kMagicCookie.size() + 1 + kCheckChars ||
        !tokens::base64_decode(branch.substr(sip::kMagicCookie.size() + 1), data)) {
        return std::nullopt;
    }
    tokens::Unpacker in(data);
    const auto key_id = static_cast<std::uint8_t>(in.number(1));
    PeerPong out;
    out.peer = static_cast<std::uint32_t>(in.number(4));
    const std::uint64_t age_us = (now_us - in.number(6)) & kTimeMask;
    if (in.number(8) != keys.mac(tokens::Purpose::kCheck, key_id, {data.data(), kSignedBytes}) ||
        !keys.knows(key_id) || age_us > kMaxPongAge_us) {
        return std::nullopt;
    }
    out.rtt_us = static_cast<std::uint32_t>(age_us);
    out.code = response.status;
    return out;
}

}  // namespace pinhole::route
