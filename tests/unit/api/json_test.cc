// SPDX-License-Identifier: BSD-3-Clause
#include "control/api/json.h"

#include "control/api/routes.h"
#include "tests/unit/api/fake_system.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <algorithm>

namespace pinhole::api {
namespace {

TEST(Json, TextFromTheWireIsHarmless) {
    FakeSystem system;
    const std::string text = dump(to_json(*system.show("sip:100@example.com")));
    EXPECT_TRUE(std::all_of(text.begin(), text.end(),
                            [](char c) { return c == '\n' || (c >= 0x20 && c < 0x7f); }));
    EXPECT_THAT(text, ::testing::HasSubstr("\\u001b[31m"));
    EXPECT_TRUE(nlohmann::json::accept(text));
}

TEST(Json, StatusHasQuantilesAndStates) {
    FakeSystem system;
    const nlohmann::json status = to_json(system.status());
    EXPECT_EQ(status["qualify"]["rtt"]["p50_s"], 0.01);
    EXPECT_EQ(status["qualify"]["rtt"]["p99_s"], 0.1);
    EXPECT_EQ(status["qualify"]["contacts_by_state"]["reachable"], 2);
    EXPECT_EQ(status["keys"]["age_s"], 19'200);
    EXPECT_EQ(status["keys"]["next_in_s"], 67'200);
    EXPECT_EQ(status["ports"][0]["sip_ports"], (std::vector<int>{5060, 5080}));
    EXPECT_EQ(status["peers"][0]["peer"], "203.0.113.10:5060");
    EXPECT_EQ(status["peers"][0]["state"], "up");
    EXPECT_EQ(status["peers"][0]["rtt_s"], 0.0004);
    EXPECT_EQ(status["peers"][1]["state"], "down");
    EXPECT_EQ(status["peers"][1]["missed"], 14);
    EXPECT_TRUE(status["peers"][1]["rtt_s"].is_null());
}

TEST(CoreStatusTest, SumsDropsAndPicksRegisters) {
    const auto counters = std::make_unique<CoreCounters>();
    counters->drop(DropReason::kNotSip);
    counters->drop(DropReason::kTxFull);
    counters->requests[static_cast<std::size_t>(MethodLabel::kRegister)].add(5);
    counters->requests[static_cast<std::size_t>(MethodLabel::kInvite)].add(9);
    const CoreStatus status = core_status({3, counters.get(), 11});
    EXPECT_EQ(status.core, 3u);
    EXPECT_EQ(status.contacts, 11u);
    EXPECT_EQ(status.drops, 2u);
    EXPECT_EQ(status.registers, 5u);
}

TEST(WithScheme, AddsItOnlyIfMissing) {
    EXPECT_EQ(with_scheme("a@b"), "sip:a@b");
    EXPECT_EQ(with_scheme("sip:a@b"), "sip:a@b");
    EXPECT_EQ(with_scheme("SIPS:a@b"), "SIPS:a@b");
    EXPECT_EQ(with_scheme("sipper@b"), "sip:sipper@b");
    EXPECT_EQ(with_scheme(""), std::nullopt);
    EXPECT_EQ(with_scheme("a b"), std::nullopt);
    EXPECT_EQ(with_scheme("a\r\nb"), std::nullopt);
}

}  // namespace
}  // namespace pinhole::api
