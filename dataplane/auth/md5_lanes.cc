// SPDX-License-Identifier: BSD-3-Clause
// A lane's words lie beside those of the other lanes, so that each step is one operation on all of
// them. Lanes whose message has ended keep what they have while the longer ones go on.
#include "dataplane/auth/md5_lanes.h"

#include <algorithm>
#include <bit>
#include <cstring>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace pinhole::auth {
namespace {

static_assert(std::endian::native == std::endian::little, "MD5's words are little-endian");

constexpr std::size_t kBlock = 64;
constexpr std::array<std::uint32_t, 4> kInitial{0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476};

// floor(2^32 * |sin(i + 1)|) (RFC 1321 §3.4).
constexpr std::array<std::uint32_t, 64> kSine{
    0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee, 0xf57c0faf, 0x4787c62a, 0xa8304613, 0xfd469501,
    0x698098d8, 0x8b44f7af, 0xffff5bb1, 0x895cd7be, 0x6b901122, 0xfd987193, 0xa679438e, 0x49b40821,
    0xf61e2562, 0xc040b340, 0x265e5a51, 0xe9b6c7aa, 0xd62f105d, 0x02441453, 0xd8a1e681, 0xe7d3fbc8,
    0x21e1cde6, 0xc33707d6, 0xf4d50d87, 0x455a14ed, 0xa9e3e905, 0xfcefa3f8, 0x676f02d9, 0x8d2a4c8a,
    0xfffa3942, 0x8771f681, 0x6d9d6122, 0xfde5380c, 0xa4beea44, 0x4bdecfa9, 0xf6bb4b60, 0xbebfbc70,
    0x289b7ec6, 0xeaa127fa, 0xd4ef3085, 0x04881d05, 0xd9d4d039, 0xe6db99e5, 0x1fa27cf8, 0xc4ac5665,
    0xf4292244, 0x432aff97, 0xab9423a7, 0xfc93a039, 0x655b59c3, 0x8f0ccc92, 0xffeff47d, 0x85845dd1,
    0x6fa87e4f, 0xfe2ce6e0, 0xa3014314, 0x4e0811a1, 0xf7537e82, 0xbd3af235, 0x2ad7d2bb, 0xeb86d391};

constexpr int shift_of(int step) {
    constexpr int kShifts[4][4] = {
        {7, 12, 17, 22}, {5, 9, 14, 20}, {4, 11, 16, 23}, {6, 10, 15, 21}};
    return kShifts[step / 16][step % 4];
}
// Which word of the block a step takes.
constexpr int word_of(int step) {
    switch (step / 16) {
        case 0:
            return step;
        case 1:
            return (5 * step + 1) % 16;
        case 2:
            return (3 * step + 5) % 16;
        default:
            return 7 * step % 16;
    }
}

constexpr std::size_t kMaxPadding = 72;
static_assert(sizeof(Md5Message::text) >= Md5Message::kMaxBytes + kMaxPadding);

// RFC 1321 §3.1 and §3.2; returns the number of blocks.
std::uint32_t pad(Md5Message& message) {
    char* end = message.text.data() + message.size;
    const std::uint32_t blocks = (message.size + 8) / kBlock + 1;
    std::memset(end, 0, kMaxPadding);  // in place, being of one length
    *end = static_cast<char>(0x80);
    const std::uint64_t bits = std::uint64_t{message.size} * 8;
    std::memcpy(message.text.data() + blocks * kBlock - 8, &bits, 8);
    return blocks;
}

void block_scalar(const char* text, std::array<std::uint32_t, 4>& state) {
    std::array<std::uint32_t, 16> words;
    std::memcpy(words.data(), text, kBlock);
    auto [a, b, c, d] = state;
#pragma GCC unroll 64
    for (int i = 0; i < 64; ++i) {
        std::uint32_t f;
        if (i < 16) {
            f = (b & c) | (~b & d);
        } else if (i < 32) {
            f = (d & b) | (~d & c);
        } else if (i < 48) {
            f = b ^ c ^ d;
        } else {
            f = c ^ (b | ~d);
        }
        const std::uint32_t sum = a + f + kSine[i] + words[word_of(i)];
        a = d;
        d = c;
        c = b;
        b += std::rotl(sum, shift_of(i));
    }
    state[0] += a;
    state[1] += b;
    state[2] += c;
    state[3] += d;
}

void many_scalar(std::span<Md5Message* const> messages) {
    for (Md5Message* message : messages) {
        auto state = kInitial;
        const std::uint32_t blocks = pad(*message);
        for (std::uint32_t n = 0; n < blocks; ++n) {
            block_scalar(message->text.data() + n * kBlock, state);
        }
        std::memcpy(message->digest.data(), state.data(), 16);
    }
}

#if defined(__x86_64__)

// What a group of lanes is worked on in.
template <std::size_t kLanes>
struct Lanes {
    alignas(64) std::uint32_t state[4][kLanes];
    alignas(64) std::uint32_t blocks[kLanes];  // of each message; 0: no message
    const char* text[kLanes];
    std::uint32_t longest = 0;

    explicit Lanes(std::span<Md5Message* const> messages) {
        for (std::size_t lane = 0; lane < kLanes; ++lane) {
            const bool used = lane < messages.size();
            blocks[lane] = used ? pad(*messages[lane]) : 0;
            text[lane] = messages[used ? lane : 0]->text.data();
            longest = std::max(longest, blocks[lane]);
            for (int i = 0; i < 4; ++i) {
                state[i][lane] = kInitial[i];
            }
        }
    }
    // Where a lane's block begins. A message that has ended gives its first again, for nothing.
    [[nodiscard]] const char* at(std::size_t lane, std::uint32_t block) const {
        return text[lane] + (block < blocks[lane] ? block * kBlock : 0);
    }
    void give(std::span<Md5Message* const> messages) const {
        for (std::size_t lane = 0; lane < messages.size(); ++lane) {
            for (std::size_t i = 0; i < 4; ++i) {
                std::memcpy(messages[lane]->digest.data() + 4 * i, &state[i][lane], 4);
            }
        }
    }
};

__attribute__((target("avx2"))) inline __m256i load(const std::uint32_t* from) {
    return _mm256_load_si256(reinterpret_cast<const __m256i*>(from));
}

__attribute__((target("avx2"))) void block_avx2(Lanes<8>& lanes, std::uint32_t block) {
    alignas(32) std::uint32_t words[16][8];
    for (std::size_t lane = 0; lane < 8; ++lane) {
        std::uint32_t row[16];
        std::memcpy(row, lanes.at(lane, block), kBlock);
        for (int i = 0; i < 16; ++i) {
            words[i][lane] = row[i];
        }
    }
    const __m256i ones = _mm256_set1_epi32(-1);
    __m256i a = load(lanes.state[0]);
    __m256i b = load(lanes.state[1]);
    __m256i c = load(lanes.state[2]);
    __m256i d = load(lanes.state[3]);
#pragma GCC unroll 64
    for (int i = 0; i < 64; ++i) {
        __m256i f;
        if (i < 16) {
            f = _mm256_xor_si256(d, _mm256_and_si256(b, _mm256_xor_si256(c, d)));
        } else if (i < 32) {
            f = _mm256_xor_si256(c, _mm256_and_si256(d, _mm256_xor_si256(b, c)));
        } else if (i < 48) {
            f = _mm256_xor_si256(b, _mm256_xor_si256(c, d));
        } else {
            f = _mm256_xor_si256(c, _mm256_or_si256(b, _mm256_xor_si256(d, ones)));
        }
        const __m256i sum = _mm256_add_epi32(
            _mm256_add_epi32(a, f), _mm256_add_epi32(_mm256_set1_epi32(static_cast<int>(kSine[i])),
                                                     load(words[word_of(i)])));
        a = d;
        d = c;
        c = b;
        b = _mm256_add_epi32(b, _mm256_or_si256(_mm256_slli_epi32(sum, shift_of(i)),
                                                _mm256_srli_epi32(sum, 32 - shift_of(i))));
    }
    const __m256i live =
        _mm256_cmpgt_epi32(load(lanes.blocks), _mm256_set1_epi32(static_cast<int>(block)));
    const __m256i change[4] = {a, b, c, d};
    for (int i = 0; i < 4; ++i) {
        const __m256i next =
            _mm256_add_epi32(load(lanes.state[i]), _mm256_and_si256(change[i], live));
        _mm256_store_si256(reinterpret_cast<__m256i*>(lanes.state[i]), next);
    }
}

// The functions of the four rounds as truth tables of (b, c, d).
constexpr int kSelectByB = 0xca;
constexpr int kSelectByD = 0xe4;
constexpr int kParity = 0x96;
constexpr int kLast = 0x39;
// With a mask, though it leaves out nothing: the plain intrinsic begins with a value that gcc 12
// takes for one forgotten.
constexpr __mmask16 kAll = 0xffff;

// Turns sixteen words of sixteen lanes each into sixteen lanes of each word: by pairs of words, by
// fours, and last by the quarters of a register.
__attribute__((target("avx512f"))) inline void turn(__m512i (&rows)[16]) {
    constexpr int kEven = 0x88;
    constexpr int kOdd = 0xdd;
    __m512i pairs[16];
    for (int i = 0; i < 16; i += 2) {
        pairs[i] = _mm512_maskz_unpacklo_epi32(kAll, rows[i], rows[i + 1]);
        pairs[i + 1] = _mm512_maskz_unpackhi_epi32(kAll, rows[i], rows[i + 1]);
    }
    __m512i fours[4][4];  // [c][g]: words c, 4 + c, 8 + c and 12 + c of lanes 4g and on
    for (std::size_t g = 0; g < 4; ++g) {
        const __m512i* from = &pairs[4 * g];
        fours[0][g] = _mm512_maskz_unpacklo_epi64(0xff, from[0], from[2]);
        fours[1][g] = _mm512_maskz_unpackhi_epi64(0xff, from[0], from[2]);
        fours[2][g] = _mm512_maskz_unpacklo_epi64(0xff, from[1], from[3]);
        fours[3][g] = _mm512_maskz_unpackhi_epi64(0xff, from[1], from[3]);
    }
    for (int c = 0; c < 4; ++c) {
        const auto& [g0, g1, g2, g3] = fours[c];
        const __m512i low_even = _mm512_maskz_shuffle_i32x4(kAll, g0, g1, kEven);
        const __m512i low_odd = _mm512_maskz_shuffle_i32x4(kAll, g0, g1, kOdd);
        const __m512i high_even = _mm512_maskz_shuffle_i32x4(kAll, g2, g3, kEven);
        const __m512i high_odd = _mm512_maskz_shuffle_i32x4(kAll, g2, g3, kOdd);
        rows[c] = _mm512_maskz_shuffle_i32x4(kAll, low_even, high_even, kEven);
        rows[4 + c] = _mm512_maskz_shuffle_i32x4(kAll, low_odd, high_odd, kEven);
        rows[8 + c] = _mm512_maskz_shuffle_i32x4(kAll, low_even, high_even, kOdd);
        rows[12 + c] = _mm512_maskz_shuffle_i32x4(kAll, low_odd, high_odd, kOdd);
    }
}

__attribute__((target("avx512f"))) void block_avx512(Lanes<16>& lanes, std::uint32_t block) {
    __m512i words[16];
    for (std::size_t lane = 0; lane < 16; ++lane) {
        words[lane] = _mm512_loadu_si512(lanes.at(lane, block));
    }
    turn(words);
    __m512i a = _mm512_load_si512(lanes.state[0]);
    __m512i b = _mm512_load_si512(lanes.state[1]);
    __m512i c = _mm512_load_si512(lanes.state[2]);
    __m512i d = _mm512_load_si512(lanes.state[3]);
#pragma GCC unroll 64
    for (int i = 0; i < 64; ++i) {
        __m512i f;
        if (i < 16) {
            f = _mm512_ternarylogic_epi32(b, c, d, kSelectByB);
        } else if (i < 32) {
            f = _mm512_ternarylogic_epi32(b, c, d, kSelectByD);
        } else if (i < 48) {
            f = _mm512_ternarylogic_epi32(b, c, d, kParity);
        } else {
            f = _mm512_ternarylogic_epi32(b, c, d, kLast);
        }
        const __m512i sum = _mm512_add_epi32(
            _mm512_add_epi32(a, f),
            _mm512_add_epi32(_mm512_set1_epi32(static_cast<int>(kSine[i])), words[word_of(i)]));
        a = d;
        d = c;
        c = b;
        b = _mm512_add_epi32(b, _mm512_maskz_rolv_epi32(kAll, sum, _mm512_set1_epi32(shift_of(i))));
    }
    const __mmask16 live = _mm512_cmpgt_epi32_mask(_mm512_load_si512(lanes.blocks),
                                                   _mm512_set1_epi32(static_cast<int>(block)));
    const __m512i change[4] = {a, b, c, d};
    for (int i = 0; i < 4; ++i) {
        const __m512i before = _mm512_load_si512(lanes.state[i]);
        _mm512_store_si512(lanes.state[i], _mm512_mask_add_epi32(before, live, before, change[i]));
    }
}

template <std::size_t kLanes, void (*kBlockOf)(Lanes<kLanes>&, std::uint32_t)>
void many_lanes(std::span<Md5Message* const> messages) {
    while (!messages.empty()) {
        const auto group = messages.first(std::min(messages.size(), kLanes));
        messages = messages.subspan(group.size());
        if (group.size() == 1) {  // lanes alone cost more than they save
            many_scalar(group);
            continue;
        }
        Lanes<kLanes> lanes(group);
        for (std::uint32_t block = 0; block < lanes.longest; ++block) {
            kBlockOf(lanes, block);
        }
        lanes.give(group);
    }
}
#endif

struct Variants {
    std::array<Md5Variant, 3> list{};
    std::size_t count = 0;

    Variants() {
        list[count++] = {"scalar", &many_scalar};
#if defined(__x86_64__)
        __builtin_cpu_init();
        if (__builtin_cpu_supports("avx2")) {
            list[count++] = {"avx2", &many_lanes<8, block_avx2>};
        }
        if (__builtin_cpu_supports("avx512f")) {
            list[count++] = {"avx512", &many_lanes<16, block_avx512>};
        }
#endif
    }
    [[nodiscard]] const Md5Variant& best() const { return list[count - 1]; }
};

const Variants& variants() {
    static const Variants all;
    return all;
}

// Before main(): a worker finds it set, and no worker ever writes it.
void (*const kBest)(std::span<Md5Message* const>) = variants().best().many;

}  // namespace

void md5_many(std::span<Md5Message* const> messages) {
    kBest(messages);
}

std::span<const Md5Variant> md5_variants() {
    return {variants().list.data(), variants().count};
}

const char* md5_variant_in_use() {
    return variants().best().name;
}

}  // namespace pinhole::auth
