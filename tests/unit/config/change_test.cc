// SPDX-License-Identifier: BSD-3-Clause
// Which changed keys are told as live, and that just those are taken up.
#include "control/config/change.h"

#include "control/config/load.h"
#include "control/config/schema.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace pinhole::config {
namespace {

constexpr const char* kFile = R"([[port]]
device = "af_packet:eth0"
[registrar]
domains = ["example.com"]
[auth]
mode = "off"
[core]
peers = ["203.0.113.10"]
)";

Config parsed(const std::string& more = "") {
    const Loaded loaded = parse(kFile + more);
    EXPECT_TRUE(loaded.ok()) << describe(loaded.issues, "test");
    return loaded.config;
}

TEST(Change, NoneIsNone) {
    EXPECT_TRUE(differences(parsed(), parsed()).empty());
}

TEST(Change, TellsWhatWasAndWhatIs) {
    Config next = parsed();
    next.registrar.min_expires = 61;
    next.core.peers[0].port = 5062;
    const auto found = differences(parsed(), next);
    ASSERT_EQ(found.size(), 2U);
    EXPECT_EQ(found[0].key, "registrar.min_expires");
    EXPECT_EQ(found[0].was, "60");
    EXPECT_EQ(found[0].now, "61");
    EXPECT_TRUE(found[0].live);
    EXPECT_EQ(found[1].key, "core.peers");
    EXPECT_EQ(found[1].now, "[\"203.0.113.10:5062\"]");
}

TEST(Change, NamesWhatNeedsARestart) {
    Config next = parsed();
    next.dataplane.workers = 2;
    next.ports[0].sip_ports = {5080};
    next.qualify.enabled = false;
    next.qualify.gateways = 100;
    next.qualify.gateway_prefix_v4 = 24;
    next.qualify.ledger = false;
    next.auth.realm = "another";
    for (const Difference& each : differences(parsed(), next)) {
        EXPECT_FALSE(each.live) << each.key;
    }
    EXPECT_EQ(differences(parsed(), next).size(), 7U);
    EXPECT_EQ(differences(parsed(), next)[1].key, "port[0].sip_port");
    next.ports.emplace_back();
    EXPECT_EQ(differences(parsed(), next)[0].key, "port");
}

// Whatever key is changed: taken up if it is told as live, and not if not.
TEST(Change, TakesUpWhatItSaysIsLive) {
    for (const Property& property : properties()) {
        Config next = parsed();
        Port& port = next.ports[0];
        struct {
            void operator()(bool* value) const { *value = !*value; }
            void operator()(std::uint32_t* value) const { ++*value; }
            void operator()(std::uint64_t* value) const { ++*value; }
            void operator()(std::string* value) const { *value += "x"; }
            void operator()(Choice value) const { *value.value = *value.value == 0 ? 1 : 0; }
            void operator()(DeviceSpec* value) const { value->argument += "x"; }
            void operator()(Listen* value) const { ++value->port; }
            void operator()(std::vector<std::uint16_t>* value) const { value->push_back(7); }
            void operator()(std::vector<std::uint32_t>* value) const { value->push_back(7); }
            void operator()(std::vector<std::string>* value) const { value->emplace_back("x"); }
            void operator()(std::vector<net::Address>* value) const { value->emplace_back(); }
            void operator()(std::vector<Domain>* value) const { value->push_back({"x", {}, 0}); }
            void operator()(std::vector<Peer>* value) const { value->push_back({{}, 7}); }
        } change;
        std::visit(change, property.field(next, port));
        const auto found = differences(parsed(), next);
        ASSERT_EQ(found.size(), 1U) << property.section << "." << property.name;
        const Config taken = taken_up(parsed(), next);
        EXPECT_EQ(differences(taken, next).empty(), found[0].live) << found[0].key;
        EXPECT_EQ(differences(parsed(), taken).empty(), !found[0].live) << found[0].key;
    }
}

}  // namespace
}  // namespace pinhole::config
