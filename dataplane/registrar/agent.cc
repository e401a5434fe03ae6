// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/registrar/agent.h"

#include "dataplane/sip/text.h"

#include <algorithm>
#include <array>

namespace pinhole::registrar {
namespace {

// The number of a name is its place here: new ones go to the end, for what was learned is kept by it.
constexpr std::array<std::string_view, 33> kAgents{
    "other",       "Yealink",    "Grandstream", "Cisco",    "Polycom",  "PolycomVVX",
    "snom",        "Fanvil",     "AVM",         "FRITZ!OS", "Gigaset",  "Panasonic",
    "Mitel",       "Aastra",     "Linksys",     "Sipura",   "Htek",     "Akuvox",
    "Asterisk",    "FreeSWITCH", "FPBX",        "3CX",      "Linphone", "LinphoneAndroid",
    "LinphoneiOS", "Zoiper",     "Bria",        "X-Lite",   "MicroSIP", "Telephone",
    "PJSUA",       "baresip",    "SIPp"};

}  // namespace

std::uint8_t agent_of(std::string_view user_agent) {
    const std::size_t end = std::min(user_agent.find_first_of("/ -_("), user_agent.size());
    const std::string_view whole = user_agent.substr(0, user_agent.find_first_of("/ ("));
    const auto low = [](std::string_view text) { return text.empty() ? 0 : text.front() | 0x20; };
    for (std::size_t i = 1; i < kAgents.size(); ++i) {
        if (low(kAgents[i]) != low(user_agent)) [[likely]] {
            continue;
        }
        if (sip::equals_ci(whole, kAgents[i]) ||
            sip::equals_ci(user_agent.substr(0, end), kAgents[i])) {
            return static_cast<std::uint8_t>(i);
        }
    }
    return kOtherAgent;
}

std::string_view agent_name(std::uint8_t agent) {
    if (agent == kMixedAgents) {
        return "mixed";
    }
    return kAgents[agent < kAgents.size() ? agent : kOtherAgent];
}

}  // namespace pinhole::registrar
