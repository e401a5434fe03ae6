// SPDX-License-Identifier: BSD-3-Clause
// The text is read back by a small parser of the exposition format, which refuses what Prometheus
// would.
#include "control/metrics/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <map>
#include <memory>
#include <regex>
#include <set>
#include <sstream>
#include <string>

namespace pinhole::metrics {
namespace {

struct Exposition {
    std::map<std::string, double> samples;     // "name{a="b"}" -> value
    std::map<std::string, std::string> types;  // name -> counter | gauge | histogram
    std::set<std::string> helped;
};

double number(const std::string& text) {
    return text == "+Inf" ? std::numeric_limits<double>::infinity() : std::stod(text);
}

std::string family_of(const std::string& name, const std::map<std::string, std::string>& types) {
    for (const char* suffix : {"_bucket", "_sum", "_count"}) {
        const std::string end = suffix;
        if (name.size() > end.size() &&
            name.compare(name.size() - end.size(), end.size(), end) == 0) {
            const std::string base = name.substr(0, name.size() - end.size());
            if (types.count(base) != 0 && types.at(base) == "histogram") {
                return base;
            }
        }
    }
    return name;
}

Exposition read(const std::string& text) {
    static const std::regex kSample(
        R"re(([a-zA-Z_:][a-zA-Z0-9_:]*))re"
        R"re((\{(?:[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\.)*",?)*\})? (\S+))re");
    Exposition out;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
        std::istringstream words(line);
        std::string hash;
        std::string kind;
        std::string name;
        std::string type;
        words >> hash >> kind >> name >> type;
        if (hash == "#") {
            if (kind == "HELP") {
                EXPECT_TRUE(out.helped.insert(name).second) << name << " twice";
                EXPECT_FALSE(type.empty()) << line;
            } else {
                EXPECT_EQ(kind, "TYPE") << line;
                EXPECT_TRUE(out.types.emplace(name, type).second) << name << " twice";
            }
            continue;
        }
        std::smatch match;
        EXPECT_TRUE(std::regex_match(line, match, kSample)) << line;
        if (match.empty()) {
            continue;
        }
        EXPECT_EQ(out.types.count(family_of(match[1], out.types)), 1u)
            << line << " before its TYPE";
        EXPECT_TRUE(out.samples.emplace(match[1].str() + match[2].str(), number(match[3])).second)
            << line << " twice";
    }
    return out;
}

class Metrics : public ::testing::Test {
  protected:
    Metrics() {
        snapshot_.cores = {{0, &cores_[0], 7}, {1, &cores_[1], 9}};
        snapshot_.qualify.rtt = {{0.01, 0.1, 1}, {5, 3, 0, 2}, 4.5};
        snapshot_.qualify.lag = {{0.01, 0.1, 1}, {0, 0, 0, 0}, 0};
        snapshot_.qualify.contacts_by_state = {1, 13, 2};
        snapshot_.screening = {{"friendly-scanner", 17}, {"sql_1", 0}};
        snapshot_.icmp = {.learned = 21, .ignored = 22, .other = 23, .path_mtus = 24};
        snapshot_.qualify.sent = 100;
        for (int i = 0; i < 3; ++i) {
            cores_[1].emergency(EmergencySender::kUnregistered);
        }
        snapshot_.qualify.answered = 10;
        snapshot_.qualify.outages = 3;
        snapshot_.qualify.outages_now = 1;
    }

    [[nodiscard]] Exposition exposed() const { return read(to_text(snapshot_)); }

    std::unique_ptr<CoreCounters[]> cores_ = std::make_unique<CoreCounters[]>(2);
    Snapshot snapshot_;
};

TEST_F(Metrics, CountsTheHitsOfEachRule) {
    const Exposition exposition = exposed();
    EXPECT_EQ(exposition.samples.at("pinhole_screen_hits_total{rule=\"friendly-scanner\"}"), 17);
    EXPECT_EQ(exposition.samples.at("pinhole_screen_hits_total{rule=\"sql_1\"}"), 0);
}

TEST_F(Metrics, NamesOfTheDesignAreThere) {
    const Exposition exposition = exposed();
    for (const char* name :
         {"pinhole_sip_requests_total", "pinhole_sip_responses_total", "pinhole_drops_total",
          "pinhole_rx_packets_total", "pinhole_tx_packets_total", "pinhole_cycles_total",
          "pinhole_handoffs_total", "pinhole_qualify_sent_total",
          "pinhole_qualify_answered_total"}) {
        EXPECT_EQ(exposition.types.count(name) != 0 ? exposition.types.at(name) : "", "counter")
            << name;
    }
    for (const char* name :
         {"pinhole_contacts", "pinhole_contacts_by_state", "pinhole_build_info"}) {
        EXPECT_EQ(exposition.types.count(name) != 0 ? exposition.types.at(name) : "", "gauge")
            << name;
    }
    for (const char* name : {"pinhole_qualify_rtt_seconds", "pinhole_qualify_lag_seconds"}) {
        EXPECT_EQ(exposition.types.count(name) != 0 ? exposition.types.at(name) : "", "histogram")
            << name;
    }
    for (const auto& [name, type] : exposition.types) {
        EXPECT_EQ(exposition.helped.count(name), 1u) << name;
        EXPECT_EQ(name.rfind("pinhole_", 0), 0u) << name;
        EXPECT_EQ(type == "counter", name.size() > 6 && name.substr(name.size() - 6) == "_total")
            << name;
    }
}

TEST_F(Metrics, EachCoreHasItsOwnFigures) {
    cores_[0].rx_packets.add(3);
    cores_[1].rx_packets.add(5);
    cores_[1].drop(DropReason::kNotSip);
    cores_[0].requests[static_cast<std::size_t>(MethodLabel::kRegister)].add(11);
    cores_[1].cycles_busy.add(17);
    cores_[0].responses[200].add(19);
    const auto samples = exposed().samples;
    EXPECT_EQ(samples.at("pinhole_rx_packets_total{core=\"0\"}"), 3);
    EXPECT_EQ(samples.at("pinhole_rx_packets_total{core=\"1\"}"), 5);
    EXPECT_EQ(samples.at("pinhole_drops_total{core=\"1\",reason=\"not_sip\"}"), 1);
    EXPECT_EQ(samples.at("pinhole_drops_total{core=\"0\",reason=\"not_sip\"}"), 0);
    EXPECT_EQ(samples.at("pinhole_emergency_requests_total{core=\"1\",sender=\"unregistered\"}"),
              3);
    EXPECT_EQ(samples.at("pinhole_emergency_requests_total{core=\"1\",sender=\"registered\"}"), 0);
    EXPECT_EQ(samples.at("pinhole_sip_requests_total{core=\"0\",method=\"REGISTER\"}"), 11);
    EXPECT_EQ(samples.at("pinhole_cycles_total{core=\"1\",state=\"busy\"}"), 17);
    EXPECT_EQ(samples.at("pinhole_cycles_total{core=\"1\",state=\"idle\"}"), 0);
    EXPECT_EQ(samples.at("pinhole_sip_responses_total{core=\"0\",code=\"200\"}"), 19);
    EXPECT_EQ(samples.count("pinhole_sip_responses_total{core=\"1\",code=\"200\"}"), 0u);
    EXPECT_EQ(samples.at("pinhole_contacts{core=\"0\"}"), 7);
    EXPECT_EQ(samples.at("pinhole_contacts{core=\"1\"}"), 9);
    EXPECT_EQ(samples.at("pinhole_contacts_by_state{state=\"reachable\"}"), 13);
    EXPECT_EQ(samples.at("pinhole_qualify_sent_total"), 100);
    EXPECT_EQ(samples.at("pinhole_outages_total"), 3);
    EXPECT_EQ(samples.at("pinhole_outages"), 1);
    EXPECT_EQ(samples.at("pinhole_icmp_errors_total{result=\"learned\"}"), 21);
    EXPECT_EQ(samples.at("pinhole_icmp_errors_total{result=\"ignored\"}"), 22);
    EXPECT_EQ(samples.at("pinhole_icmp_errors_total{result=\"other\"}"), 23);
    EXPECT_EQ(samples.at("pinhole_path_mtus"), 24);
}

TEST_F(Metrics, Keys) {
    snapshot_.keys.age_s = 3600;
    snapshot_.keys.count = 2;
    const Exposition exposition = exposed();
    EXPECT_EQ(exposition.samples.at("pinhole_key_age_seconds"), 3600);
    EXPECT_EQ(exposition.samples.at("pinhole_keys"), 2);
    EXPECT_EQ(exposition.types.at("pinhole_key_age_seconds"), "gauge");
}

TEST_F(Metrics, JournalOnlyWhereThereIsOne) {
    EXPECT_EQ(exposed().samples.count("pinhole_journal_whole"), 0U);
    snapshot_.journal = {.kept = true, .whole = false, .sync_age_s = 1.5, .lost = 7, .restored = 9};
    const Exposition exposition = exposed();
    EXPECT_EQ(exposition.samples.at("pinhole_journal_whole"), 0);
    EXPECT_EQ(exposition.samples.at("pinhole_journal_sync_age_seconds"), 1.5);
    EXPECT_EQ(exposition.samples.at("pinhole_journal_lost_total"), 7);
    EXPECT_EQ(exposition.samples.at("pinhole_journal_restored_contacts"), 9);
}

TEST_F(Metrics, CorePeersByTheirConfiguredNames) {
    cores_[1].no_peer.add(4);
    snapshot_.peers = {
        {"203.0.113.10:5060", true, PeerState::kUp, 60, 12, 1, 2, 0.0005},
        {"[2001:db8::5]:5070", true, PeerState::kDown, 5, 0, 3, 0, {}},
        {"203.0.113.12:5060", true, PeerState::kUnknown, 1, 0, 0, 0, {}},
        {"203.0.113.13:5060", false, PeerState::kUnknown, 1, 0, 0, 0, {}},
    };
    const auto samples = exposed().samples;
    const auto of = [&](const std::string& name, const std::string& labels) {
        const auto found = samples.find("pinhole_core_peer_" + name + "{" + labels + "}");
        return found == samples.end() ? -1.0 : found->second;
    };
    EXPECT_EQ(of("up", "peer=\"203.0.113.10:5060\""), 1);
    EXPECT_EQ(of("up", "peer=\"[2001:db8::5]:5070\""), 0);
    EXPECT_EQ(of("up", "peer=\"203.0.113.12:5060\""), 1) << "nothing speaks against it";
    EXPECT_EQ(of("up", "peer=\"203.0.113.13:5060\""), -1) << "of what is not checked, nothing";
    EXPECT_EQ(of("checks_total", "peer=\"203.0.113.10:5060\",result=\"answered\""), 12);
    EXPECT_EQ(of("checks_total", "peer=\"203.0.113.10:5060\",result=\"missed\""), 1);
    EXPECT_EQ(of("checks_total", "peer=\"203.0.113.10:5060\",result=\"refused\""), 2);
    EXPECT_EQ(of("rtt_seconds", "peer=\"203.0.113.10:5060\""), 0.0005);
    EXPECT_EQ(of("rtt_seconds", "peer=\"[2001:db8::5]:5070\""), -1);
    EXPECT_EQ(samples.at("pinhole_no_peer_total{core=\"1\"}"), 4);
}

TEST_F(Metrics, WhatComesOfPasswords) {
    cores_[1].auth[static_cast<std::size_t>(AuthResult::kWrong)].add(3);
    cores_[1].auth_uri_differs.add(2);
    auto samples = exposed().samples;
    for (const auto result : kAuthResultNames) {
        EXPECT_EQ(samples.at("pinhole_auth_requests_total{core=\"1\",result=\"" +
                             std::string(result) + "\"}"),
                  result == "wrong" ? 3 : 0);
    }
    EXPECT_EQ(samples.at("pinhole_auth_uri_differs_total{core=\"1\"}"), 2);
    EXPECT_EQ(samples.count("pinhole_subscribers"), 0U) << "nobody is asked for a password";
    snapshot_.subscribers = 10'000'000;
    samples = exposed().samples;
    EXPECT_EQ(samples.at("pinhole_subscribers"), 10'000'000);
}

TEST_F(Metrics, EveryDropReasonAndMethodHasASeries) {
    const auto samples = exposed().samples;
    for (const auto reason : kDropReasonNames) {
        EXPECT_EQ(
            samples.count("pinhole_drops_total{core=\"0\",reason=\"" + std::string(reason) + "\"}"),
            1u);
    }
    for (const auto method : kMethodLabelNames) {
        EXPECT_EQ(samples.count("pinhole_sip_requests_total{core=\"0\",method=\"" +
                                std::string(method) + "\"}"),
                  1u);
    }
}

// If what phones send made a series, they could multiply them. What a label may say is known when
// pinhole starts: the names here are all there are, and their values come from tables, from numbers
// with a bound, or from the operator (peer, rule).
TEST_F(Metrics, LabelsAreOfAClosedSet) {
    std::map<std::string, std::set<std::string>> tables{
        {"reason", {kDropReasonNames.begin(), kDropReasonNames.end()}},
        {"method", {kMethodLabelNames.begin(), kMethodLabelNames.end()}},
        {"sender", {kEmergencySenderNames.begin(), kEmergencySenderNames.end()}},
        {"host", {kOddContactNames.begin(), kOddContactNames.end()}},
        {"rank", {kRefusedNames.begin(), kRefusedNames.end()}},
        {"alg", {kAlgNames.begin(), kAlgNames.end()}},
        {"state", {"busy", "idle", "unknown", "reachable", "unreachable"}},
        {"result",
         {"answered", "missed", "refused", "learned", "ignored", "other", "survived", "lost"}},
        {"version", {PINHOLE_VERSION}}};
    tables["result"].insert(kAuthResultNames.begin(), kAuthResultNames.end());
    cores_[0].responses[699].add();
    for (const prometheus::MetricFamily& family : collect(snapshot_)) {
        for (const prometheus::ClientMetric& metric : family.metric) {
            for (const auto& label : metric.label) {
                if (label.name == "core" || label.name == "code") {
                    EXPECT_LT(std::stoul(label.value), 700U) << family.name;
                } else if (label.name != "peer" && label.name != "rule") {
                    ASSERT_EQ(tables.count(label.name), 1U) << family.name << " " << label.name;
                    EXPECT_EQ(tables.at(label.name).count(label.value), 1U)
                        << family.name << " " << label.name << "=" << label.value;
                }
            }
        }
    }
}

TEST_F(Metrics, BucketsAreCumulative) {
    const auto samples = exposed().samples;
    EXPECT_EQ(samples.at("pinhole_qualify_rtt_seconds_bucket{le=\"0.01\"}"), 5);
    EXPECT_EQ(samples.at("pinhole_qualify_rtt_seconds_bucket{le=\"0.1\"}"), 8);
    EXPECT_EQ(samples.at("pinhole_qualify_rtt_seconds_bucket{le=\"1\"}"), 8);
    EXPECT_EQ(samples.at("pinhole_qualify_rtt_seconds_bucket{le=\"+Inf\"}"), 10);
    EXPECT_EQ(samples.at("pinhole_qualify_rtt_seconds_count"), 10);
    EXPECT_DOUBLE_EQ(samples.at("pinhole_qualify_rtt_seconds_sum"), 4.5);
}

TEST_F(Metrics, LargeCountersKeepTheirUnits) {
    cores_[0].rx_packets.add(9'007'199'254'740'991);  // 2^53 - 1: the last that a double holds
    EXPECT_EQ(exposed().samples.at("pinhole_rx_packets_total{core=\"0\"}"),
              9'007'199'254'740'991.0);
}

TEST_F(Metrics, NoCoresNoHistogramsStillReads) {
    snapshot_ = {};
    const auto samples = exposed().samples;
    EXPECT_EQ(samples.at("pinhole_qualify_rtt_seconds_bucket{le=\"+Inf\"}"), 0);
}

TEST(Histogram, Quantiles) {
    const HistogramFigures figures{{0.01, 0.1, 1}, {5, 3, 0, 2}, 4.5};
    EXPECT_EQ(figures.total(), 10u);
    EXPECT_EQ(figures.quantile_s(0.5), 0.01);
    EXPECT_EQ(figures.quantile_s(0.8), 0.1);
    EXPECT_EQ(figures.quantile_s(0.99), 1);
    EXPECT_EQ(HistogramFigures{}.quantile_s(0.5), 0);
}

TEST(CollectorTest, AsksItsSourceAtEachScrape) {
    int asked = 0;
    const Collector collector([&asked] {
        ++asked;
        return Snapshot{};
    });
    EXPECT_FALSE(collector.Collect().empty());
    EXPECT_FALSE(collector.Collect().empty());
    EXPECT_EQ(asked, 2);
}

}  // namespace
}  // namespace pinhole::metrics
