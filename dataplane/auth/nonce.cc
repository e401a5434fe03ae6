// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/auth/nonce.h"

#include "dataplane/route/base64.h"
#include "dataplane/table/contact.h"

#include <algorithm>
#include <cstring>
#include <span>
#include <utility>

namespace pinhole::auth {
namespace {

constexpr std::size_t kBytes = 1 + 8 + 8;
static_assert(route::base64_chars(kBytes) == NonceText::kChars);

}  // namespace

Nonces::Nonces(std::string realm, std::uint64_t run) : realm_(std::move(realm)), run_(run) {
    realm_.resize(std::min(realm_.size(), kMaxRealm));
}

std::uint64_t Nonces::mac(const route::Keys& keys, std::uint8_t key_id, std::string_view aor,
                          Stamp stamp) const {
    std::array<std::uint8_t, 16 + 1 + kMaxRealm + table::kMaxAorBytes> data;
    std::memcpy(data.data(), &stamp.bits, 8);
    std::memcpy(data.data() + 8, &run_, 8);
    data[16] = static_cast<std::uint8_t>(realm_.size());
    std::copy(realm_.begin(), realm_.end(), data.begin() + 17);
    aor = aor.substr(0, table::kMaxAorBytes);
    std::copy(aor.begin(), aor.end(), data.begin() + 17 + realm_.size());
    return keys.mac(route::Purpose::kNonce, key_id,
                    std::span(data).first(17 + realm_.size() + aor.size()));
}

NonceText Nonces::make(const route::Keys& keys, std::string_view aor, Stamp stamp) const {
    std::array<std::uint8_t, kBytes> bytes;
    bytes[0] = keys.current_id();
    const std::uint64_t proof = mac(keys, bytes[0], aor, stamp);
    std::memcpy(bytes.data() + 1, &stamp.bits, 8);
    std::memcpy(bytes.data() + 9, &proof, 8);
    NonceText text;
    route::base64_encode(bytes, text.text.data());
    return text;
}

std::optional<Stamp> Nonces::read(const route::Keys& keys, std::string_view text,
                                  std::string_view aor) const {
    std::array<std::uint8_t, kBytes> bytes;
    if (text.size() != NonceText::kChars || route::base64_decode(text, bytes) != kBytes ||
        !keys.knows(bytes[0])) {
        return std::nullopt;
    }
    Stamp stamp;
    std::uint64_t proof = 0;
    std::memcpy(&stamp.bits, bytes.data() + 1, 8);
    std::memcpy(&proof, bytes.data() + 9, 8);
    return proof == mac(keys, bytes[0], aor, stamp) ? std::optional(stamp) : std::nullopt;
}

}  // namespace pinhole::auth
