// SPDX-License-Identifier: BSD-3-Clause
#include "bench/load/report.h"

#include <nlohmann/json.hpp>

#include <array>
#include <cstdio>

namespace pinhole::load {
namespace {

constexpr std::array<double, 5> kPercents{50, 90, 99, 99.9, 99.99};

std::uint64_t sent_of(const Tally& tally) {
    return tally.sent.get() + tally.calls.get();
}
std::uint64_t done_of(const Tally& tally) {
    return tally.done.get() + tally.calls_done.get();
}
std::uint64_t lost_of(const Tally& tally) {
    return tally.lost.get() + tally.calls_lost.get();
}

const LatencyHistogram& latency_of(Phase phase, const Tally& tally) {
    return phase == Phase::kCall ? tally.call_latency : tally.latency;
}

// "12.3k", "1.23M": four figures at most.
std::string short_number(double value) {
    constexpr std::array<const char*, 5> kUnits{"", "k", "M", "G", "T"};
    std::size_t unit = 0;
    while (value >= 999.5 && unit + 1 < kUnits.size()) {
        value /= 1000;
        ++unit;
    }
    char text[32];
    const int decimals = unit == 0 || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
    std::snprintf(text, sizeof text, "%.*f%s", decimals, value, kUnits[unit]);
    return text;
}

std::string duration(std::uint64_t ns) {
    char text[32];
    if (ns < 1'000'000) {
        std::snprintf(text, sizeof text, "%.0fus", static_cast<double>(ns) / 1e3);
    } else if (ns < 10'000'000'000) {
        std::snprintf(text, sizeof text, "%.4gms", static_cast<double>(ns) / 1e6);
    } else {
        std::snprintf(text, sizeof text, "%.0fs", static_cast<double>(ns) / 1e9);
    }
    return text;
}

nlohmann::json codes(const std::array<Counter, Tally::kCodes>& answers) {
    auto json = nlohmann::json::object();
    for (std::size_t code = 0; code < answers.size(); ++code) {
        if (answers[code].get() != 0) {
            json[std::to_string(code)] = answers[code].get();
        }
    }
    return json;
}

nlohmann::json latency(const LatencyHistogram& histogram) {
    nlohmann::json json{{"count", histogram.count()}, {"max_ns", histogram.max()}};
    for (const double percent : kPercents) {
        char name[32];
        std::snprintf(name, sizeof name, "p%g_ns", percent);
        json[name] = histogram.percentile(percent);
    }
    return json;
}

nlohmann::json wrong(const Tally& tally) {
    auto json = nlohmann::json::object();
    for (std::size_t i = 0; i < kWrongNames.size(); ++i) {
        if (tally.wrong[i].get() != 0) {
            json[std::string(kWrongNames[i])] = tally.wrong[i].get();
        }
    }
    return json;
}

nlohmann::json phase_json(Phase phase, const Tally& tally) {
    const double seconds = tally.seconds();
    return {{"phase", kPhaseNames[static_cast<std::size_t>(phase)]},
            {"seconds", seconds},
            {"per_second", seconds > 0 ? static_cast<double>(done_of(tally)) / seconds : 0},
            {"sent", tally.sent.get()},
            {"done", tally.done.get()},
            {"refused", tally.refused.get()},
            {"lost", tally.lost.get()},
            {"late", tally.late.get()},
            {"challenged", tally.challenged.get()},
            {"calls", tally.calls.get()},
            {"calls_done", tally.calls_done.get()},
            {"calls_lost", tally.calls_lost.get()},
            {"rings", tally.rings.get()},
            {"pings", tally.pings.get()},
            {"new_mappings", tally.new_mappings.get()},
            {"vanished", tally.vanished.get()},
            {"strays", tally.strays.get()},
            {"too_long", tally.too_long.get()},
            {"answers", codes(tally.answers)},
            {"call_answers", codes(tally.call_answers)},
            {"wrong", wrong(tally)},
            {"latency", latency(tally.latency)},
            {"latency_slices",
             {{"seconds", static_cast<double>(Slices::kSlice_ns) / 1e9},
              {"count", tally.slices.p99s().size()},
              {"p99_ns_median", tally.slices.median_p99()}}},
            {"call_latency", latency(tally.call_latency)}};
}

// "; 3 lost" where there is something to say.
void add_if_any(std::string& text, std::uint64_t n, const char* what) {
    if (n != 0) {
        text += ", " + std::to_string(n) + " " + what;
    }
}

std::string phase_summary(Phase phase, const Tally& tally) {
    const double seconds = tally.seconds();
    const LatencyHistogram& histogram = latency_of(phase, tally);
    std::string text(kPhaseNames[static_cast<std::size_t>(phase)]);
    text += ": " + std::to_string(done_of(tally)) + " done in " +
            duration(static_cast<std::uint64_t>(seconds * 1e9)) + ", " +
            short_number(seconds > 0 ? static_cast<double>(done_of(tally)) / seconds : 0) + "/s";
    add_if_any(text, tally.refused.get(), "refused");
    add_if_any(text, lost_of(tally), "lost");
    add_if_any(text, tally.wrong_in_all(), "WRONG");
    text += "\n  latency 50% " + duration(histogram.percentile(50)) + ", 99% " +
            duration(histogram.percentile(99)) + ", 99.9% " + duration(histogram.percentile(99.9)) +
            ", at most " + duration(histogram.max()) + "\n  answers";
    for (const auto* answers : {&tally.answers, &tally.call_answers}) {
        for (std::size_t code = 0; code < answers->size(); ++code) {
            if ((*answers)[code].get() != 0) {
                text += " " + std::to_string(code) + ": " + std::to_string((*answers)[code].get()) +
                        ";";
            }
        }
    }
    text += " pings " + std::to_string(tally.pings.get());
    add_if_any(text, tally.late.get(), "late");
    add_if_any(text, tally.vanished.get(), "vanished at gateways");
    add_if_any(text, tally.strays.get(), "to nobody");
    text += "\n";
    for (std::size_t i = 0; i < kWrongNames.size(); ++i) {
        if (tally.wrong[i].get() != 0) {
            text += "  WRONG " + std::string(kWrongNames[i]) + ": " +
                    std::to_string(tally.wrong[i].get()) + "\n";
        }
    }
    return text;
}

}  // namespace

std::string LiveLines::heading() {
    return "phase      time  registered   sent/s   done/s    pings     lost   wrong     p99";
}

std::string LiveLines::next(const Player& player, std::uint64_t now_ns) {
    const std::size_t begun = player.phases_begun();
    if (begun == 0) {
        return {};
    }
    const Phase phase = player.phase(begun - 1);
    const Tally& tally = player.tally(begun - 1);
    if (phase_ != begun) {
        phase_ = begun;
        at_ns_ = tally.began_ns.get();
        sent_ = answered_ = 0;
    }
    const std::uint64_t sent = sent_of(tally);
    const std::uint64_t answered = done_of(tally);
    const double seconds = now_ns > at_ns_ ? static_cast<double>(now_ns - at_ns_) / 1e9 : 1;
    const std::uint64_t began_ns = tally.began_ns.get();
    char line[kColumns + 1];
    std::snprintf(line, sizeof line, "%-8s %5.0fs %11u %8s %8s %8s %8s %7s %7s",
                  std::string(kPhaseNames[static_cast<std::size_t>(phase)]).c_str(),
                  now_ns > began_ns ? static_cast<double>(now_ns - began_ns) / 1e9 : 0,
                  player.registered(),
                  short_number(static_cast<double>(sent - sent_) / seconds).c_str(),
                  short_number(static_cast<double>(answered - answered_) / seconds).c_str(),
                  short_number(static_cast<double>(tally.pings.get())).c_str(),
                  short_number(static_cast<double>(lost_of(tally))).c_str(),
                  short_number(static_cast<double>(tally.wrong_in_all())).c_str(),
                  duration(latency_of(phase, tally).percentile(99)).c_str());
    at_ns_ = now_ns;
    sent_ = sent;
    answered_ = answered;
    return line;
}

nlohmann::json to_json(const Player& player, const Plan& plan, const DeviceFigures& device) {
    nlohmann::json json{{"phones", plan.phones},
                        {"gateways", plan.gateways},
                        {"registered", player.registered()},
                        {"rx_missed", device.rx_missed},
                        {"tx_dropped", device.tx_dropped},
                        {"good", went_well(player)}};
    json["phases"] = nlohmann::json::array();
    for (std::size_t i = 0; i < player.phases_begun(); ++i) {
        json["phases"].push_back(phase_json(player.phase(i), player.tally(i)));
    }
    return json;
}

std::string summary(const Player& player) {
    std::string text;
    for (std::size_t i = 0; i < player.phases_begun(); ++i) {
        text += phase_summary(player.phase(i), player.tally(i));
    }
    return text;
}

bool went_well(const Player& player) {
    bool answered = false;
    for (std::size_t i = 0; i < player.phases_begun(); ++i) {
        if (player.tally(i).wrong_in_all() != 0) {
            return false;
        }
        answered = answered || done_of(player.tally(i)) != 0;
    }
    return answered;
}

}  // namespace pinhole::load
