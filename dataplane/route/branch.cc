// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/route/branch.h"

#define XXH_INLINE_ALL
#include "dataplane/route/flow_text.h"
#include "dataplane/sip/name_addr.h"
#include "dataplane/tokens/base64.h"
#include "dataplane/tokens/pack.h"

#include <xxhash.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <span>

namespace pinhole::route {
namespace {

constexpr char kForwardMark = 'F';
constexpr std::uint8_t kBitIpv6 = 1;
constexpr std::uint8_t kBitPortMatters = 2;
constexpr std::uint8_t kBitToPhone = 4;

constexpr std::size_t kMacBytes = 8;
constexpr std::size_t kFixedBytes = 1 + 1 + 4 + 8;  // bits, key; where; transaction
constexpr std::size_t kMaxBytes = kFixedBytes + flow_bytes(true) + kMacBytes;
static_assert(sip::kMagicCookie.size() + 1 + tokens::base64_chars(kMaxBytes) <= kMaxBranchText);

// The port index is left out: where several of our ports lead to one network, the answer may come
// in by another.
std::uint32_t where_hash(net::Flow flow, bool port_matters) {
    flow.port = 0;
    flow.reserved = 0;
    if (!port_matters) {
        flow.their_udp_port = 0;
    }
    return static_cast<std::uint32_t>(XXH3_64bits(&flow, sizeof flow));
}

}  // namespace

std::uint64_t transaction_hash(const sip::Message& message, const sip::Via& client) {
    if (client.has_magic_cookie()) {
        return XXH3_64bits(client.branch.data(), client.branch.size());
    }
    // RFC 3261 §16.11 and §17.2.3, less what differs between an INVITE and its ACK (the To tag) and
    // what a response does not bring back (the request URI).
    const sip::NameAddr* from = message.from_address();
    const std::string_view tag = from != nullptr ? from->tag : std::string_view{};
    std::uint64_t hash = message.cseq;
    for (const std::string_view part : {client.sent_by, client.branch, message.call_id(), tag}) {
        hash = XXH3_64bits_withSeed(part.data(), part.size(), hash);
    }
    return hash;
}

BranchText make_branch(const tokens::Keys& keys, std::uint8_t key_id, const net::Flow& return_flow,
                       const Destination& to, std::uint64_t transaction) {
    const auto bits = static_cast<std::uint8_t>((needs_ipv6(return_flow) ? kBitIpv6 : 0) |
                                                (to.port_matters ? kBitPortMatters : 0) |
                                                (to.to_phone ? kBitToPhone : 0));
    tokens::Packer<kMaxBytes> packer;
    packer.number(bits, 1).number(key_id, 1);
    pack_flow(return_flow, packer);
    packer.number(where_hash(to.flow, to.port_matters), 4).number(transaction, 8);
    packer.number(keys.mac(tokens::Purpose::kBranch, key_id, packer.view()), kMacBytes);

    BranchText out;
    std::memcpy(out.text, sip::kMagicCookie.data(), sip::kMagicCookie.size());
    out.text[sip::kMagicCookie.size()] = kForwardMark;
    out.size = static_cast<std::uint8_t>(sip::kMagicCookie.size() + 1);
    out.size = static_cast<std::uint8_t>(out.size +
                                         tokens::base64_encode(packer.view(), out.text + out.size));
    return out;
}

std::optional<Branch> read_branch(const tokens::Keys& keys, std::string_view branch) {
    if (!branch.starts_with(sip::kMagicCookie) || branch.size() < sip::kMagicCookie.size() + 1 ||
        branch[sip::kMagicCookie.size()] != kForwardMark) {
        return std::nullopt;
    }
    std::array<std::uint8_t, kMaxBytes> data;
    const auto size = tokens::base64_decode(branch.substr(sip::kMagicCookie.size() + 1), data);
    if (!size || *size < kMacBytes + 2) {
        return std::nullopt;
    }
    tokens::Unpacker in({data.data(), *size});
    const auto bits = static_cast<std::uint8_t>(in.number(1));
    const auto key_id = static_cast<std::uint8_t>(in.number(1));
    Branch out;
    out.port_matters = (bits & kBitPortMatters) != 0;
    out.to_phone = (bits & kBitToPhone) != 0;
    out.return_flow = unpack_flow(in, (bits & kBitIpv6) != 0);
    out.where = static_cast<std::uint32_t>(in.number(4));
    out.transaction = in.number(8);
    const std::uint64_t mac = in.number(kMacBytes);
    if (!in.complete() || !keys.knows(key_id) ||
        mac != keys.mac(tokens::Purpose::kBranch, key_id, {data.data(), *size - kMacBytes})) {
        return std::nullopt;
    }
    return out;
}

bool came_from_destination(const Branch& branch, const net::Flow& arrival) {
    return branch.where == where_hash(arrival, branch.port_matters);
}

}  // namespace pinhole::route
