// SPDX-License-Identifier: BSD-3-Clause
// An IP address of either family in 16 bytes, IPv4 as ::ffff:a.b.c.d (RFC 4291 §2.5.5.2), so that
// one comparison serves both. Pure; any thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

namespace pinhole::net {

struct Address {
    std::array<std::uint8_t, 16> bytes{};

    // `host_order` is 0x0a000001 for 10.0.0.1.
    static constexpr Address v4(std::uint32_t host_order) {
        Address a;
        a.bytes[10] = a.bytes[11] = 0xff;
        for (int i = 0; i < 4; ++i) {
            a.bytes[12 + i] = static_cast<std::uint8_t>(host_order >> (24 - 8 * i));
        }
        return a;
    }
    // The four bytes as they stand in an IPv4 header.
    static Address v4_wire(const void* four) {
        Address a;
        a.bytes[10] = a.bytes[11] = 0xff;
        std::memcpy(a.bytes.data() + 12, four, 4);
        return a;
    }
    static Address v6_wire(const void* sixteen) {
        Address a;
        std::memcpy(a.bytes.data(), sixteen, 16);
        return a;
    }

    [[nodiscard]] bool is_v4() const {
        static constexpr std::array<std::uint8_t, 12> kPrefix{0, 0, 0, 0, 0,    0,
                                                              0, 0, 0, 0, 0xff, 0xff};
        return std::memcmp(bytes.data(), kPrefix.data(), kPrefix.size()) == 0;
    }
    // Big-endian value of the last four bytes; only for is_v4().
    [[nodiscard]] std::uint32_t v4_host_order() const {
        return std::uint32_t{bytes[12]} << 24 | std::uint32_t{bytes[13]} << 16 |
               std::uint32_t{bytes[14]} << 8 | bytes[15];
    }
    [[nodiscard]] const std::uint8_t* v4_bytes() const { return bytes.data() + 12; }

    auto operator<=>(const Address&) const = default;
};
static_assert(sizeof(Address) == 16);

// The longest text: 39 characters of IPv6, or 41 in brackets.
inline constexpr std::size_t kMaxAddressText = 46;

// "192.0.2.1", "2001:db8::1" or "[2001:db8::1]" (RFC 5952 is not asked of the input). No
// allocation; nothing else is accepted: no zone, no port, no white space.
[[nodiscard]] std::optional<Address> parse_address(std::string_view text);

// Writes the text (IPv6 without brackets) to `out`, which holds kMaxAddressText or more; returns
// the length.
std::size_t format_address(const Address& address, char* out);
// The same, with brackets around IPv6, as a SIP host is written (RFC 3261 §25.1, IPv6reference).
std::size_t format_host(const Address& address, char* out);
[[nodiscard]] std::string to_string(const Address& address);

// An address and a UDP port.
struct Endpoint {
    Address address;
    std::uint16_t udp_port = 0;  // host order
    bool operator==(const Endpoint&) const = default;
};

}  // namespace pinhole::net
