// SPDX-License-Identifier: BSD-3-Clause
// The hash algorithms of digest authentication (RFC 7616 §6.1, RFC 8760 §2.1), by number. Pure; any
// thread.
#pragma once

#include "dataplane/sip/text.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace pinhole::auth {

enum class Algorithm : std::uint8_t { kMd5, kSha256, kSha512_256, kCount };
inline constexpr std::size_t kAlgorithms = static_cast<std::size_t>(Algorithm::kCount);
inline constexpr std::array<std::string_view, kAlgorithms> kAlgorithmNames{"MD5", "SHA-256",
                                                                           "SHA-512-256"};
inline constexpr std::size_t kMaxHashBytes = 32;

[[nodiscard]] constexpr std::size_t hash_bytes(Algorithm algorithm) {
    return algorithm == Algorithm::kMd5 ? 16 : 32;
}
[[nodiscard]] constexpr std::string_view name_of(Algorithm algorithm) {
    return kAlgorithmNames[static_cast<std::size_t>(algorithm)];
}
// Any case. None: another one, a session variant ("-sess") too.
[[nodiscard]] inline std::optional<Algorithm> algorithm_of(std::string_view name) {
    for (std::size_t i = 0; i < kAlgorithms; ++i) {
        if (sip::equals_ci(name, kAlgorithmNames[i])) {
            return static_cast<Algorithm>(i);
        }
    }
    return std::nullopt;
}

}  // namespace pinhole::auth
