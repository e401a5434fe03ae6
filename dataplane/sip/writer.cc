// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/sip/writer.h"

#include "dataplane/sip/text.h"

#include <algorithm>
#include <charconv>

namespace pinhole::sip {

// Where there is room, the text is written in its place: copying right after digits were written
// waits for each of them.
template <std::size_t kMost, typename Format>
Writer& Writer::formatted(Format format) {
    if (room() >= kMost) [[likely]] {
        at_ += format(at_);
        return *this;
    }
    char buffer[kMost];
    return text({buffer, format(buffer)});
}

Writer& Writer::number(std::uint64_t value) {
    constexpr std::size_t kDigits = 20;
    return formatted<kDigits>([value](char* out) {
        return static_cast<std::size_t>(std::to_chars(out, out + kDigits, value).ptr - out);
    });
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
    return formatted<net::kMaxAddressText>(
        [&address](char* out) { return net::format_host(address, out); });
}

Writer& Writer::address(const net::Address& address) {
    return formatted<net::kMaxAddressText>(
        [&address](char* out) { return net::format_address(address, out); });
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
