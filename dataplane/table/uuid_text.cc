// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/table/uuid_text.h"

#include <array>
#include <cstring>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace pinhole::table {
namespace {

using Digits = std::array<char, 2 * kUuidBytes>;

#if defined(__SSE2__)
// Sixteen numbers below 16 as digits; `gap` lies between '9' and the first letter.
inline __m128i digits_of(__m128i numbers, __m128i gap) {
    const __m128i letter = _mm_cmpgt_epi8(numbers, _mm_set1_epi8(9));
    return _mm_add_epi8(_mm_add_epi8(numbers, _mm_set1_epi8('0')), _mm_and_si128(letter, gap));
}

inline void write_digits(const char* bytes, HexCase letters, char* to) {
    const __m128i low_half = _mm_set1_epi8(15);
    const __m128i gap = _mm_set1_epi8(letters == HexCase::kLower ? 'a' - '9' - 1 : 'A' - '9' - 1);
    const __m128i all = _mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes));
    const __m128i high = _mm_and_si128(_mm_srli_epi16(all, 4), low_half);
    const __m128i low = _mm_and_si128(all, low_half);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to), digits_of(_mm_unpacklo_epi8(high, low), gap));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to + 16),
                     digits_of(_mm_unpackhi_epi8(high, low), gap));
}
#else
inline void write_digits(const char* bytes, HexCase letters, char* to) {
    uuid_digits_scalar(bytes, letters, to);
}
#endif

}  // namespace

void uuid_digits(const char* bytes, HexCase letters, char* to) {
    write_digits(bytes, letters, to);
}

void uuid_digits_scalar(const char* bytes, HexCase letters, char* to) {
    const char* const digits = letters == HexCase::kLower ? "0123456789abcdef" : "0123456789ABCDEF";
    for (std::size_t i = 0; i < kUuidBytes; ++i) {
        const auto byte = static_cast<unsigned char>(bytes[i]);
        to[2 * i] = digits[byte >> 4];
        to[2 * i + 1] = digits[byte & 15];
    }
}

// Between the text and its digits alone, without a call: all sizes are known.
void read_uuid(const char* text, char* bytes) {
    Digits digits;
    char* const d = digits.data();
    std::memcpy(d, text, 8);
    std::memcpy(d + 8, text + 9, 4);
    std::memcpy(d + 12, text + 14, 4);
    std::memcpy(d + 16, text + 19, 4);
    std::memcpy(d + 20, text + 24, 12);
    // Of letters of either case the low bits are 1 to 6.
    const auto value = [](char c) { return (c & 15) + ((c & 64) != 0 ? 9 : 0); };
    for (std::size_t i = 0; i < kUuidBytes; ++i) {
        bytes[i] = static_cast<char>(value(d[2 * i]) << 4 | value(d[2 * i + 1]));
    }
}

void write_uuid(const char* bytes, HexCase letters, char* to) {
    Digits digits;
    write_digits(bytes, letters, digits.data());
    const char* const d = digits.data();
    std::memcpy(to, d, 8);
    std::memcpy(to + 9, d + 8, 4);
    std::memcpy(to + 14, d + 12, 4);
    std::memcpy(to + 19, d + 16, 4);
    std::memcpy(to + 24, d + 20, 12);
    to[8] = to[13] = to[18] = to[23] = '-';
}

bool is_uuid(const char* bytes, HexCase letters, const char* text) {
    Digits digits;
    write_digits(bytes, letters, digits.data());
    const char* const d = digits.data();
    return std::memcmp(text, d, 8) == 0 && std::memcmp(text + 9, d + 8, 4) == 0 &&
           std::memcmp(text + 14, d + 12, 4) == 0 && std::memcmp(text + 19, d + 16, 4) == 0 &&
           std::memcmp(text + 24, d + 20, 8) == 0 && std::memcmp(text + 32, d + 28, 4) == 0 &&
           text[8] == '-' && text[13] == '-' && text[18] == '-' && text[23] == '-';
}

}  // namespace pinhole::table
