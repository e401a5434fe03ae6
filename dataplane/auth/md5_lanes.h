// SPDX-License-Identifier: BSD-3-Clause
// MD5 (RFC 1321) of many short messages at once: a message a lane, eight (AVX2) or sixteen
// (AVX-512) at a time, picked once at start. MD5 is a chain of 64 steps; one message leaves a core
// half idle, and the next messages of the burst fill it. Pure; any thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

namespace pinhole::auth {

// A message and room for its padding. The digest is written to `digest`.
struct alignas(64) Md5Message {
    static constexpr std::size_t kMaxBytes = 1024 - 64;

    std::array<char, kMaxBytes + 72> text;  // no initial value
    std::uint32_t size = 0;
    std::array<std::uint8_t, 16> digest;

    // False: too long; nothing was added.
    [[nodiscard]] bool add(std::string_view part) {
        if (part.size() > kMaxBytes - size) {
            return false;
        }
        if (!part.empty()) {  // an empty view may point nowhere
            std::memcpy(text.data() + size, part.data(), part.size());
            size += static_cast<std::uint32_t>(part.size());
        }
        return true;
    }
    [[nodiscard]] std::string_view view() const { return {text.data(), size}; }
};

// The text is padded in place.
void md5_many(std::span<Md5Message* const> messages);

// For tests and benchmarks: the variants that this machine can run, the scalar reference first.
struct Md5Variant {
    const char* name;
    void (*many)(std::span<Md5Message* const> messages);
};
[[nodiscard]] std::span<const Md5Variant> md5_variants();
// The name of the one that md5_many() uses.
[[nodiscard]] const char* md5_variant_in_use();

}  // namespace pinhole::auth
