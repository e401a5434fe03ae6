// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/net/capture_filter.h"

#include "dataplane/net/packet.h"

#include <algorithm>
#include <charconv>
#include <system_error>

namespace pinhole::net {
namespace {

constexpr const char* kHow =
    "a filter is made of `host ADDRESS`, `port NUMBER` and `text WORD`, each at most once";

std::string_view next_word(std::string_view& from) {
    from.remove_prefix(std::min(from.find_first_not_of(' '), from.size()));
    const std::string_view word = from.substr(0, from.find(' '));
    from.remove_prefix(word.size());
    return word;
}

std::optional<std::uint16_t> port_number(std::string_view word) {
    std::uint16_t number = 0;
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number);
    const bool whole = error == std::errc{} && end == word.data() + word.size();
    return whole && number != 0 ? std::optional(number) : std::nullopt;
}

// Whether the term is one, and the first of its kind.
bool add_term(CaptureFilter& filter, std::string_view kind, std::string_view value) {
    if (kind == "host" && !filter.host) {
        filter.host = parse_address(value);
        return filter.host.has_value();
    }
    if (kind == "port" && !filter.port) {
        filter.port = port_number(value);
        return filter.port.has_value();
    }
    if (kind == "text" && filter.text.empty() && value.size() <= CaptureFilter::kMaxText) {
        filter.text = value;
        return !value.empty();
    }
    return false;
}

}  // namespace

std::optional<CaptureFilter> CaptureFilter::parse(std::string_view words, std::string& problem) {
    CaptureFilter filter;
    for (std::string_view kind = next_word(words); !kind.empty(); kind = next_word(words)) {
        const std::string_view value = next_word(words);
        if (!add_term(filter, kind, value)) {
            problem = "`" + std::string(kind) + " " + std::string(value) +
                      "` is no term of a filter here: " + kHow;
            return std::nullopt;
        }
    }
    return filter;
}

bool CaptureFilter::matches(Bytes frame) const {
    if (!host && !port && text.empty()) {
        return true;
    }
    Datagram d;
    const PacketKind kind = parse_packet(frame, d);
    const bool udp = kind == PacketKind::kUdp;
    if (!udp && kind != PacketKind::kFragment && kind != PacketKind::kIpOther) {
        return false;
    }
    return (!host || d.src == *host || d.dst == *host) &&
           (!port || (udp && (d.src_port == *port || d.dst_port == *port))) &&
           (text.empty() || (udp && d.text().find(text) != std::string_view::npos));
}

}  // namespace pinhole::net
