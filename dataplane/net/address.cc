// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/net/address.h"

#include <arpa/inet.h>

namespace pinhole::net {

std::optional<Address> parse_address(std::string_view text) {
    if (text.size() >= 2 && text.front() == '[' && text.back() == ']') {
        text = text.substr(1, text.size() - 2);
        if (text.find(':') == std::string_view::npos) {
            return std::nullopt;
        }
    }
    std::array<char, kMaxAddressText + 1> buffer;
    if (text.empty() || text.size() >= buffer.size()) {
        return std::nullopt;
    }
    std::memcpy(buffer.data(), text.data(), text.size());
    buffer[text.size()] = '\0';
    std::array<std::uint8_t, 16> raw;
    if (inet_pton(AF_INET, buffer.data(), raw.data()) == 1) {
        return Address::v4_wire(raw.data());
    }
    if (inet_pton(AF_INET6, buffer.data(), raw.data()) == 1) {
        return Address::v6_wire(raw.data());
    }
    return std::nullopt;
}

std::size_t format_address(const Address& address, char* out) {
    if (!address.is_v4()) {
        inet_ntop(AF_INET6, address.bytes.data(), out, kMaxAddressText);
        return std::strlen(out);
    }
    // IPv4 stands in every `received`, so it is written without the C library.
    char* p = out;
    for (int i = 0; i < 4; ++i) {
        const unsigned octet = address.v4_bytes()[i];
        if (i != 0) {
            *p++ = '.';
        }
        if (octet >= 100) {
            *p++ = static_cast<char>('0' + octet / 100);
        }
        if (octet >= 10) {
            *p++ = static_cast<char>('0' + octet / 10 % 10);
        }
        *p++ = static_cast<char>('0' + octet % 10);
    }
    return static_cast<std::size_t>(p - out);
}

std::size_t format_host(const Address& address, char* out) {
    if (address.is_v4()) {
        return format_address(address, out);
    }
    out[0] = '[';
    const std::size_t len = format_address(address, out + 1);
    out[len + 1] = ']';
    return len + 2;
}

std::string to_string(const Address& address) {
    std::array<char, kMaxAddressText> buffer;
    return {buffer.data(), format_address(address, buffer.data())};
}

}  // namespace pinhole::net
