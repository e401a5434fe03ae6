// SPDX-License-Identifier: BSD-3-Clause
#include "control/escape/escape.h"

#include <algorithm>
#include <array>
#include <cstdint>

namespace pinhole::escape {
namespace {

struct Range {
    char32_t first;
    char32_t last;
};
// Unicode's Cc, Cf, Zl and Zp, as far as a terminal or a reader may be misled by them.
constexpr std::array kHidden{Range{0x00, 0x1f},     Range{0x7f, 0x9f},      Range{0xad, 0xad},
                             Range{0x61c, 0x61c},   Range{0x180e, 0x180e},  Range{0x200b, 0x200f},
                             Range{0x2028, 0x202e}, Range{0x2060, 0x206f},  Range{0xfeff, 0xfeff},
                             Range{0xfff9, 0xfffb}, Range{0xe0000, 0xe0fff}};

struct Decoded {
    char32_t point = 0;
    std::size_t bytes = 0;  // 0: no UTF-8
};

// RFC 3629: the shortest form alone, no surrogates, nothing past U+10FFFF.
Decoded decode(std::string_view text) {
    const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
    const std::uint8_t lead = byte(0);
    if (lead < 0x80) {
        return {lead, 1};
    }
    const std::size_t bytes = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    if (lead < 0xc2 || lead > 0xf4 || text.size() < bytes) {
        return {};
    }
    char32_t point = lead & (0xffU >> (bytes + 1));
    for (std::size_t i = 1; i < bytes; ++i) {
        if ((byte(i) & 0xc0U) != 0x80) {
            return {};
        }
        point = point << 6 | (byte(i) & 0x3fU);
    }
    constexpr std::array<char32_t, 5> kLeast{0, 0, 0x80, 0x800, 0x10000};
    const bool surrogate = point >= 0xd800 && point <= 0xdfff;
    return point < kLeast[bytes] || surrogate || point > 0x10ffff ? Decoded{}
                                                                  : Decoded{point, bytes};
}

bool is_hidden(char32_t point) {
    return std::any_of(kHidden.begin(), kHidden.end(), [&](const Range& range) {
        return point >= range.first && point <= range.last;
    });
}

}  // namespace

std::string printable(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    while (!text.empty()) {
        const Decoded next = decode(text);
        if (next.bytes == 0 || is_hidden(next.point)) {
            out += '?';
        } else {
            out += text.substr(0, next.bytes);
        }
        text.remove_prefix(std::max<std::size_t>(next.bytes, 1));
    }
    return out;
}

}  // namespace pinhole::escape
