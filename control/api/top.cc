// SPDX-License-Identifier: BSD-3-Clause
#include "control/api/top.h"

#include "control/api/text.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <string_view>
#include <vector>

namespace pinhole::api {
namespace {

using nlohmann::json;

// Of /v1/cores, as they are named there.
constexpr std::array<const char*, 9> kSums{"rx_packets", "tx_packets", "drops",
                                           "registers",  "calls_in",   "calls_out",
                                           "pings_sent", "pongs",      "handoffs"};

double real(const json& from, const char* key) {
    const auto found = from.is_object() ? from.find(key) : from.end();
    return found != from.end() && found->is_number() ? found->get<double>() : 0;
}

json member(const json& from, const char* key) {
    return from.is_object() ? from.value(key, json{}) : json{};
}

double increase(const json& before, const json& after, const char* key) {
    return std::max(0.0, real(after, key) - real(before, key));
}

json core_rates(const json& before, const json& after, double seconds) {
    json out{{"core", member(after, "core")},
             {"cpu", member(after, "cpu")},
             {"contacts", member(after, "contacts")}};
    for (const char* sum : kSums) {
        out[std::string(sum) + "_per_s"] =
            seconds > 0 ? increase(before, after, sum) / seconds : 0.0;
    }
    const double busy = increase(before, after, "cycles_busy");
    const double all = busy + increase(before, after, "cycles_idle");
    out["busy"] = all > 0 ? busy / all : 0.0;
    return out;
}

// The bound below which 99 % of what was added to the histogram lies; null if nothing was.
json recent_p99(const json& before, const json& after) {
    const json bounds = member(after, "upper_bounds_s");
    const json counts = member(after, "counts");
    const json old = member(before, "counts");
    if (!bounds.is_array() || !counts.is_array() || bounds.empty()) {
        return nullptr;
    }
    std::vector<double> added;
    double total = 0;
    for (std::size_t i = 0; i < counts.size(); ++i) {
        const auto at = [i](const json& list) {
            return i < list.size() && list[i].is_number() ? list[i].get<double>() : 0.0;
        };
        added.push_back(std::max(0.0, at(counts) - at(old)));
        total += added.back();
    }
    if (total == 0) {
        return nullptr;
    }
    double seen = 0;
    for (std::size_t i = 0; i < added.size(); ++i) {
        seen += added[i];
        if (seen >= 0.99 * total) {
            return bounds[std::min(i, bounds.size() - 1)];
        }
    }
    return bounds.back();
}

template <typename... Args>
std::string format(const char* how, Args... args) {
    std::array<char, 160> out;
    const int length = std::snprintf(out.data(), out.size(), how, args...);
    return {out.data(), std::min(static_cast<std::size_t>(std::max(length, 0)), out.size() - 1)};
}

// Slow things are shown too: 0.4 a second is not nothing.
std::string rate(double per_second) {
    if (per_second > 0 && per_second < 9.95) {
        return format("%.1f", per_second);
    }
    return shortened(static_cast<std::uint64_t>(std::llround(std::min(per_second, 1e18))));
}

std::string milliseconds(const json& seconds) {
    if (!seconds.is_number()) {
        return "-";
    }
    const double value = seconds.get<double>();
    return value < 1 ? format("%.*f ms", value < 0.1 ? 1 : 0, value * 1e3)
                     : format("%.1f s", value);
}

std::string percent(double share) {
    return format("%.1f %%", 100 * share);
}

std::string core_line(const json& core) {
    const auto of = [&](const char* key) { return rate(real(core, key)); };
    return format("%4.0f %4.0f %7s %8s %8s %6s %6s %6s %6s %6s %6s", real(core, "core"),
                  real(core, "cpu"), percent(real(core, "busy")).c_str(),
                  shortened(static_cast<std::uint64_t>(real(core, "contacts"))).c_str(),
                  of("registers_per_s").c_str(),
                  rate(real(core, "calls_in_per_s") + real(core, "calls_out_per_s")).c_str(),
                  of("pings_sent_per_s").c_str(), of("pongs_per_s").c_str(),
                  of("rx_packets_per_s").c_str(), of("tx_packets_per_s").c_str(),
                  of("drops_per_s").c_str());
}

std::vector<std::string> head_lines(const json& rates) {
    const auto whole = [&](const json& from, const char* key) {
        return grouped(static_cast<std::uint64_t>(real(from, key)));
    };
    const json states = member(rates, "contacts_by_state");
    const double most = real(rates, "max_contacts");
    const json version = member(rates, "version");
    std::vector<std::string> lines;
    lines.push_back(
        "pinhole " +
        printable(version.is_string() ? version.get<std::string>() : "?").substr(0, 20) + ", up " +
        duration(static_cast<std::uint64_t>(real(rates, "uptime_s"))) +
        (member(rates, "restarted") == true
             ? ", RESTARTED"
             : format(", rates over %.1f s", real(rates, "interval_s"))));
    lines.push_back("contacts " + whole(rates, "contacts") + " of " + whole(rates, "max_contacts") +
                    " (" + percent(most > 0 ? real(rates, "contacts") / most : 0) + "), " +
                    whole(rates, "aors") + " AORs");
    lines.push_back("states   " + whole(states, "reachable") + " reachable, " +
                    whole(states, "unreachable") + " unreachable, " + whole(states, "unknown") +
                    " unknown");
    lines.push_back("pings    " + rate(real(rates, "sent_per_s")) + "/s sent, " +
                    rate(real(rates, "answered_per_s")) + "/s answered, " +
                    rate(real(rates, "missed_per_s")) + "/s missed");
    lines.push_back("99 % of  lag " + milliseconds(member(rates, "lag_p99_s")) + ", round trip " +
                    milliseconds(member(rates, "rtt_p99_s")));
    lines.emplace_back();
    lines.push_back(
        "core  cpu    busy contacts REGISTER  calls  pings  pongs     rx     tx  drops");
    return lines;
}

const json* core_of(const json& list, double core) {
    for (const json& each : list) {
        if (each.is_object() && real(each, "core") == core) {
            return &each;
        }
    }
    return nullptr;
}

}  // namespace

json top_rates(const Reading& before, const Reading& after) {
    const json old = member(before.status, "qualify");
    const json now = member(after.status, "qualify");
    const bool restarted = real(after.status, "uptime_s") < real(before.status, "uptime_s");
    const double passed = after.at_s - before.at_s;
    const double seconds = restarted ? 0 : std::max(0.0, passed);
    json out{{"interval_s", passed}, {"restarted", restarted}};
    for (const char* key : {"version", "uptime_s", "contacts", "max_contacts", "aors"}) {
        out[key] = member(after.status, key);
    }
    for (const char* key : {"sent", "answered", "missed"}) {
        out[std::string(key) + "_per_s"] = seconds > 0 ? increase(old, now, key) / seconds : 0.0;
    }
    out["contacts_by_state"] = member(now, "contacts_by_state");
    out["lag_p99_s"] = recent_p99(member(old, "lag"), member(now, "lag"));
    out["rtt_p99_s"] = recent_p99(member(old, "rtt"), member(now, "rtt"));
    out["cores"] = json::array();
    const json earlier = member(before.cores, "cores");
    for (const json& core : member(after.cores, "cores")) {
        if (core.is_object()) {
            const json* same = core_of(earlier, real(core, "core"));
            out["cores"].push_back(core_rates(same == nullptr ? core : *same, core, seconds));
        }
    }
    return out;
}

std::string top_text(const json& rates, std::size_t rows) {
    std::vector<std::string> lines = head_lines(rates);
    const json cores = member(rates, "cores");
    const std::size_t room = rows > lines.size() + 1 ? rows - lines.size() - 1 : 1;
    const std::size_t shown = cores.size() <= room ? cores.size() : room - 1;
    for (std::size_t i = 0; i < shown; ++i) {
        lines.push_back(core_line(cores[i]));
    }
    if (shown < cores.size()) {
        lines.push_back("and " + std::to_string(cores.size() - shown) +
                        " cores more: a higher terminal, or --once, shows them");
    }
    std::string out;
    for (const std::string& line : lines) {
        out += line.substr(0, 80) + "\n";
    }
    return out;
}

}  // namespace pinhole::api
