// SPDX-License-Identifier: BSD-3-Clause
// `pinholectl why`: what happened to a phone's contacts, as an operator would tell it to a
// customer.
#include "control/api/members.h"

namespace pinhole::api {
namespace {

std::string ago(std::uint64_t seconds) {
    return seconds == 0 ? "just now" : duration(seconds) + " ago";
}

std::string counted(std::uint64_t times, const char* one, const char* many) {
    return times == 1 ? std::string(one)
                      : std::to_string(times) + (times >= 255 ? " or more " : " ") + many;
}

std::string happened(const json& event) {
    const std::string name = text(event, "event");
    const std::uint64_t times = number(event, "times");
    const std::string port =
        member(event, "port").is_number() ? " " + std::to_string(number(event, "port")) : "";
    if (name == "registered") {
        return "registered, seen at port" + port;
    }
    if (name == "moved") {
        return "came back by another mapping, at port" + port;
    }
    if (name == "refreshed") {
        return counted(times, "refreshed its registration", "refreshes of its registration");
    }
    if (name == "spoke") {
        return counted(times, "sent something within a call", "times it sent something in a call");
    }
    if (name == "answered") {
        return counted(times, "answered a ping", "pings answered") + ", round trip " +
               milliseconds(real(event, "rtt_s"));
    }
    if (name == "missed") {
        return counted(times, "a ping got no answer", "pings got no answer");
    }
    if (name == "unreachable") {
        return "taken for unreachable";
    }
    if (name == "outage") {
        return "all phones of its gateway or prefix fell silent with it: an access outage";
    }
    if (name == "back") {
        return "reachable again";
    }
    if (name == "expired") {
        return "its registration ran out";
    }
    if (name == "removed_unreachable") {
        return "removed, having been unreachable for so long";
    }
    if (name == "retargeted") {
        return "answered at its Contact's port and is reached there, at port" + port;
    }
    if (name == "suspected") {
        return "another phone registered by its mapping: no calls from then on";
    }
    if (name == "trusted") {
        return "registered again itself: calls from then on";
    }
    return name == "removed" ? "removed by a REGISTER or by an operator" : name;
}

const json* last_of(const json& contact, const char* wanted) {
    const json* found = nullptr;
    for (const json* event : objects(contact, "events")) {
        found = text(*event, "event") == wanted ? event : found;
    }
    return found;
}

std::string why_gone(const json& contact) {
    const auto events = objects(contact, "events");
    const std::string last = events.empty() ? "" : text(*events.back(), "event");
    const std::string when = events.empty() ? "" : ago(number(*events.back(), "ago_s"));
    if (last == "expired") {
        return "It is gone: its registration ran out " + when + " and was not refreshed.";
    }
    if (last == "removed_unreachable") {
        return "It is gone: it was removed " + when + ", having answered no ping for so long.";
    }
    return "It is gone: it signed off " + when +
           ", or gave way to another contact, or an operator removed it.";
}

std::string why_there(const json& contact, bool tries_unreachable) {
    const std::string state = text(member(contact, "binding"), "state");
    if (flag(member(contact, "binding"), "suspect")) {
        const json* since = last_of(contact, "suspected");
        return "It does not ring: another phone has registered by its mapping" +
               (since == nullptr ? std::string() : " " + ago(number(*since, "ago_s"))) +
               ", so it would ring there. Its calls get 480 until it registers again itself.";
    }
    if (state == "reachable") {
        const json* answer = last_of(contact, "answered");
        return "It should ring: " + (answer == nullptr ? std::string("it has shown that it lives.")
                                                       : "it last answered a ping " +
                                                             ago(number(*answer, "ago_s")) + ".");
    }
    if (state == "unreachable") {
        const json* since = last_of(contact, "unreachable");
        if (const json* outage = last_of(contact, "outage");
            outage != nullptr && outage >= since) {  // not one of before it fell silent by itself
            return "It does not ring: all phones of its gateway or prefix fell silent " +
                   ago(number(*outage, "ago_s")) +
                   ". The access line is out, rather than this phone.";
        }
        return "It does not ring: it used to answer pings and fell silent" +
               (since == nullptr ? std::string(" long ago") : " " + ago(number(*since, "ago_s"))) +
               (tries_unreachable ? "; calls are sent there all the same."
                                  : "; its calls get 480 until it is heard of again.");
    }
    return last_of(contact, "missed") != nullptr
               ? "It may ring: it has answered no ping by this mapping, and some phones answer "
                 "none."
               : "It should ring: it registered by this mapping and has not been pinged by it yet.";
}

// What may be behind one-way calls and calls that end after 32 s, though it has not kept it from
// ringing.
std::string doubts(const json& contact) {
    const std::string alg = text(member(contact, "binding"), "alg");
    if (alg == "half") {
        return "    Its gateway, or the phone itself, rewrites SIP in some places and not in "
               "others: "
               "turn SIP ALG off there.\n";
    }
    return alg == "broken"
               ? "    Its gateway breaks SIP: it writes addresses that lead nowhere. Turn "
                 "SIP ALG off there.\n"
               : "";
}

void add_contact(std::string& out, const json& contact, bool tries_unreachable) {
    const json& binding = member(contact, "binding");
    if (binding.is_object() && !binding.empty()) {
        out += "  " + text(binding, "contact") + " at " + text(binding, "far_end") + "\n    " +
               why_there(contact, tries_unreachable) + "\n" + doubts(contact);
    } else {
        out += "  a contact that it had\n    " + why_gone(contact) + "\n";
    }
    for (const json* event : objects(contact, "events")) {
        out += format("    %16s  ", ago(number(*event, "ago_s")).c_str()) + happened(*event) + "\n";
    }
    if (flag(contact, "waiting")) {
        out += format("    %16s  ", "now") + "waits for the answer to a ping\n";
    }
}

}  // namespace

std::string why_text(const json& story) {
    std::string out = text(story, "aor") + "\n";
    const auto contacts = objects(story, "contacts");
    for (const json* contact : contacts) {
        add_contact(out, *contact, flag(story, "tries_unreachable"));
    }
    if (contacts.empty()) {
        out += "  It is not registered, so its calls get 404, and nothing is remembered of it.\n";
    }
    if (!flag(story, "ledger")) {
        out += "  What happens to contacts is not kept: [qualify] ledger is off.\n";
    }
    return out;
}

}  // namespace pinhole::api
