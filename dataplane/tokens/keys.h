// SPDX-License-Identifier: BSD-3-Clause
// The keys under what we hand out and want to know again: branches, pings, tokens, tags, checks,
// nonces. SipHash-2-4-128 cut to 64 bits, with a subkey for each purpose, so that what was made for
// one is worth nothing for another; only tags are a seeded hash. Each text names its key by an id:
// the newest signs, all verify, so that keys can be changed without ending a dialog. Immutable once
// made; any thread. The caller decides where the master keys come from and how they are kept.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace pinhole::tokens {

enum class Purpose : std::uint8_t {
    kBranch,
    kPing,
    kToken,
    kTag,
    kCheck,
    kGruu,
    kGruuStream,
    kNonce,
    kCount
};

struct MasterKey {
    std::uint8_t id = 0;
    std::array<std::uint8_t, 16> bytes{};
};

class Keys {
  public:
    static constexpr std::size_t kMaxKeys = 8;

    // The first one signs; of more than kMaxKeys the rest is left out; at least one is needed. Ids
    // differ.
    explicit Keys(std::span<const MasterKey> newest_first);

    [[nodiscard]] std::uint8_t current_id() const { return keys_[0].id; }
    [[nodiscard]] bool knows(std::uint8_t id) const { return find(id) != nullptr; }

    // 0 is a MAC like any other. `id` must be known (knows()), or the answer is that of the newest
    // key.
    [[nodiscard]] std::uint64_t mac(Purpose purpose, std::uint8_t id,
                                    std::span<const std::uint8_t> data) const;
    // What an answer's tag is hashed from, of the key that signs it. `id` as in mac().
    [[nodiscard]] std::uint64_t tag_seed(std::uint8_t id) const;
    // All 128 bits of it.
    using Block = std::array<std::uint8_t, 16>;
    [[nodiscard]] Block block(Purpose purpose, std::uint8_t id,
                              std::span<const std::uint8_t> data) const;

  private:
    struct Key {
        std::uint8_t id = 0;
        std::array<std::array<std::uint8_t, 16>, static_cast<std::size_t>(Purpose::kCount)> sub{};
    };
    [[nodiscard]] const Key* find(std::uint8_t id) const;
    [[nodiscard]] const Key& key_of(std::uint8_t id) const;  // the newest, if there is none

    std::array<Key, kMaxKeys> keys_{};
    std::size_t count_ = 0;
};

}  // namespace pinhole::tokens
