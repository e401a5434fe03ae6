// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/sip/text.h"

namespace pinhole::sip {

bool all(std::string_view text, std::uint16_t classes) {
    for (const char c : text) {
        if (!is(c, classes)) {
            return false;
        }
    }
    return !text.empty();
}

bool parse_decimal(std::string_view text, std::uint32_t max, Decimal& out) {
    if (text.empty()) {
        return false;
    }
    std::uint64_t value = 0;
    out.overflow = false;
    if (text.size() <= 9) {  // nearly always: no digit can wrap it
        for (const char c : text) {
            const unsigned digit = static_cast<unsigned char>(c) - unsigned{'0'};
            if (digit > 9) {
                return false;
            }
            value = value * 10 + digit;
        }
        out.overflow = value > max;
        out.value = out.overflow ? max : static_cast<std::uint32_t>(value);
        return true;
    }
    for (const char c : text) {
        if (!is(c, kDigit)) {
            return false;
        }
        value = value * 10 + static_cast<unsigned>(c - '0');
        if (value > max) {
            out.overflow = true;
            value = max;  // stays below 2^32, so that no number of digits can wrap it
        }
    }
    out.value = out.overflow ? max : static_cast<std::uint32_t>(value);
    return true;
}

}  // namespace pinhole::sip
