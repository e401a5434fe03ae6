// SPDX-License-Identifier: BSD-3-Clause
// The part of the scan that instruction sets differ in: bytes to bit masks. Pure; any thread.
#pragma once

#include <cstddef>
#include <cstdint>

namespace pinhole::sip {

inline constexpr std::size_t kScanChunk = 1024;  // the head of nearly every REGISTER

// One bit a byte, the first byte the lowest bit; bits past the end are 0.
struct ScanMasks {
    std::uint64_t newline[kScanChunk / 64];
    std::uint64_t colon[kScanChunk / 64];
    std::uint64_t cr[kScanChunk / 64];
};

// `len` is 1 to kScanChunk; as many words are written as that takes. No byte past the end is read.
void masks_scalar(const char* data, std::size_t len, ScanMasks& out);
#if defined(__x86_64__)
void masks_avx2(const char* data, std::size_t len, ScanMasks& out);
void masks_avx512(const char* data, std::size_t len, ScanMasks& out);
#endif

}  // namespace pinhole::sip
