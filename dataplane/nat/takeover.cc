// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/nat/takeover.h"

#include "dataplane/sip/text.h"
#include "dataplane/sip/uri.h"

#include <algorithm>

namespace pinhole::nat {
namespace {

bool is_suspect(const Holder& holder) {
    return (holder.contact.state.flags & table::kSuspect) != 0;
}

std::string_view host_of(const table::ContactView& contact) {
    sip::Uri uri;
    return sip::parse_uri(contact.uri, uri) ? uri.host : std::string_view{};
}

std::uint16_t agent_of(const table::ContactView& contact) {
    return contact.state.flags >> table::kAgentShift;
}

// Different phones hold the flow, and each has come by it since it was last in doubt.
bool is_shared(std::span<const Holder> holders) {
    const auto trusted = std::find_if(holders.begin(), holders.end(),
                                      [](const Holder& h) { return !is_suspect(h); });
    return std::any_of(trusted, holders.end(), [&](const Holder& other) {
        return !is_suspect(other) && !same_phone(trusted->contact, other.contact);
    });
}

}  // namespace

Pulse pulse_of(const table::ContactState& state, const table::QualifyView& pings,
               const table::Life& life, const Moment& now) {
    using table::QualifyView;
    const bool registered = state.age_ms(now.stamp_ms()) < kShortestMapping_ms;
    const bool proved =
        life.proof != table::Proof::kNone && life.age_ms(now.stamp_ms()) < kShortestMapping_ms;
    const bool answered = pings.state == table::Reach::kReachable && pings.missed == 0 &&
                          !pings.has(QualifyView::kWaiting) &&
                          now.stamp_ms() - pings.last_ping_ms < kShortestMapping_ms;
    if (registered || proved || answered) {
        return Pulse::kLively;
    }
    return pings.has(QualifyView::kEverAnswered) && pings.missed != 0 ? Pulse::kSilent
                                                                      : Pulse::kUnknown;
}

bool same_phone(const table::ContactView& a, const table::ContactView& b) {
    const table::StoredInstance one = a.params.instance();
    const table::StoredInstance other = b.params.instance();
    if (!one.empty() && !other.empty()) {
        return one == other;
    }
    return agent_of(a) == agent_of(b) && sip::equals_ci(host_of(a), host_of(b));
}

std::uint32_t displaced(const table::ContactView& newcomer, std::span<const Holder> holders,
                        bool proven) {
    const bool lively = std::any_of(holders.begin(), holders.end(), [](const Holder& holder) {
        return !is_suspect(holder) && holder.pulse == Pulse::kLively;
    });
    if (lively || is_shared(holders)) {
        return 0;
    }
    std::uint32_t lost = 0;
    for (std::size_t i = 0; i < holders.size(); ++i) {
        if (!is_suspect(holders[i]) && (proven || holders[i].pulse == Pulse::kSilent) &&
            !same_phone(newcomer, holders[i].contact)) {
            lost |= 1U << i;
        }
    }
    return lost;
}

}  // namespace pinhole::nat
