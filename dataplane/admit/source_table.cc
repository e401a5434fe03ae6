// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/admit/source_table.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace pinhole::admit {
namespace {

constexpr SourceName kNobody{};

// More than one address can have behind it by ports; a bound on what registrations can claim.
constexpr float kMaxPhones = 65'535;

// What is lost when this place is given to another: nothing of a free one; else the phones that it
// is known to have, then how far it has overdrawn.
float worth(const Source& source, const Rate& rate, std::uint32_t now_ms, std::uint32_t now_s) {
    if (source.name == kNobody) {
        return -1;
    }
    const float missing = static_cast<float>(source.bucket.missing(rate, now_ms)) /
                          static_cast<float>(TokenBucket::kUnits);
    return source.phones_now(now_s) + missing;
}

}  // namespace

float Source::phones_now(std::uint32_t now_s) const {
    if (phones == 0) {
        return 0;
    }
    // A clock that a restart has set back makes nobody younger.
    const auto age_s = static_cast<float>(
        std::max<std::int32_t>(static_cast<std::int32_t>(now_s - phones_at_s), 0));
    return phones * std::exp(-age_s / SourceTable::kMemory_s);
}

void Source::add_phones(float change, std::uint32_t now_s) {
    phones = std::clamp(phones_now(now_s) + change, 0.0F, kMaxPhones);
    phones_at_s = now_s;
}

SourceTable::SourceTable(std::size_t capacity, const table::KeyedHash& hash)
    : hash_(hash),
      mask_(std::bit_ceil(std::max<std::size_t>((capacity + kWays - 1) / kWays, 1)) - 1),
      sources_(std::make_unique<Source[]>((mask_ + 1) * kWays)) {}

std::size_t SourceTable::group_of(const SourceName& name) const {
    return hash_({reinterpret_cast<const char*>(name.data()), name.size()}) & mask_;
}

Source& SourceTable::at(const SourceName& name, const Rate& rate, std::uint32_t now_ms,
                        std::uint32_t now_s) {
    Source* const group = &sources_[group_of(name) * kWays];
    Source* least = nullptr;
    float least_worth = 0;
    for (Source* source = group; source != group + kWays; ++source) {
        if (source->name == name) {
            return *source;
        }
        const float its_worth = worth(*source, rate, now_ms, now_s);
        if (least == nullptr || its_worth < least_worth) {
            least = source;
            least_worth = its_worth;
        }
    }
    *least = Source{};
    least->name = name;
    return *least;
}

const Source* SourceTable::find(const SourceName& name) const {
    const Source* const group = &sources_[group_of(name) * kWays];
    const Source* const found =
        std::find_if(group, group + kWays, [&](const Source& s) { return s.name == name; });
    return found == group + kWays ? nullptr : found;
}

}  // namespace pinhole::admit
