// SPDX-License-Identifier: BSD-3-Clause
#include "control/keys/key_ring.h"

#include <algorithm>

namespace pinhole::keys {
namespace {

// 2^32 / golden ratio, to the nearest odd number: times an odd number is one to one.
constexpr std::uint32_t kGolden = 2'654'435'769;

std::uint64_t age_s(const StoredKey& key, std::uint64_t now_s) {
    return now_s > key.created_s ? now_s - key.created_s : 0;
}

std::uint8_t free_id(const std::vector<StoredKey>& keys) {
    std::uint8_t id = keys.empty() ? 1 : static_cast<std::uint8_t>(keys.front().id + 1);
    while (std::any_of(keys.begin(), keys.end(), [&](const StoredKey& k) { return k.id == id; })) {
        ++id;
    }
    return id;
}

}  // namespace

bool rotation_due(const KeyRing& ring, std::uint64_t rotate_s, std::uint64_t now_s) {
    if (ring.newest_first.empty()) {
        return true;
    }
    const std::uint64_t made_s = ring.newest_first.front().created_s;
    return rotate_s != 0 && (now_s > made_s ? now_s - made_s : made_s - now_s) >= rotate_s;
}

KeyRing rotated(KeyRing ring, const KeyBytes& bytes, std::uint64_t rotate_s, std::uint64_t now_s) {
    std::vector<StoredKey>& keys = ring.newest_first;
    const std::uint64_t overlap_s = (kKept - 1) * rotate_s;
    keys.insert(keys.begin(), {.id = free_id(keys), .created_s = now_s, .bytes = bytes});
    keys.resize(std::min(keys.size(), kKept));
    for (std::size_t i = 1; i < keys.size(); ++i) {
        if (overlap_s != 0 && age_s(keys[i - 1], now_s) >= overlap_s) {
            keys.resize(i);
        }
    }
    return ring;
}

tokens::Keys token_keys(const KeyRing& ring) {
    std::vector<tokens::MasterKey> masters;
    for (const StoredKey& key : ring.newest_first) {
        masters.push_back({.id = key.id, .bytes = key.bytes});
    }
    return tokens::Keys(masters);
}

std::uint32_t first_generation(std::uint32_t starts) {
    const std::uint32_t strewn = starts * kGolden;
    return strewn != 0 ? strewn : 1;
}

}  // namespace pinhole::keys
