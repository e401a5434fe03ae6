// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/table/aor_hash.h"

// Making a secret from a seed is in the part of xxHash that promises no stable ABI.
#define XXH_STATIC_LINKING_ONLY
#include <xxhash.h>

namespace pinhole::table {

KeyedHash::KeyedHash(std::span<const std::byte, kSeedBytes> seed, std::uint64_t mask)
    : mask_(mask) {
    XXH3_generateSecret(secret_.data(), secret_.size(), seed.data(), seed.size());
}

}  // namespace pinhole::table
