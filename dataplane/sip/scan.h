// SPDX-License-Identifier: BSD-3-Clause
// The first pass over a message: where lines begin, where their first colon is, where the body
// begins. Bit masks of
// '\n', ':' and '\r' are made a kilobyte at a time by the widest instructions the machine has
// (scalar, AVX2, AVX-512; picked once at start), then walked. Folded lines (obs-fold: a line that
// begins with SP or HT) are one line. A line ends with CRLF or, as real phones have it, with LF
// alone; a CR alone is never right in a head, and where one stack takes it for a line end and
// another doesn't, headers can be smuggled, so its place is reported. Pure; any thread; reads no
// byte past the end.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace pinhole::sip {

inline constexpr std::size_t kMaxDatagram = 65535;  // offsets are 16 bits
inline constexpr std::size_t kMaxLines = 97;        // the start line and 96 headers
inline constexpr std::uint16_t kNoColon = 0xffff;

struct Lines {
    std::uint16_t count;  // complete lines before the empty one
    std::uint16_t body;   // offset behind the empty line; only if `complete`
    bool complete;        // the empty line was found
    bool too_many;        // there were more than kMaxLines; the first kMaxLines stand here
    bool stray_cr;        // a CR without LF before the body
    bool plain;           // every line ends with CRLF and none is folded
    std::uint16_t start[kMaxLines + 1];  // start[count] is the offset behind the last line
    std::uint16_t colon[kMaxLines];      // kNoColon where the line has none
};

// `datagram` is at most kMaxDatagram bytes and begins with the start line. `lines` needs no initial
// value.
void scan_lines(std::string_view datagram, Lines& lines);

// For tests and benchmarks: the variants that this machine can run, the scalar reference first.
struct ScanVariant {
    const char* name;
    void (*scan)(std::string_view datagram, Lines& lines);
};
[[nodiscard]] std::span<const ScanVariant> scan_variants();
// The name of the one that scan_lines() uses.
[[nodiscard]] const char* scan_variant_in_use();

}  // namespace pinhole::sip
