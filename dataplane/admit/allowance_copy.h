// SPDX-License-Identifier: BSD-3-Clause
// How the phones behind addresses get out of a worker, to be kept over a restart. The service
// thread asks, the worker copies a few places of its table at each housekeeping, and hands the copy
// over whole. Neither waits, and neither reads what the other writes: the memory belongs to the
// worker from ask_service() until take_service() gives it, and to the service thread otherwise.
// Pure.
#pragma once

#include "dataplane/admit/source_table.h"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace pinhole::admit {

struct KnownAddress {
    SourceName name{};
    float phones = 0;
    bool operator==(const KnownAddress&) const = default;
};

class AllowanceCopy {
  public:
    // Of the table's places, those that a step looks at: some microseconds.
    static constexpr std::size_t kPlacesAStep = 256;
    // Addresses that a copy has room for; further ones are left out.
    static constexpr std::size_t kMost = 65'536;
    // With less behind it an address is as good as unknown.
    static constexpr float kLeastPhones = 0.5F;

    explicit AllowanceCopy(std::size_t places) : copied_(places < kMost ? places : kMost) {}

    // A copy of the table as it is from now on. Nothing comes of it while one is being made.
    void ask_service();
    // The copy, once it is whole; good until the next ask_service().
    [[nodiscard]] std::optional<std::span<const KnownAddress>> take_service() const;

    // One step, if a copy is wanted. By the worker; or, when that has ended, by whoever then asks.
    void step_worker(const SourceTable& table, std::uint32_t now_s);

  private:
    enum class State : std::uint32_t { kIdle, kAsked, kWhole };
    std::atomic<State> state_{State::kIdle};

    // The worker's while kAsked.
    std::vector<KnownAddress> copied_;
    std::size_t count_ = 0;
    std::size_t next_ = 0;
};

}  // namespace pinhole::admit
