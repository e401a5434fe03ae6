// SPDX-License-Identifier: BSD-3-Clause
// Frames for tests, put together byte by byte and without the code under test.
#pragma once

#include "dataplane/net/address.h"
#include "dataplane/net/wire.h"

#include <cstdint>
#include <initializer_list>
#include <string_view>
#include <vector>

namespace pinhole::net::test {

using Frame = std::vector<std::uint8_t>;

inline Frame operator+(Frame a, const Frame& b) {
    a.insert(a.end(), b.begin(), b.end());
    return a;
}
inline Frame be16(unsigned v) {
    return {static_cast<std::uint8_t>(v >> 8), static_cast<std::uint8_t>(v)};
}
inline Frame text(std::string_view s) {
    return {s.begin(), s.end()};
}

inline Frame ethernet(unsigned type) {
    return Frame{2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2} + be16(type);
}

struct Ip4 {
    unsigned total_len;
    unsigned header_words = 5;
    unsigned id = 0x1234;
    unsigned flags_and_offset = 0;
    std::uint8_t protocol = 17;
    Frame src{192, 0, 2, 1};
    Frame dst{198, 51, 100, 7};
};
inline Frame ipv4(const Ip4& h) {
    Frame f = Frame{static_cast<std::uint8_t>(0x40 | h.header_words), 0x60} + be16(h.total_len) +
              be16(h.id) + be16(h.flags_and_offset) + Frame{63, h.protocol, 0, 0} + h.src + h.dst;
    if (h.header_words > 5) {
        f.resize(h.header_words * 4, 1);  // no-operation options
    }
    return f;
}

struct Ip6 {
    unsigned payload_len;
    std::uint8_t next = 17;
    Frame src{0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
    Frame dst{0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2};
};
inline Frame ipv6(const Ip6& h) {
    return Frame{0x66, 0, 0, 0} + be16(h.payload_len) + Frame{h.next, 62} + h.src + h.dst;
}

inline Frame udp(unsigned src_port, unsigned dst_port, unsigned len) {
    return be16(src_port) + be16(dst_port) + be16(len) + be16(0);
}

// A whole datagram of either family, from port 32947 to port 5060.
inline Frame datagram4(std::string_view payload) {
    const auto len = static_cast<unsigned>(8 + payload.size());
    return ethernet(0x0800) + ipv4({.total_len = 20 + len}) + udp(32947, 5060, len) + text(payload);
}
inline Frame datagram6(std::string_view payload) {
    const auto len = static_cast<unsigned>(8 + payload.size());
    return ethernet(0x86dd) + ipv6({.payload_len = len}) + udp(32947, 5060, len) + text(payload);
}

}  // namespace pinhole::net::test
