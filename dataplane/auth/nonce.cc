// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/auth/nonce.h"

#include "dataplane/tokens/base64.h"

#include <xxhash.h>

#include <algorithm>
#include <cstring>
#include <utility>

namespace pinhole::auth {
namespace {

constexpr std::size_t kBytes = 1 + 8 + 8;
static_assert(tokens::base64_chars(kBytes) == NonceText::kChars);

}  // namespace

Nonces::Nonces(std::string realm, std::uint64_t run) : realm_(std::move(realm)) {
    realm_.resize(std::min(realm_.size(), kMaxRealm));
    run_and_realm_ = XXH3_64bits_withSeed(realm_.data(), realm_.size(), run);
}

std::uint64_t Nonces::mac(const tokens::Keys& keys, std::uint8_t key_id, std::uint64_t aor_hash,
                          Stamp stamp) const {
    std::array<std::uint8_t, 24> data;
    std::memcpy(data.data(), &stamp.bits, 8);
    std::memcpy(data.data() + 8, &run_and_realm_, 8);
    std::memcpy(data.data() + 16, &aor_hash, 8);
    return keys.mac(tokens::Purpose::kNonce, key_id, data);
}

NonceText Nonces::make(const tokens::Keys& keys, std::uint64_t aor_hash, Stamp stamp) const {
    std::array<std::uint8_t, kBytes> bytes;
    bytes[0] = keys.current_id();
    const std::uint64_t proof = mac(keys, bytes[0], aor_hash, stamp);
    std::memcpy(bytes.data() + 1, &stamp.bits, 8);
    std::memcpy(bytes.data() + 9, &proof, 8);
    NonceText text;
    tokens::base64_encode(bytes, text.text.data());
    return text;
}

std::optional<Stamp> Nonces::read(const tokens::Keys& keys, std::string_view text,
                                  std::uint64_t aor_hash) const {
    std::array<std::uint8_t, kBytes> bytes;
    if (text.size() != NonceText::kChars || tokens::base64_decode(text, bytes) != kBytes ||
        !keys.knows(bytes[0])) {
        return std::nullopt;
    }
    Stamp stamp;
    std::uint64_t proof = 0;
    std::memcpy(&stamp.bits, bytes.data() + 1, 8);
    std::memcpy(&proof, bytes.data() + 9, 8);
    return proof == mac(keys, bytes[0], aor_hash, stamp) ? std::optional(stamp) : std::nullopt;
}

}  // namespace pinhole::auth
