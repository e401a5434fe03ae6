// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/sip/scan_masks.h"

#include <cstring>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace pinhole::sip {

void masks_scalar(const char* data, std::size_t len, ScanMasks& out) {
    for (std::size_t base = 0; base < len; base += 64) {
        const std::size_t n = len - base < 64 ? len - base : 64;
        std::uint64_t newline = 0;
        std::uint64_t colon = 0;
        std::uint64_t cr = 0;
        for (std::size_t i = 0; i < n; ++i) {
            const char c = data[base + i];
            newline |= std::uint64_t{c == '\n'} << i;
            colon |= std::uint64_t{c == ':'} << i;
            cr |= std::uint64_t{c == '\r'} << i;
        }
        out.newline[base / 64] = newline;
        out.colon[base / 64] = colon;
        out.cr[base / 64] = cr;
    }
}

#if defined(__x86_64__)
namespace {

__attribute__((target("avx2"))) inline std::uint64_t equal_avx2(__m256i low, __m256i high,
                                                                __m256i c) {
    const auto l = static_cast<std::uint32_t>(_mm256_movemask_epi8(_mm256_cmpeq_epi8(low, c)));
    const auto h = static_cast<std::uint32_t>(_mm256_movemask_epi8(_mm256_cmpeq_epi8(high, c)));
    return std::uint64_t{h} << 32 | l;
}

__attribute__((target("avx2"))) inline void block_avx2(const char* data, std::size_t word,
                                                       ScanMasks& out) {
    const __m256i low = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(data));
    const __m256i high = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(data + 32));
    out.newline[word] = equal_avx2(low, high, _mm256_set1_epi8('\n'));
    out.colon[word] = equal_avx2(low, high, _mm256_set1_epi8(':'));
    out.cr[word] = equal_avx2(low, high, _mm256_set1_epi8('\r'));
}

}  // namespace

__attribute__((target("avx2"))) void masks_avx2(const char* data, std::size_t len, ScanMasks& out) {
    std::size_t word = 0;
    for (; len >= 64; len -= 64, data += 64) {
        block_avx2(data, word++, out);
    }
    if (len != 0) {
        char last[64] = {};
        std::memcpy(last, data, len);
        block_avx2(last, word, out);
    }
}

__attribute__((target("avx512f,avx512bw"))) void masks_avx512(const char* data, std::size_t len,
                                                              ScanMasks& out) {
    const __m512i newline = _mm512_set1_epi8('\n');
    const __m512i colon = _mm512_set1_epi8(':');
    const __m512i cr = _mm512_set1_epi8('\r');
    for (std::size_t base = 0; base < len; base += 64) {
        // A masked load touches no byte that its mask leaves out, so the end needs no copy.
        const std::size_t n = len - base;
        const __mmask64 live = n >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << n) - 1;
        const __m512i bytes = _mm512_maskz_loadu_epi8(live, data + base);
        out.newline[base / 64] = _mm512_cmpeq_epi8_mask(bytes, newline);
        out.colon[base / 64] = _mm512_cmpeq_epi8_mask(bytes, colon);
        out.cr[base / 64] = _mm512_cmpeq_epi8_mask(bytes, cr);
    }
}
#endif

}  // namespace pinhole::sip
