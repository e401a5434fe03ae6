// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/net/checksum.h"

#include <array>
#include <numeric>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace pinhole::net {
namespace {

template <typename Word>
Word load(const std::uint8_t* p) {
    Word w;
    std::memcpy(&w, p, sizeof w);
    return w;
}

// 32-bit words into 64 bits: no carry to look after before 2^32 words, and the compiler makes SIMD
// of it. The sum of 16-bit words is the same (RFC 1071 §2 (C)).
std::uint64_t sum_scalar(const std::uint8_t* data, std::size_t len, std::uint64_t start) {
    std::uint64_t sum = start;
    const std::size_t words = len / 4;
    for (std::size_t i = 0; i < words; ++i) {
        sum += load<std::uint32_t>(data + 4 * i);
    }
    data += words * 4;
    if ((len & 2U) != 0) {
        sum += load<std::uint16_t>(data);
        data += 2;
    }
    if ((len & 1U) != 0) {
        sum += *data;
    }
    return sum;
}

#if defined(__x86_64__)
// The low and the high halves of 64-bit words apart; what is left is less than a vector.
__attribute__((target("avx2"))) std::uint64_t sum_avx2(const std::uint8_t* data, std::size_t len,
                                                       std::uint64_t start) {
    const __m256i low = _mm256_set1_epi64x(0xffff'ffff);
    __m256i lows = _mm256_setzero_si256();
    __m256i highs = _mm256_setzero_si256();
    for (; len >= sizeof lows; data += sizeof lows, len -= sizeof lows) {
        const __m256i words = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(data));
        lows = _mm256_add_epi64(lows, _mm256_and_si256(words, low));
        highs = _mm256_add_epi64(highs, _mm256_srli_epi64(words, 32));
    }
    const __m256i four = _mm256_add_epi64(lows, highs);
    const __m128i two =
        _mm_add_epi64(_mm256_castsi256_si128(four), _mm256_extracti128_si256(four, 1));
    const auto sum = static_cast<std::uint64_t>(_mm_cvtsi128_si64(two)) +
                     static_cast<std::uint64_t>(_mm_extract_epi64(two, 1));
    return sum_scalar(data, len, start + sum);
}
__attribute__((target("avx512f,avx512bw"))) std::uint64_t sum_avx512(const std::uint8_t* data,
                                                                     std::size_t len,
                                                                     std::uint64_t start) {
    constexpr __mmask8 kAll = 0xff;  // gcc 12 warns of the forms without a mask
    const __m512i low = _mm512_set1_epi64(0xffff'ffff);
    __m512i sums = _mm512_setzero_si512();
    for (std::size_t at = 0; at < len; at += 64) {
        // A masked load touches no byte that its mask leaves out; an odd last byte is a low one.
        const std::size_t left = len - at;
        const __mmask64 live = left >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << left) - 1;
        const __m512i words = _mm512_maskz_loadu_epi8(live, data + at);
        sums = _mm512_add_epi64(sums, _mm512_and_si512(words, low));
        sums = _mm512_add_epi64(sums, _mm512_maskz_srli_epi64(kAll, words, 32));
    }
    std::array<std::uint64_t, 8> lanes;
    _mm512_storeu_si512(lanes.data(), sums);
    return std::accumulate(lanes.begin(), lanes.end(), start);
}
#endif

struct Variants {
    std::array<SumVariant, 3> list{};
    std::size_t count = 0;

    Variants() {
        list[count++] = {"scalar", &sum_scalar};
#if defined(__x86_64__)
        __builtin_cpu_init();
        if (__builtin_cpu_supports("avx2")) {
            list[count++] = {"avx2", &sum_avx2};
        }
        if (__builtin_cpu_supports("avx512bw")) {
            list[count++] = {"avx512", &sum_avx512};
        }
#endif
    }
};

const Variants& variants() {
    static const Variants all;
    return all;
}

// Before main(): a worker finds it set. The narrower lengths, of headers, are the compiler's.
std::uint64_t (*const kBest)(const std::uint8_t*, std::size_t,
                             std::uint64_t) = variants().list[variants().count - 1].sum;
constexpr std::size_t kWide = 64;

// Unfolded and not inverted. The addresses of IPv4 count as four bytes.
std::uint64_t pseudo_sum(const Address& src, const Address& dst, std::uint16_t udp_len) {
    const std::size_t skip = src.is_v4() ? 12 : 0;
    std::uint64_t sum = __builtin_bswap16(kProtoUdp) + std::uint64_t{__builtin_bswap16(udp_len)};
    sum = raw_sum(src.bytes.data() + skip, src.bytes.size() - skip, sum);
    return raw_sum(dst.bytes.data() + skip, dst.bytes.size() - skip, sum);
}

constexpr std::size_t kUdpChecksumAt = 6;

}  // namespace

std::uint64_t raw_sum(const std::uint8_t* data, std::size_t len, std::uint64_t start) {
    return len < kWide ? sum_scalar(data, len, start) : kBest(data, len, start);
}

std::span<const SumVariant> sum_variants() {
    return {variants().list.data(), variants().count};
}

std::uint16_t fold_sum(std::uint64_t sum) {
    sum = (sum & 0xffffffffU) + (sum >> 32);
    sum = (sum & 0xffffU) + (sum >> 16);
    sum = (sum & 0xffffU) + (sum >> 16);
    sum = (sum & 0xffffU) + (sum >> 16);
    return static_cast<std::uint16_t>(sum);
}

std::uint16_t ipv4_header_checksum(const std::uint8_t* header, std::size_t len) {
    return static_cast<std::uint16_t>(~fold_sum(raw_sum(header, len)));
}

bool ip_header_right(Bytes frame, const Datagram& datagram) {
    if (!datagram.v4) {
        return true;
    }
    const std::size_t len = datagram.l4_offset - datagram.l3_offset;
    return fold_sum(raw_sum(frame.data() + datagram.l3_offset, len)) == 0xffff;
}

std::uint16_t udp_pseudo_sum(const Address& src, const Address& dst, std::uint16_t udp_len) {
    return fold_sum(pseudo_sum(src, dst, udp_len));
}

std::uint16_t udp_checksum(const Address& src, const Address& dst, const std::uint8_t* udp,
                           std::uint16_t udp_len) {
    std::uint64_t sum = raw_sum(udp, kUdpChecksumAt, pseudo_sum(src, dst, udp_len));
    sum = raw_sum(udp + kUdpLen, udp_len - kUdpLen, sum);
    const auto checksum = static_cast<std::uint16_t>(~fold_sum(sum));
    return checksum == 0 ? 0xffff : checksum;
}

UdpChecksum check_udp(Bytes frame, const Datagram& datagram) {
    const std::uint8_t* udp = frame.data() + datagram.l4_offset;
    const auto field = load<std::uint16_t>(udp + kUdpChecksumAt);
    if (field == 0) {
        return datagram.v4 ? UdpChecksum::kZero : UdpChecksum::kZeroOverV6;
    }
    const auto udp_len = static_cast<std::uint16_t>(datagram.payload_len + kUdpLen);
    const std::uint64_t pseudo = pseudo_sum(datagram.src, datagram.dst, udp_len);
    if (fold_sum(raw_sum(udp, udp_len, pseudo)) == 0xffff) {
        return UdpChecksum::kRight;
    }
    return field == fold_sum(pseudo) ? UdpChecksum::kPartial : UdpChecksum::kWrong;
}

}  // namespace pinhole::net
