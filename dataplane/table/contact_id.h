// SPDX-License-Identifier: BSD-3-Clause
// What names a contact: its slot and the generation of that slot. Tokens, pings, the wheel and the
// journal hold ids, never pointers; an id stays the same over restarts and for any number of
// workers, and goes stale the moment its contact is removed. Pure; any thread.
#pragma once

#include <cstdint>
#include <type_traits>

namespace pinhole::table {

inline constexpr std::uint32_t kNoSlot = 0xffff'ffff;

struct ContactId {
    std::uint32_t slot = 0;
    std::uint32_t generation = 0;  // 0 is never a contact's

    [[nodiscard]] constexpr bool valid() const { return generation != 0; }
    [[nodiscard]] constexpr std::uint64_t packed() const {
        return std::uint64_t{generation} << 32 | slot;
    }
    static constexpr ContactId from_packed(std::uint64_t packed) {
        return {static_cast<std::uint32_t>(packed), static_cast<std::uint32_t>(packed >> 32)};
    }
    bool operator==(const ContactId&) const = default;
};
static_assert(sizeof(ContactId) == 8 && std::is_trivially_copyable_v<ContactId>);

}  // namespace pinhole::table
