// SPDX-License-Identifier: BSD-3-Clause
// Character classes and small text helpers of RFC 3261 §25.1, shared by the parsers of this folder:
// case-insensitive comparison, linear white space (with folds), bounded decimal numbers. Pure; any
// thread; never allocates.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace pinhole::sip {

// What a byte may be part of; a byte's entry in kCharClass is the union.
enum CharClass : std::uint16_t {
    kToken = 1,          // token
    kUserChar = 2,       // unescaped in a canonical user: unreserved, user-unreserved
    kUserTolerated = 4,  // what real phones leave unescaped in a user beside those: '#', UTF-8
    kHostChar = 8,       // host name (with the '_' that some have) or IPv4 address
    kUriChar = 16,       // anywhere in a URI: no control, no space, no '<' '>' '"'
    kDigit = 32,
    kHex = 64,
    kParamName = 128,   // token, or what a URI parameter's name may have beside it
    kHostLabel = 256,   // kHostChar but the '.'
    kParamValue = 512,  // kUriChar but the ';'
};

namespace detail {
constexpr std::array<std::uint16_t, 256> make_char_classes() {
    std::array<std::uint16_t, 256> table{};
    const auto add = [&table](std::string_view chars, unsigned classes) {
        for (const char c : chars) {
            auto& entry = table[static_cast<unsigned char>(c)];
            entry = static_cast<std::uint16_t>(entry | classes);
        }
    };
    for (unsigned c = 0x21; c < 256; ++c) {
        table[c] = c == '<' || c == '>' || c == '"' || c == 0x7f ? 0 : kUriChar | kParamValue;
        if (c >= 0x80) {
            table[c] |= kUserTolerated;
        }
    }
    constexpr unsigned kAlnum = kToken | kUserChar | kHostChar | kHostLabel | kParamName;
    add("0123456789", kAlnum | kDigit | kHex);
    add("abcdefABCDEF", kAlnum | kHex);
    add("ghijklmnopqrstuvwxyzGHIJKLMNOPQRSTUVWXYZ", kAlnum);
    add("-.!%*_+`'~", kToken | kParamName);
    add("-_.!~*'()&=+$,;?/", kUserChar);
    add("#[]{}|\\^`", kUserTolerated);
    add("-._", kHostChar);
    add("-_", kHostLabel);
    table[';'] = kUriChar | kUserChar;
    add("[]/:&$", kParamName);
    return table;
}
}  // namespace detail
inline constexpr std::array<std::uint16_t, 256> kCharClass = detail::make_char_classes();

[[nodiscard]] inline bool is(char c, std::uint16_t classes) {
    return (kCharClass[static_cast<unsigned char>(c)] & classes) != 0;
}
// Not empty, and all of it of one of `classes`.
[[nodiscard]] bool all(std::string_view text, std::uint16_t classes);

// No control character; what is behind ASCII counts as text.
[[nodiscard]] inline bool is_printable(std::string_view text) {
    std::uint8_t bad = 0;
    for (const char c : text) {  // without an exit, so that it is done 16 bytes at a time
        const auto byte = static_cast<std::uint8_t>(c);
        bad = static_cast<std::uint8_t>(bad | (byte < ' ') | (byte == 0x7f));
    }
    return bad == 0;
}

[[nodiscard]] inline char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
}
[[nodiscard]] inline bool equals_ci(std::string_view a, std::string_view b) {
    if (a.size() != b.size()) {
        return false;
    }
    if (a == b) {  // nearly always, where it is the same
        return true;
    }
    for (std::size_t i = 0; i < a.size(); ++i) {
        if (lower(a[i]) != lower(b[i])) {
            return false;
        }
    }
    return true;
}
[[nodiscard]] inline bool starts_with_ci(std::string_view text, std::string_view with) {
    return text.size() >= with.size() && equals_ci(text.substr(0, with.size()), with);
}

// White space within a header's value: SP, HT, and the CR LF of a fold. The scan has seen to it
// that a line end inside a value is always a fold's.
[[nodiscard]] inline bool is_lws(char c) {
    constexpr std::uint64_t kLws = 1ull << ' ' | 1ull << '\t' | 1ull << '\r' | 1ull << '\n';
    const auto byte = static_cast<unsigned char>(c);
    return byte <= ' ' && (kLws >> byte & 1) != 0;  // mostly the first question is the last
}
// By pointers: a view that changes in a loop is kept in memory, and read back before it can be.
[[nodiscard]] inline std::string_view trim_front(std::string_view text) {
    const char* begin = text.data();
    const char* const end = begin + text.size();
    while (begin != end && is_lws(*begin)) {
        ++begin;
    }
    return {begin, static_cast<std::size_t>(end - begin)};
}
[[nodiscard]] inline std::string_view trim_back(std::string_view text) {
    const char* const begin = text.data();
    const char* end = begin + text.size();
    while (end != begin && is_lws(end[-1])) {
        --end;
    }
    return {begin, static_cast<std::size_t>(end - begin)};
}
[[nodiscard]] inline std::string_view trim(std::string_view text) {
    return trim_back(trim_front(text));
}

// Digits alone, one at least. What is larger than `max` gives `max` and `overflow` true: the caller
// decides whether that is an error (Content-Length, CSeq) or a limit (expires).
struct Decimal {
    std::uint32_t value;
    bool overflow;
};
[[nodiscard]] bool parse_decimal(std::string_view text, std::uint32_t max, Decimal& out);

}  // namespace pinhole::sip
