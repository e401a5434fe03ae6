// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/nat/agent.h"

#include "dataplane/sip/text.h"

#include <algorithm>
#include <array>
#include <bit>

namespace pinhole::nat {
namespace {

// The number of a name is its place here: new ones go to the end, for what was learned is kept
// under it.
constexpr std::array<std::string_view, 33> kAgents{
    "other",       "Yealink",    "Grandstream", "Cisco",    "Polycom",  "PolycomVVX",
    "snom",        "Fanvil",     "AVM",         "FRITZ!OS", "Gigaset",  "Panasonic",
    "Mitel",       "Aastra",     "Linksys",     "Sipura",   "Htek",     "Akuvox",
    "Asterisk",    "FreeSWITCH", "FPBX",        "3CX",      "Linphone", "LinphoneAndroid",
    "LinphoneiOS", "Zoiper",     "Bria",        "X-Lite",   "MicroSIP", "Telephone",
    "PJSUA",       "baresip",    "SIPp"};

// Which of them begin with a character, a bit each. Of every refresh this is asked, and most makers
// have a letter of their own.
static_assert(kAgents.size() <= 64);
constexpr std::array<std::uint64_t, 256> make_beginnings() {
    std::array<std::uint64_t, 256> by_character{};
    for (std::size_t i = 1; i < kAgents.size(); ++i) {
        const auto first = static_cast<unsigned char>(kAgents[i].front());
        const bool letter = (first | 0x20) >= 'a' && (first | 0x20) <= 'z';
        by_character[first] |= std::uint64_t{1} << i;
        if (letter) {
            by_character[first ^ 0x20U] |= std::uint64_t{1} << i;
        }
    }
    return by_character;
}
constexpr std::array<std::uint64_t, 256> kBeginnings = make_beginnings();

// What ends a product's name; '-' and '_' may also be in the midst of one.
constexpr bool ends_name(char c) {
    return c == '/' || c == ' ' || c == '(';
}
constexpr bool may_end_name(char c) {
    return ends_name(c) || c == '-' || c == '_';
}

}  // namespace

std::uint8_t agent_of(std::string_view user_agent) {
    const auto* const begin = user_agent.begin();
    const auto* const end = std::find_if(begin, user_agent.end(), may_end_name);
    const auto* const whole_end = std::find_if(end, user_agent.end(), ends_name);
    const std::string_view name(begin, static_cast<std::size_t>(end - begin));
    const std::string_view whole(begin, static_cast<std::size_t>(whole_end - begin));
    std::uint64_t left =
        user_agent.empty() ? 0 : kBeginnings[static_cast<unsigned char>(user_agent.front())];
    for (; left != 0; left &= left - 1) {
        const auto i = static_cast<unsigned>(std::countr_zero(left));
        if (sip::equals_ci(whole, kAgents[i]) || sip::equals_ci(name, kAgents[i])) {
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

}  // namespace pinhole::nat
