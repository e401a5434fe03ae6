// SPDX-License-Identifier: BSD-3-Clause
// The sources that limits have to remember: a fixed number of them, each with a token bucket and an
// estimate of the phones behind it. No source is refused for want of room. A newcomer takes the
// place of the neighbour of which least would be forgotten, so forged sources of a flood push out
// one another, and neither a flooder nor a gateway with many phones. Four sources share two cache
// lines. Pure; one thread.
#pragma once

#include "dataplane/admit/token_bucket.h"
#include "dataplane/table/aor_hash.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace pinhole::admit {

// A source's name: an address or a prefix of one, or 128 bits of a hash. All zero is nobody's.
using SourceName = std::array<std::uint8_t, 16>;

struct alignas(32) Source {
    SourceName name{};
    TokenBucket bucket;
    float phones = 0;               // as of ...
    std::uint32_t phones_at_s = 0;  // ... then

    // Phones behind it by now: a registration counts for less the longer ago it was, and after a
    // few days hardly at all. An outage of some hours doesn't make it 0.
    [[nodiscard]] float phones_now(std::uint32_t now_s) const;
    // `change` more, or fewer.
    void add_phones(float change, std::uint32_t now_s);
};
static_assert(sizeof(Source) == 32);

class SourceTable {
  public:
    static constexpr std::size_t kWays = 4;
    // A registration of E seconds is repeated about every E / 2: each counts as E / (2 * this), so
    // that a phone that goes on is one phone.
    static constexpr float kMemory_s = 86'400;

    // Room for at least `capacity` sources, rounded up to a power of two of groups; memory is taken
    // here and never again. The hash is keyed, so nobody can aim at one group.
    SourceTable(std::size_t capacity, const table::KeyedHash& hash);

    // The source of that name, a new one if need be. `rate` is what its bucket would be refilled
    // by.
    Source& at(const SourceName& name, const Rate& rate, std::uint32_t now_ms, std::uint32_t now_s);
    // Null: not known.
    [[nodiscard]] const Source* find(const SourceName& name) const;

    // All places, the free ones too, for who keeps them over a restart.
    [[nodiscard]] std::span<const Source> all() const { return {sources_.get(), count()}; }
    [[nodiscard]] std::size_t count() const { return (mask_ + 1) * kWays; }

  private:
    [[nodiscard]] std::size_t group_of(const SourceName& name) const;

    table::KeyedHash hash_;
    std::size_t mask_;
    std::unique_ptr<Source[]> sources_;
};

}  // namespace pinhole::admit
