// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/auth/policy.h"

#include "dataplane/sip/uri.h"

#include <algorithm>
#include <array>

namespace pinhole::auth {

bool owns(const DigestPolicy& policy, std::string_view user, std::string_view aor) {
    if (user == aor) {
        return true;
    }
    std::array<char, sip::kMaxAor> room;
    const auto name = sip::unescape(aor.substr(0, std::min(aor.rfind('@'), aor.size())),
                                    room.data(), room.size());
    if (!name || name->empty()) {
        return false;
    }
    const auto first = std::lower_bound(
        policy.aliases.begin(), policy.aliases.end(), std::pair{*name, user},
        [](const auto& alias, const auto& wanted) {
            return std::pair<std::string_view, std::string_view>{alias.first, alias.second} <
                   std::pair<std::string_view, std::string_view>{wanted.first, wanted.second};
        });
    return *name == user ||
           (first != policy.aliases.end() && first->first == *name && first->second == user);
}

}  // namespace pinhole::auth
