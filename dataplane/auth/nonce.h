// SPDX-License-Identifier: BSD-3-Clause
// Nonces that nobody keeps: the time at which it was made, something that sets it apart from others
// of that moment, and a MAC over both, the realm and the AOR's keyed hash, by the keys of
// tokens/keys.h. (Two AORs with one hash, which nobody can aim at, share a window of
// nonce_windows.h too.) The MAC doesn't cover the source: a carrier's NAT changes it at will. Each
// run of pinhole makes its own nonces, so one that was overheard before a restart is worth nothing
// after it, though the windows are gone. Text:
//
//   base64url( key | stamp | MAC )      23 letters
//               1      8      8 bytes
//
// Pure; any thread; never allocates.
#pragma once

#include "dataplane/tokens/keys.h"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace pinhole::auth {

// Seconds, milliseconds of it, and 22 bits of salt. Stamps of one run are as good as unique.
//
//   63          32 31     22 21    0
//   | seconds     | ms      | salt |
struct Stamp {
    std::uint64_t bits = 0;

    static Stamp of(std::uint32_t s, std::uint32_t ms_of_s, std::uint64_t salt) {
        return {std::uint64_t{s} << 32 | std::uint64_t{ms_of_s & 0x3ff} << 22 | (salt & 0x3f'ffff)};
    }
    [[nodiscard]] std::uint32_t s() const { return static_cast<std::uint32_t>(bits >> 32); }
    // What of two was made first: by milliseconds alone.
    [[nodiscard]] std::uint64_t moment() const { return bits >> 22; }
    bool operator==(const Stamp&) const = default;
};

struct NonceText {
    static constexpr std::size_t kChars = 23;
    std::array<char, kChars> text;
    [[nodiscard]] std::string_view view() const { return {text.data(), kChars}; }
};

class Nonces {
  public:
    static constexpr std::size_t kMaxRealm = 128;

    // `realm` is at most kMaxRealm long. `run` is random, another one at each start.
    Nonces(std::string realm, std::uint64_t run);

    [[nodiscard]] NonceText make(const tokens::Keys& keys, std::uint64_t aor_hash,
                                 Stamp stamp) const;
    // None: not made by this run for this AOR, or under a key that is gone.
    [[nodiscard]] std::optional<Stamp> read(const tokens::Keys& keys, std::string_view text,
                                            std::uint64_t aor_hash) const;
    [[nodiscard]] const std::string& realm() const { return realm_; }

  private:
    [[nodiscard]] std::uint64_t mac(const tokens::Keys& keys, std::uint8_t key_id,
                                    std::uint64_t aor_hash, Stamp stamp) const;

    std::string realm_;
    std::uint64_t run_and_realm_;
};

}  // namespace pinhole::auth
