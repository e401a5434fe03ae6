// SPDX-License-Identifier: BSD-3-Clause
#include "control/config/change.h"

#include "control/config/rules.h"
#include "control/config/schema.h"

#include <algorithm>
#include <array>

namespace pinhole::config {
namespace {

// Sections whose keys can be changed while pinhole runs, and the keys of these that can't.
constexpr std::array<std::string_view, 8> kLiveSections{
    "registrar", "qualify", "core", "limits", "overload", "emergency", "screen", "log"};
constexpr std::array<std::string_view, 6> kFixedKeys{
    "qualify.enabled", "qualify.gateways", "qualify.gateway_prefix_v4",
    "qualify.ledger",  "limits.sources",   "overload.enabled"};
constexpr std::string_view kLiveKey = "auth.subscribers";

std::string name_of(const Property& property) {
    return std::string(property.section) + "." + std::string(property.name);
}

bool is_live(const Property& property) {
    const std::string name = name_of(property);
    const auto among = [](const auto& list, std::string_view what) {
        return std::find(list.begin(), list.end(), what) != list.end();
    };
    return name == kLiveKey || (among(kLiveSections, property.section) && !among(kFixedKeys, name));
}

void compare(const Property& property, const std::string& key, const Config& running,
             const Port& was, const Config& next, const Port& now, std::vector<Difference>& out) {
    std::string before = value_text(property, running, was);
    std::string after = value_text(property, next, now);
    if (before != after) {
        out.push_back({key, std::move(before), std::move(after), is_live(property)});
    }
}

}  // namespace

std::vector<Difference> differences(const Config& running, const Config& next) {
    std::vector<Difference> out;
    const Port none;
    if (running.ports.size() != next.ports.size()) {
        out.push_back({"port", std::to_string(running.ports.size()) + " ports",
                       std::to_string(next.ports.size()), false});
    }
    const std::size_t ports = std::min(running.ports.size(), next.ports.size());
    for (const Property& property : properties()) {
        if (property.section != kPortSection) {
            compare(property, name_of(property), running, none, next, none, out);
            continue;
        }
        for (std::size_t i = 0; i < ports; ++i) {
            compare(property, port_key(i) + "." + std::string(property.name), running,
                    running.ports[i], next, next.ports[i], out);
        }
    }
    return out;
}

Config taken_up(const Config& running, const Config& next) {
    Config out = running;
    out.registrar = next.registrar;
    out.auth.subscribers = next.auth.subscribers;
    out.qualify = next.qualify;
    out.qualify.enabled = running.qualify.enabled;
    out.qualify.gateways = running.qualify.gateways;
    out.qualify.gateway_prefix_v4 = running.qualify.gateway_prefix_v4;
    out.qualify.ledger = running.qualify.ledger;
    out.core = next.core;
    out.limits = next.limits;
    out.limits.sources = running.limits.sources;
    out.overload.retry_after_s = next.overload.retry_after_s;
    out.emergency = next.emergency;
    out.screen = next.screen;
    out.log = next.log;
    return out;
}

}  // namespace pinhole::config
