// SPDX-License-Identifier: BSD-3-Clause
#include "control/config/suggest.h"

#include <algorithm>
#include <array>

namespace pinhole::config {
namespace {
constexpr std::size_t kMaxLength = 64;
}

std::size_t edit_distance(std::string_view a, std::string_view b) {
    if (a.size() > kMaxLength || b.size() > kMaxLength) {
        return kMaxLength;
    }
    // Three rows of the matrix: two back for swaps, the last, and this.
    std::array<std::array<std::size_t, kMaxLength + 1>, 3> rows{};
    for (std::size_t j = 0; j <= b.size(); ++j) {
        rows[0][j] = j;
    }
    for (std::size_t i = 1; i <= a.size(); ++i) {
        auto& row = rows[i % 3];
        const auto& last = rows[(i - 1) % 3];
        const auto& before = rows[(i + 1) % 3];
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t substitution = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
            row[j] = std::min({last[j] + 1, row[j - 1] + 1, substitution});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
                row[j] = std::min(row[j], before[j - 2] + 1);
            }
        }
    }
    return rows[a.size() % 3][b.size()];
}

std::optional<std::string_view> suggest(std::string_view written,
                                        std::span<const std::string_view> names) {
    std::optional<std::string_view> best;
    std::size_t best_distance = std::max<std::size_t>(2, written.size() / 3) + 1;
    for (const std::string_view name : names) {
        const std::size_t distance = edit_distance(written, name);
        // "expires" for "default_expires": a whole word of it is near too.
        const bool part = written.size() >= 4 && name.find(written) != std::string_view::npos;
        if (distance < best_distance && distance < name.size()) {
            best = name;
            best_distance = distance;
        } else if (part && !best) {
            best = name;
        }
    }
    return best;
}

}  // namespace pinhole::config
