// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/tokens/keys.h"

#include <sodium/crypto_shorthash_siphash24.h>

#include <algorithm>
#include <cstring>
#include <string_view>

namespace pinhole::tokens {
namespace {

constexpr std::array<std::string_view, static_cast<std::size_t>(Purpose::kCount)> kPurposeNames{
    "pinhole branch", "pinhole ping", "pinhole token",       "pinhole tag",
    "pinhole check",  "pinhole gruu", "pinhole gruu stream", "pinhole nonce"};

}  // namespace

Keys::Keys(std::span<const MasterKey> newest_first)
    : count_(std::clamp<std::size_t>(newest_first.size(), 1, kMaxKeys)) {
    for (std::size_t i = 0; i < std::min(count_, newest_first.size()); ++i) {
        keys_[i].id = newest_first[i].id;
        for (std::size_t p = 0; p < kPurposeNames.size(); ++p) {
            crypto_shorthash_siphashx24(
                keys_[i].sub[p].data(),
                reinterpret_cast<const unsigned char*>(kPurposeNames[p].data()),
                kPurposeNames[p].size(), newest_first[i].bytes.data());
        }
    }
}

const Keys::Key* Keys::find(std::uint8_t id) const {
    for (std::size_t i = 0; i < count_; ++i) {
        if (keys_[i].id == id) {
            return &keys_[i];
        }
    }
    return nullptr;
}

const Keys::Key& Keys::key_of(std::uint8_t id) const {
    const Key* key = find(id);
    return key == nullptr ? keys_[0] : *key;
}

Keys::Block Keys::block(Purpose purpose, std::uint8_t id,
                        std::span<const std::uint8_t> data) const {
    Block out;
    static_assert(sizeof out == crypto_shorthash_siphashx24_BYTES);
    crypto_shorthash_siphashx24(out.data(), data.data(), data.size(),
                                key_of(id).sub[static_cast<std::size_t>(purpose)].data());
    return out;
}

std::uint64_t Keys::tag_seed(std::uint8_t id) const {
    std::uint64_t seed = 0;
    std::memcpy(&seed, key_of(id).sub[static_cast<std::size_t>(Purpose::kTag)].data(), sizeof seed);
    return seed;
}

std::uint64_t Keys::mac(Purpose purpose, std::uint8_t id,
                        std::span<const std::uint8_t> data) const {
    const Block full = block(purpose, id, data);
    std::uint64_t low = 0;
    std::memcpy(&low, full.data(), sizeof low);
    return low;
}

}  // namespace pinhole::tokens
