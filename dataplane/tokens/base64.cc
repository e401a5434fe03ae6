// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/tokens/base64.h"

#include <array>

namespace pinhole::tokens {
namespace {

constexpr std::string_view kLetters =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::uint8_t kForeign = 0xff;

constexpr std::array<std::uint8_t, 256> make_values() {
    std::array<std::uint8_t, 256> values{};
    for (auto& value : values) {
        value = kForeign;
    }
    for (std::size_t i = 0; i < kLetters.size(); ++i) {
        values[static_cast<unsigned char>(kLetters[i])] = static_cast<std::uint8_t>(i);
    }
    return values;
}
constexpr std::array<std::uint8_t, 256> kValues = make_values();

}  // namespace

std::size_t base64_encode(std::span<const std::uint8_t> bytes, char* out) {
    char* at = out;
    std::size_t i = 0;
    for (; i + 3 <= bytes.size(); i += 3) {
        const std::uint32_t bits = std::uint32_t{bytes[i]} << 16 | bytes[i + 1] << 8 | bytes[i + 2];
        *at++ = kLetters[bits >> 18];
        *at++ = kLetters[bits >> 12 & 63];
        *at++ = kLetters[bits >> 6 & 63];
        *at++ = kLetters[bits & 63];
    }
    if (const std::size_t left = bytes.size() - i; left != 0) {
        const std::uint32_t bits =
            std::uint32_t{bytes[i]} << 16 | (left == 2 ? bytes[i + 1] << 8 : 0);
        *at++ = kLetters[bits >> 18];
        *at++ = kLetters[bits >> 12 & 63];
        if (left == 2) {
            *at++ = kLetters[bits >> 6 & 63];
        }
    }
    return static_cast<std::size_t>(at - out);
}

std::optional<std::size_t> base64_decode(std::string_view text, std::span<std::uint8_t> out) {
    if (text.size() % 4 == 1 || text.size() * 6 / 8 > out.size()) {
        return std::nullopt;
    }
    const auto value = [&](std::size_t i) -> std::uint32_t {
        return kValues[static_cast<unsigned char>(text[i])];
    };
    // Four letters are three bytes; a foreign one among them shows at the end.
    std::size_t size = 0;
    std::uint32_t all = 0;
    std::size_t i = 0;
    for (; i + 4 <= text.size(); i += 4) {
        const std::uint32_t a = value(i);
        const std::uint32_t b = value(i + 1);
        const std::uint32_t c = value(i + 2);
        const std::uint32_t d = value(i + 3);
        all |= a | b | c | d;
        const std::uint32_t bits = a << 18 | b << 12 | c << 6 | d;
        out[size++] = static_cast<std::uint8_t>(bits >> 16);
        out[size++] = static_cast<std::uint8_t>(bits >> 8);
        out[size++] = static_cast<std::uint8_t>(bits);
    }
    std::uint32_t bits = 0;
    unsigned held = 0;
    for (; i < text.size(); ++i) {
        all |= value(i);
        bits = bits << 6 | value(i);
        held += 6;
        if (held >= 8) {
            held -= 8;
            out[size++] = static_cast<std::uint8_t>(bits >> held);
        }
    }
    if (all > 63 || (bits & ((1u << held) - 1)) != 0) {
        return std::nullopt;
    }
    return size;
}

}  // namespace pinhole::tokens
