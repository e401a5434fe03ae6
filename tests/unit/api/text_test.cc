// SPDX-License-Identifier: BSD-3-Clause
#include "control/api/text.h"

#include "control/api/json.h"
#include "tests/unit/api/fake_system.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <sstream>
#include <string>

namespace pinhole::api {
namespace {

// As it comes out of the socket.
nlohmann::json over_the_wire(const nlohmann::json& value) {
    return nlohmann::json::parse(dump(value));
}

TEST(Text, Status) {
    FakeSystem system;
    EXPECT_EQ(status_text(over_the_wire(to_json(system.status()))),
              "pinhole 9.9, up 1 d 2 h\n"
              "workers     2\n"
              "contacts    3 of 1,000,000 (0.0 %), 2 AORs\n"
              "states      2 reachable, 0 unreachable, 1 never answered\n"
              "pings       1,000 sent, 990 answered (99.0 %)\n"
              "round trip  10.0 ms (median), 100 ms (99th percentile)\n"
              "removed     0 expired, 0 unreachable\n"
              "memory      700 MB, hugepages\n"
              "keys        3, the newest 5 h 20 min old, the next in 18 h 40 min\n"
              "journal     none: bindings end with pinhole\n"
              "port eth0   af_packet:eth0, up, 02:00:00:00:00:01, both, 1 queue\n"
              "            198.51.100.1 2001:db8::1, UDP 5060 5080\n"
              "core peer   203.0.113.10:5060, up for 1 d 2 h, round trip 0.4 ms\n"
              "core peer   [2001:db8::5]:5070, DOWN for 59 s\n");
}

TEST(Text, StatusTellsWhenNoCorePeerIsUp) {
    FakeSystem system;
    Status status = system.status();
    constexpr const char* kNone = "NO CORE PEER IS UP";
    const auto said = [&] { return status_text(over_the_wire(to_json(status))); };
    EXPECT_EQ(said().find(kNone), std::string::npos);
    status.peers[0].state = metrics::PeerState::kDown;
    EXPECT_NE(said().find(kNone), std::string::npos) << said();
    status.peers[0] = {"203.0.113.10:5060"};
    EXPECT_NE(said().find("203.0.113.10:5060, not checked\n"), std::string::npos) << said();
    status.peers.clear();
    EXPECT_EQ(said().find(kNone), std::string::npos);
}

TEST(Text, StatusOfKeys) {
    FakeSystem system;
    Status status = system.status();
    const auto says = [&](const char* what) {
        return status_text(over_the_wire(to_json(status))).find(what) != std::string::npos;
    };
    status.keys = {.kept = false, .count = 1, .age_s = 60, .rotate_every_s = 0, .overdue = false};
    EXPECT_TRUE(says("keys        1, the newest 1 min old, no next; lost at a restart\n"));
    status.keys = {
        .kept = true, .count = 8, .age_s = 90'000, .rotate_every_s = 86'400, .overdue = true};
    EXPECT_TRUE(says("8, the newest 1 d 1 h old, the next can't be written: see the log\n"));
    status.keys.overdue = false;
    EXPECT_TRUE(says("the next in 0 s\n"));
}

TEST(Text, StatusOfTheJournal) {
    FakeSystem system;
    Status status = system.status();
    const auto says = [&](const char* what) {
        return status_text(over_the_wire(to_json(status))).find(what) != std::string::npos;
    };
    status.journal = {.kept = true, .restored = 1234};
    EXPECT_TRUE(says("journal     whole, 1,234 contacts came back\n"));
    status.journal.whole = false;
    EXPECT_TRUE(says("journal     BEHIND, see the log"));
    EXPECT_FALSE(says(", draining\n"));
    status.draining = true;
    EXPECT_TRUE(says(", draining\n"));
}

TEST(Text, Cores) {
    FakeSystem system;
    EXPECT_EQ(cores_text(over_the_wire(to_json(system.cores()))),
              "core  cpu    busy  contacts  REGISTER  calls  pings  pongs     rx  tx  drops\n"
              "   1    3  25.0 %         3         0      0      0      0  12.3M   0      0\n");
}

TEST(Text, CoresFitEightyColumnsAtTheirWidest) {
    CoreStatus core;
    core.core = 10;
    core.cpu = 100;
    core.cycles_busy = 1;
    core.contacts = core.registers = core.calls_in = core.pings_sent = core.pongs =
        core.rx_packets = core.tx_packets = core.drops = 123'456'789'012;
    std::istringstream lines(cores_text(to_json(std::vector{core})));
    for (std::string line; std::getline(lines, line);) {
        EXPECT_LE(line.size(), 80u) << line;
    }
}

TEST(Text, Show) {
    FakeSystem system;
    EXPECT_EQ(show_text(over_the_wire(to_json(*system.show("sip:100@example.com")))),
              "sip:100@example.com, 2 contacts\n"
              "  sip:100@192.168.1.10:5060\n"
              "    reached at  67.194.23.55:32947 from 198.51.100.1:5060 on eth0\n"
              "    state       reachable, round trip 12.3 ms\n"
              "    registered  35 s ago, expires in 59 min 25 s\n"
              "    id          18446744073709551600, q 1\n"
              "    CSeq        7\n"
              "    parameters  ;x=\"Yealink ?[31mT46\xef\xbf\xbd\"\n"
              "  sip:100@192.168.1.11:5060\n"
              "    reached at  67.194.23.55:32947 from 198.51.100.1:5060 on eth0\n"
              "    state       unknown: has never answered a ping\n"
              "    registered  35 s ago, expires in 59 min 25 s\n"
              "    id          2, q 1\n"
              "    CSeq        7\n"
              "    parameters  ;x=\"Yealink ?[31mT46\xef\xbf\xbd\"\n");
}

TEST(Text, ShowAndListTellOfASuspect) {
    FakeSystem system;
    AorBindings bindings = *system.show("sip:100@example.com");
    EXPECT_EQ(show_text(to_json(bindings)).find("SUSPECT"), std::string::npos);
    bindings.bindings[0].at_contact = true;
    EXPECT_NE(show_text(to_json(bindings)).find("Contact names\n"), std::string::npos);
    bindings.bindings[0].suspect = true;
    EXPECT_NE(show_text(to_json(bindings)).find("state       SUSPECT: another phone has"),
              std::string::npos);
    EXPECT_NE(list_text(to_json(ListPage{{bindings}, ""})).find("32947  suspect  "),
              std::string::npos);
}

TEST(Text, WhatGatewaysDoToSip) {
    FakeSystem system;
    AorBindings bindings = *system.show("sip:100@example.com");
    EXPECT_EQ(show_text(to_json(bindings)).find("ALG"), std::string::npos);
    Story story = *system.why("sip:100@example.com");
    const std::pair<const char*, std::pair<const char*, const char*>> cases[] = {
        {"consistent", {"    ALG         its gateway rewrites SIP, consistently\n", "example.com"}},
        {"half", {"    ALG         HALF: ", "in some places and not in others: turn SIP ALG off"}},
        {"broken", {"    ALG         BROKEN: ", "Its gateway breaks SIP"}}};
    for (const auto& [alg, said] : cases) {
        bindings.bindings[0].alg = story.contacts[0].binding->alg = alg;
        EXPECT_NE(show_text(over_the_wire(to_json(bindings))).find(said.first), std::string::npos);
        EXPECT_NE(why_text(over_the_wire(to_json(story))).find(said.second), std::string::npos);
    }
    Nat nat = system.nat(10);
    const auto says = [&](const char* what) {
        return nat_text(over_the_wire(to_json(nat))).find(what) != std::string::npos;
    };
    nat.largest[0].rewritten = {21, 0, 0};
    EXPECT_TRUE(says("  0.5 %  50 %  Yealink"));
    nat.largest[0].rewritten = {20, 0, 1};
    EXPECT_TRUE(says("  0.5 %  50 %!  Yealink"));
}

TEST(Text, List) {
    FakeSystem system;
    EXPECT_EQ(list_text(over_the_wire(to_json(*system.list("", 1, "")))),
              "AOR                  REACHED AT          STATE       EXPIRES IN\n"
              "sip:100@example.com  67.194.23.55:32947  reachable  59 min 25 s\n"
              "sip:100@example.com  67.194.23.55:32947  unknown    59 min 25 s\n"
              "There are more: raise --limit or narrow --prefix.\n");
    EXPECT_EQ(list_text(to_json(ListPage{})), "no binding\n");
}

TEST(Text, Nat) {
    FakeSystem system;
    EXPECT_EQ(
        nat_text(over_the_wire(to_json(system.nat(9)))),
        "43 phones behind 2 gateways\n"
        "OUTAGE: all 42 phones of 67.194.23.0/24 silent for 12 min 34 s\n"
        "GATEWAY            PHONES  REBINDS  MISSED  ALG  KIND     OF IT  PINGED EVERY  SURVIVES  "
        "DIES AT\n"
        "67.194.23.55           42        3   0.5 %    -  Yealink     40         141 s     148 s  "
        "  192 s\n"
        "                                                 other        2          25 s         -  "
        "      -\n"
        "2001:db8:1:2::/64       1        0   0.0 %    -  snom         1          25 s         -  "
        "      -\n");
    EXPECT_NE(nat_text(to_json(Nat{})).find("intervals are not learned"), std::string::npos);
}

TEST(Text, WhyInWords) {
    FakeSystem system;
    EXPECT_EQ(
        why_text(over_the_wire(to_json(*system.why("sip:100@example.com")))),
        "sip:100@example.com\n"
        "  sip:100@192.168.1.10:5060 at 67.194.23.55:32947\n"
        "    It should ring: it last answered a ping 12 s ago.\n"
        "             1 h ago  registered, seen at port 32947\n"
        "            12 s ago  140 pings answered, round trip 12.3 ms\n"
        "                 now  waits for the answer to a ping\n"
        "  a contact that it had\n"
        "    It is gone: it was removed 1 min 40 s ago, having answered no ping for so long.\n"
        "     11 min 40 s ago  3 pings got no answer\n"
        "     11 min 40 s ago  taken for unreachable\n"
        "      1 min 40 s ago  removed, having been unreachable for so long\n");
}

TEST(Text, WhyForEveryState) {
    FakeSystem system;
    Story story = *system.why("sip:100@example.com");
    story.contacts.pop_back();
    const auto says = [&](const char* what) {
        const std::string said = why_text(over_the_wire(to_json(story)));
        return said.find(what) != std::string::npos ? "" : said;
    };
    ContactStory& contact = story.contacts[0];
    contact.binding->state = metrics::ContactState::kUnknown;
    EXPECT_EQ(says("It should ring: it registered by this mapping"), "");
    contact.events.push_back({"missed", 2, 3, std::nullopt, std::nullopt});
    EXPECT_EQ(says("It may ring: it has answered no ping by this mapping"), "");
    contact.binding->state = metrics::ContactState::kUnreachable;
    contact.events.push_back({"unreachable", 1, 90, std::nullopt, std::nullopt});
    EXPECT_EQ(says("fell silent 1 min 30 s ago; its calls get 480 until"), "");
    story.tries_unreachable = true;
    EXPECT_EQ(says("fell silent 1 min 30 s ago; calls are sent there all the same."), "");
    contact.events.push_back({"outage", 1, 95, std::nullopt, std::nullopt});
    EXPECT_EQ(says("all phones of its gateway or prefix fell silent 1 min 35 s ago. The access"),
              "");
    contact.events.push_back({"unreachable", 1, 7, std::nullopt, std::nullopt});
    EXPECT_EQ(says("used to answer pings and fell silent 7 s ago; calls"), "");
    contact.binding->suspect = true;
    contact.events.push_back({"suspected", 1, 40, std::nullopt, std::nullopt});
    EXPECT_EQ(says("It does not ring: another phone has registered by its mapping 40 s ago"), "");
    contact.binding.reset();
    contact.events.push_back({"expired", 1, 0, std::nullopt, std::nullopt});
    EXPECT_EQ(says("It is gone: its registration ran out just now and was not refreshed."), "");
    contact.events.push_back({"removed", 1, 5, std::nullopt, std::nullopt});
    EXPECT_EQ(says("It is gone: it signed off 5 s ago, or gave way to another contact"), "");
    for (const char* event : {"refreshed", "spoke", "moved", "back", "suspected", "trusted",
                              "retargeted", "something new"}) {
        contact.events = {{event, 3, 5, std::nullopt, 1024}};
        EXPECT_EQ(says("5 s ago"), "") << event;
    }
    story.contacts.clear();
    EXPECT_EQ(says("It is not registered, so its calls get 404"), "");
    story.kept = false;
    EXPECT_EQ(says("[qualify] ledger is off"), "");
}

TEST(Text, OddAnswersDontThrow) {
    for (const char* odd :
         {"{}",
          R"({"ports": 3, "peers": [{"peer": 1, "for_s": "x"}, 7], "qualify": [], "contacts": "x",)"
          R"("version": 1})",
          R"({"cores": [1, {"cpu": -1}], "aors": [3], "bindings": ["x"], "aor": null})"}) {
        const auto value = nlohmann::json::parse(odd);
        EXPECT_NO_THROW({
            (void)status_text(value);
            (void)cores_text(value);
            (void)show_text(value);
            (void)list_text(value);
            (void)why_text(value);
            (void)nat_text(value);
        }) << odd;
    }
}

TEST(Text, Numbers) {
    EXPECT_EQ(grouped(0), "0");
    EXPECT_EQ(grouped(999), "999");
    EXPECT_EQ(grouped(1'234'567), "1,234,567");
    EXPECT_EQ(shortened(99'999), "99999");
    EXPECT_EQ(shortened(100'000), "100k");
    EXPECT_EQ(shortened(999'499), "999k");
    EXPECT_EQ(shortened(999'500), "1.00M");
    EXPECT_EQ(shortened(12'345'678), "12.3M");
    EXPECT_EQ(shortened(UINT64_MAX), "18.4E");
    EXPECT_EQ(duration(0), "0 s");
    EXPECT_EQ(duration(60), "1 min");
    EXPECT_EQ(duration(3'599), "59 min 59 s");
    EXPECT_EQ(duration(93'784), "1 d 2 h");
}

}  // namespace
}  // namespace pinhole::api
