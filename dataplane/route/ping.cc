// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/route/ping.h"

#include "dataplane/sip/uri.h"
#include "dataplane/sip/via.h"
#include "dataplane/tokens/base64.h"
#include "dataplane/tokens/pack.h"

#include <algorithm>
#include <array>

namespace pinhole::route {
namespace {

constexpr char kPingMark = 'P';
constexpr std::uint64_t kTimeMask = (1ull << 47) - 1;  // of microseconds: four years until it wraps
constexpr std::uint64_t kProbeBit = 1ull << 47;
constexpr std::size_t kSignedBytes = 1 + 4 + 4 + 6;
constexpr std::size_t kPingBytes = kSignedBytes + 8;
constexpr std::size_t kPingChars = tokens::base64_chars(kPingBytes);
// As phones repeat it: the only Via there is, behind the status line.
constexpr std::string_view kStatusLine = "SIP/2.0 ";
constexpr std::string_view kViaLine = "\r\nVia: SIP/2.0/UDP ";
constexpr std::string_view kBranchParam = ";branch=z9hG4bKP";
constexpr std::string_view kBranchStart = kBranchParam.substr(kBranchParam.find('=') + 1);
static_assert(kBranchStart.starts_with(sip::kMagicCookie) && kBranchStart.ends_with(kPingMark) &&
              kBranchStart.size() == sip::kMagicCookie.size() + 1);
constexpr std::size_t kTagChars = 11;  // the end of it: the MAC, which no two pings share

// The AOR as it may stand between angle brackets.
bool is_clean(std::string_view aor) {
    return !aor.empty() && std::none_of(aor.begin(), aor.end(), [](char c) {
        return static_cast<unsigned char>(c) <= ' ' || c == '\x7f' || c == '<' || c == '>' ||
               c == '"';
    });
}

// What the text of a mark says, if it is ours.
std::optional<Pong> open(std::string_view mark, unsigned status, const tokens::Keys& keys,
                         std::uint64_t now_us) {
    constexpr unsigned kFirstFinal = 200;
    std::array<std::uint8_t, kPingBytes> data;
    if (status < kFirstFinal || !tokens::base64_decode(mark, data)) {
        return std::nullopt;
    }
    tokens::Unpacker in(data);
    const auto key_id = static_cast<std::uint8_t>(in.number(1));
    Pong out;
    out.id.slot = static_cast<std::uint32_t>(in.number(4));
    out.id.generation = static_cast<std::uint32_t>(in.number(4));
    const std::uint64_t sent = in.number(6);
    out.probe = (sent & kProbeBit) != 0;
    const std::uint64_t age_us = (now_us - sent) & kTimeMask;
    if (in.number(8) != keys.mac(tokens::Purpose::kPing, key_id, {data.data(), kSignedBytes}) ||
        !keys.knows(key_id) || age_us > kMaxPongAge_us) {
        return std::nullopt;
    }
    out.rtt_us = static_cast<std::uint32_t>(age_us);
    out.code = static_cast<std::uint16_t>(status);
    return out;
}

// Of a status line as it should be (RFC 3261 §7.2): 100 to 699.
std::optional<unsigned> status_of(std::string_view datagram) {
    const auto digit = [&](std::size_t i) {
        return static_cast<unsigned>(datagram[kStatusLine.size() + i]) - '0';
    };
    if (!datagram.starts_with(kStatusLine) || datagram.size() < kStatusLine.size() + 4 ||
        digit(0) - 1 > 5 || digit(1) > 9 || digit(2) > 9 ||
        datagram[kStatusLine.size() + 3] != ' ') {
        return std::nullopt;
    }
    return digit(0) * 100 + digit(1) * 10 + digit(2);
}

}  // namespace

std::string_view request_uri_of(std::string_view contact_uri) {
    sip::Uri uri;
    if (contact_uri.find('?') != std::string_view::npos && sip::parse_uri(contact_uri, uri) &&
        !uri.headers.empty()) {
        return contact_uri.substr(
            0, static_cast<std::size_t>(uri.headers.data() - contact_uri.data()) - 1);
    }
    return contact_uri;
}

bool build_ping(const PingTarget& target, const tokens::Keys& keys, std::uint64_t now_us,
                sip::Writer& out) {
    tokens::Packer<kPingBytes> packer;
    packer.number(keys.current_id(), 1).number(target.id.slot, 4).number(target.id.generation, 4);
    packer.number((now_us & kTimeMask) | (target.probe ? kProbeBit : 0), 6);
    packer.number(keys.mac(tokens::Purpose::kPing, keys.current_id(), packer.view()), 8);
    std::array<char, kPingChars> text;
    tokens::base64_encode(packer.view(), text.data());
    const std::string_view mark{text.data(), text.size()};
    const std::string_view request_uri = request_uri_of(target.contact_uri);

    out.text("OPTIONS ").text(request_uri).text(" SIP/2.0\r\nVia: SIP/2.0/UDP ");
    out.host(target.flow.ours).character(':').number(target.flow.our_udp_port);
    out.text(";rport;branch=").text(sip::kMagicCookie).character(kPingMark).text(mark);
    out.text("\r\nMax-Forwards: 70\r\nFrom: <sip:ping@").host(target.flow.ours);
    out.text(">;tag=").text(mark.substr(kPingChars - kTagChars)).text("\r\nTo: <");
    if (is_clean(target.aor)) {
        out.text("sip:").text(target.aor);
    } else {
        out.text(request_uri);
    }
    out.text(">\r\nCall-ID: ").text(mark);
    out.text("\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n");
    return !out.overflow();
}

bool is_ping_branch(std::string_view branch) {
    return branch.starts_with(sip::kMagicCookie) && branch.size() > sip::kMagicCookie.size() &&
           branch[sip::kMagicCookie.size()] == kPingMark;
}

std::optional<std::uint32_t> slot_named_by(std::string_view branch) {
    constexpr std::size_t kBegin = sip::kMagicCookie.size() + 1;
    std::array<std::uint8_t, 6> data;  // the key's id and the slot are five
    if (!is_ping_branch(branch) || branch.size() != kBegin + kPingChars ||
        !tokens::base64_decode(branch.substr(kBegin, tokens::base64_chars(data.size())), data)) {
        return std::nullopt;
    }
    tokens::Unpacker in(data);
    (void)in.number(1);
    return static_cast<std::uint32_t>(in.number(4));
}

std::optional<Pong> parse_pong(const sip::Message& response, std::string_view branch,
                               const tokens::Keys& keys, std::uint64_t now_us) {
    if (!is_ping_branch(branch) || response.is_request ||
        response.method != sip::Method::kOptions ||
        branch.size() != kBranchStart.size() + kPingChars) {
        return std::nullopt;
    }
    return open(branch.substr(kBranchStart.size()), response.status, keys, now_us);
}

std::optional<Pong> read_pong(std::string_view datagram, const tokens::Keys& keys,
                              std::uint64_t now_us) {
    const std::optional<unsigned> status = status_of(datagram);
    if (!status.has_value()) {
        return std::nullopt;
    }
    const std::size_t first_line = datagram.find("\r\n", kStatusLine.size());
    std::string_view via = datagram.substr(std::min(first_line, datagram.size()));
    if (!via.starts_with(kViaLine)) {
        return std::nullopt;
    }
    via = via.substr(kViaLine.size());
    via = via.substr(0, via.find('\r'));
    const std::size_t mark = via.find(kBranchParam);
    // Behind a comma it is another's.
    if (mark == std::string_view::npos || via.substr(0, mark).find(',') != std::string_view::npos) {
        return std::nullopt;
    }
    const std::string_view text = via.substr(mark + kBranchParam.size());
    if (text.size() < kPingChars ||
        (text.size() > kPingChars && text[kPingChars] != ';' && text[kPingChars] != ',')) {
        return std::nullopt;
    }
    return open(text.substr(0, kPingChars), *status, keys, now_us);
}

}  // namespace pinhole::route
