// SPDX-License-Identifier: BSD-3-Clause
#include "control/api/top.h"

#include "control/api/json.h"
#include "tests/unit/api/fake_system.h"

#include <gtest/gtest.h>

#include <limits>
#include <sstream>
#include <string>

namespace pinhole::api {
namespace {

constexpr std::size_t kAllRows = std::numeric_limits<std::size_t>::max();

Reading reading(const Status& status, const std::vector<CoreStatus>& cores, double at_s) {
    return {nlohmann::json::parse(dump(to_json(status))),
            nlohmann::json::parse(dump(to_json(cores))), at_s};
}

// Two seconds, in which core 1 took 5,000 packets, was busy for 1 part of 4 and dropped one.
struct TwoReadings {
    TwoReadings() {
        status = system.status();
        cores = system.cores();
        before = reading(status, cores, 100);
        status.uptime_s += 2;
        status.qualify.sent += 200;
        status.qualify.answered += 100;
        status.qualify.rtt.counts = {500, 589, 1, 0};
        cores[0].rx_packets += 5000;
        cores[0].registers += 246'000;
        cores[0].calls_in += 1;
        cores[0].calls_out += 2;
        cores[0].drops += 1;
        cores[0].cycles_busy += 100;
        cores[0].cycles_idle += 300;
        after = reading(status, cores, 102);
    }
    FakeSystem system;
    Status status;
    std::vector<CoreStatus> cores;
    Reading before, after;
};

TEST(Top, RatesAreOfTheTimeBetweenAlone) {
    const TwoReadings two;
    const auto rates = top_rates(two.before, two.after);
    EXPECT_EQ(rates["interval_s"], 2.0);
    EXPECT_EQ(rates["restarted"], false);
    EXPECT_EQ(rates["sent_per_s"], 100.0);
    EXPECT_EQ(rates["answered_per_s"], 50.0);
    EXPECT_EQ(rates["rtt_p99_s"], 0.1);
    EXPECT_TRUE(rates["lag_p99_s"].is_null());
    const auto& core = rates["cores"][0];
    EXPECT_EQ(core["rx_packets_per_s"], 2500.0);
    EXPECT_EQ(core["drops_per_s"], 0.5);
    EXPECT_EQ(core["busy"], 0.25);
}

TEST(Top, QuantilesForgetWhatWasBefore) {
    TwoReadings two;
    two.status.qualify.rtt.counts = {500, 489, 11, 0};
    two.after = reading(two.status, two.cores, 102);
    EXPECT_EQ(top_rates(two.before, two.after)["rtt_p99_s"], 1.0);
}

TEST(Top, Page) {
    const TwoReadings two;
    EXPECT_EQ(top_text(top_rates(two.before, two.after), kAllRows),
              "pinhole 9.9, up 1 d 2 h, rates over 2.0 s\n"
              "contacts 3 of 1,000,000 (0.0 %), 2 AORs\n"
              "states   2 reachable, 0 unreachable, 1 unknown\n"
              "pings    100/s sent, 50/s answered, 0/s missed\n"
              "99 % of  lag -, round trip 100 ms\n"
              "\n"
              "core  cpu    busy contacts REGISTER  calls  pings  pongs     rx     tx  drops\n"
              "   1    3  25.0 %        3     123k    1.5      0      0   2500      0    0.5\n");
}

TEST(Top, ARestartShowsNoNonsense) {
    TwoReadings two;
    two.status.uptime_s = 1;
    two.after = reading(two.status, two.cores, 102);
    const auto rates = top_rates(two.before, two.after);
    EXPECT_EQ(rates["restarted"], true);
    EXPECT_EQ(rates["cores"][0]["rx_packets_per_s"], 0.0);
    EXPECT_NE(top_text(rates, kAllRows).find("RESTARTED"), std::string::npos);
}

TEST(Top, FitsTheTerminal) {
    TwoReadings two;
    CoreStatus widest;
    widest.core = 128;
    widest.cpu = 255;
    two.before = reading(two.status, std::vector(40, widest), 0);
    widest.contacts = widest.rx_packets = widest.tx_packets = widest.drops = widest.registers =
        widest.calls_in = widest.pings_sent = widest.pongs = 987'654'321'987'654;
    widest.cycles_busy = 1;
    two.after = reading(two.status, std::vector(40, widest), 1);
    const auto rates = top_rates(two.before, two.after);
    std::istringstream lines(top_text(rates, 24));
    std::size_t count = 0;
    for (std::string line; std::getline(lines, line); ++count) {
        EXPECT_LE(line.size(), 80u) << line;
    }
    EXPECT_LT(count, 24u);
    EXPECT_NE(top_text(rates, 24).find("cores more"), std::string::npos);
    EXPECT_EQ(top_text(rates, kAllRows).find("cores more"), std::string::npos);
}

TEST(Top, AnotherVersionsAnswersAreNoReasonToFall) {
    const Reading odd{nlohmann::json::parse(R"({"qualify": 7, "version": 3})"),
                      nlohmann::json::parse(R"({"cores": [1, {"core": "x"}]})"), 0};
    EXPECT_FALSE(top_text(top_rates(odd, odd), 24).empty());
    const Reading nothing;
    EXPECT_FALSE(top_text(top_rates(nothing, nothing), 1).empty());
}

}  // namespace
}  // namespace pinhole::api
