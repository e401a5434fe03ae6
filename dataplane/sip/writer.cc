// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/sip/writer.h"

#include "dataplane/sip/text.h"

#include <algorithm>
#include <charconv>

namespace pinhole::sip {

Writer& Writer::number(std::uint64_t value) {
    char digits[20];
    const auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
    return text({digits, static_cast<std::size_t>(end - digits)});
}

Writer& Writer::qvalue(std::uint16_t thousandths) {
    if (thousandths >= 1000) {
        return character('1');
    }
    text("0.").character(static_cast<char>('0' + thousandths / 100));
    if (thousandths % 100 != 0) {
        character(static_cast<char>('0' + thousandths / 10 % 10));
    }
    if (thousandths % 10 != 0) {
        character(static_cast<char>('0' + thousandths % 10));
    }
    return *this;
}

Writer& Writer::host(const net::Address& address) {
    char buffer[net::kMaxAddressText];
    return text({buffer, net::format_host(address, buffer)});
}

Writer& Writer::address(const net::Address& address) {
    char buffer[net::kMaxAddressText];
    return text({buffer, net::format_address(address, buffer)});
}

Writer& Writer::without_folds(std::string_view value) {
    for (;;) {
        // Two searches: find_first_of() is one call a byte.
        const std::size_t line_end = std::min(value.find('\r'), value.find('\n'));
        if (line_end == std::string_view::npos) {
            return text(value);
        }
        text(trim_back(value.substr(0, line_end))).character(' ');
        value = trim_front(value.substr(line_end));
    }
}

Writer& Writer::clean(std::string_view s) {
    for (const char c : s) {
        const bool control = static_cast<unsigned char>(c) < ' ' || c == 0x7f;
        character(control ? ' ' : c);
    }
    return *this;
}

Writer& Writer::hex(const void* bytes, std::size_t len) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    const auto* p = static_cast<const unsigned char*>(bytes);
    for (std::size_t i = 0; i < len; ++i) {
        character(kDigits[p[i] >> 4]).character(kDigits[p[i] & 15]);
    }
    return *this;
}

}  // namespace pinhole::sip
