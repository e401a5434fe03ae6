// SPDX-License-Identifier: BSD-3-Clause
// The walk over the masks: one step a line end. A line's colon is the first colon bit at or behind
// its start; a line that goes on past a mask word, or past a chunk, carries its start and "no colon
// yet" along.
#include "dataplane/sip/scan.h"

#include "dataplane/sip/scan_masks.h"

#include <array>

namespace pinhole::sip {
namespace {

constexpr std::uint32_t kNever = ~std::uint32_t{0};

// Place of the lowest bit; there is one. (std::countr_zero() asks whether there is.)
[[gnu::always_inline]] inline unsigned lowest(std::uint64_t bits) {
    return static_cast<unsigned>(__builtin_ctzll(bits));
}

struct Walk {
    std::uint32_t count = 0;               // lines.count, in a register
    std::uint32_t colon = kNoColon;        // of the line under way
    std::uint64_t cr_carry = 0;            // the byte before this word was a CR
    std::uint32_t first_stray = kNever;    // byte behind the first CR that ends no line
    std::uint32_t first_bare_lf = kNever;  // the first LF without CR before it
    bool folded = false;
};

// Where CR and LF don't come in pairs. Rare, and only what stands before the body matters, which
// isn't known yet: so the first place is kept.
[[gnu::always_inline]] inline void note_unpaired(Walk& walk, std::uint64_t newline,
                                                 std::uint64_t cr, std::size_t base) {
    const std::uint64_t behind_cr = cr << 1 | walk.cr_carry;
    walk.cr_carry = cr >> 63;
    const std::uint64_t unpaired = behind_cr ^ newline;
    if (unpaired == 0) {
        return;
    }
    const std::uint64_t stray = unpaired & behind_cr;
    const std::uint64_t bare = unpaired & newline;
    if (stray != 0 && walk.first_stray == kNever) {
        walk.first_stray = static_cast<std::uint32_t>(base) + lowest(stray);
    }
    if (bare != 0 && walk.first_bare_lf == kNever) {
        walk.first_bare_lf = static_cast<std::uint32_t>(base) + lowest(bare);
    }
}

// The line under way ends, and the next begins at `next`. True: the scan is over.
[[gnu::always_inline]] inline bool end_line(Walk& walk, std::string_view datagram, std::size_t next,
                                            Lines& lines) {
    const char c = next < datagram.size() ? datagram[next] : 'x';
    if (c == ' ' || c == '\t') {
        walk.folded = true;
        return false;
    }
    if (walk.count == kMaxLines) [[unlikely]] {
        lines.too_many = true;
        return true;
    }
    lines.colon[walk.count] = static_cast<std::uint16_t>(walk.colon);
    lines.start[++walk.count] = static_cast<std::uint16_t>(next);
    walk.colon = kNoColon;
    const bool crlf = c == '\r' && next + 1 < datagram.size() && datagram[next + 1] == '\n';
    if (crlf || c == '\n') {
        lines.complete = true;
        lines.body = static_cast<std::uint16_t>(next + (crlf ? 2 : 1));
        return true;
    }
    return false;
}

// One mask word; `base` is the offset of its first byte. True: the scan is over.
[[gnu::always_inline]] inline bool walk_word(Walk& walk, std::string_view datagram,
                                             std::size_t base, std::uint64_t newline,
                                             std::uint64_t colon, Lines& lines) {
    for (;;) {
        const std::uint64_t end = newline & -newline;  // the lowest line end, or 0
        const std::uint64_t mine = colon & (end - 1);  // colons before it: all if there is none
        if (walk.colon == kNoColon && mine != 0) {
            walk.colon = static_cast<std::uint32_t>(base) + lowest(mine);
        }
        if (end == 0) {
            return false;
        }
        const std::size_t at = base + lowest(end);
        if (end_line(walk, datagram, at + 1, lines)) {
            return true;
        }
        newline ^= end;
        colon &= ~(end - 1);
    }
}

void finish(const Walk& walk, std::string_view datagram, Lines& lines) {
    const std::size_t head = lines.complete ? lines.body : datagram.size();
    lines.count = static_cast<std::uint16_t>(walk.count);
    lines.stray_cr = walk.first_stray <= head;
    // The walk ends before the empty line, whose LF may stand in a word that it has not seen.
    const bool bare_end = lines.complete && datagram[head - 2] != '\r';
    lines.plain = !walk.folded && !lines.stray_cr && !bare_end && walk.first_bare_lf >= head;
}

template <void (*kMasks)(const char*, std::size_t, ScanMasks&)>
[[gnu::always_inline]] inline void scan(std::string_view datagram, Lines& lines) {
    lines.body = 0;
    lines.start[0] = 0;
    lines.complete = lines.too_many = false;
    Walk walk;
    bool over = false;
    for (std::size_t base = 0; base < datagram.size() && !over; base += kScanChunk) {
        const std::size_t left = datagram.size() - base;
        const std::size_t len = left < kScanChunk ? left : kScanChunk;
        ScanMasks masks;
        kMasks(datagram.data() + base, len, masks);
        for (std::size_t word = 0; word * 64 < len && !over; ++word) {
            const std::size_t at = base + word * 64;
            note_unpaired(walk, masks.newline[word], masks.cr[word], at);
            over = walk_word(walk, datagram, at, masks.newline[word], masks.colon[word], lines);
        }
    }
    finish(walk, datagram, lines);
}

// Each wrapper compiles the walk anew, for the instructions that its masks have: the walk lives on
// bit operations.
void scan_scalar(std::string_view datagram, Lines& lines) {
    scan<masks_scalar>(datagram, lines);
}
#if defined(__x86_64__)
__attribute__((target("avx2,bmi,bmi2"))) void scan_avx2(std::string_view datagram, Lines& lines) {
    scan<masks_avx2>(datagram, lines);
}
__attribute__((target("avx512f,avx512bw,bmi,bmi2"))) void scan_avx512(std::string_view datagram,
                                                                      Lines& lines) {
    scan<masks_avx512>(datagram, lines);
}
#endif

struct Variants {
    std::array<ScanVariant, 3> list{};
    std::size_t count = 0;

    Variants() {
        list[count++] = {"scalar", &scan_scalar};
#if defined(__x86_64__)
        __builtin_cpu_init();
        const bool bmi = __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2");
        if (bmi && __builtin_cpu_supports("avx2")) {
            list[count++] = {"avx2", &scan_avx2};
        }
        if (bmi && __builtin_cpu_supports("avx512bw")) {
            list[count++] = {"avx512", &scan_avx512};
        }
#endif
    }
    [[nodiscard]] const ScanVariant& best() const { return list[count - 1]; }
};

const Variants& variants() {
    static const Variants all;
    return all;
}

// Before main(): a worker finds it set, and no worker ever writes it.
void (*const kBest)(std::string_view, Lines&) = variants().best().scan;

}  // namespace

void scan_lines(std::string_view datagram, Lines& lines) {
    kBest(datagram, lines);
}

std::span<const ScanVariant> scan_variants() {
    return {variants().list.data(), variants().count};
}

const char* scan_variant_in_use() {
    return variants().best().name;
}

}  // namespace pinhole::sip
