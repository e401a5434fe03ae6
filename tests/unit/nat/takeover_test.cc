// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/nat/takeover.h"

#include <gtest/gtest.h>

#include <vector>

namespace pinhole::nat {
namespace {

struct Phone {
    const char* uri = "sip:100@192.168.1.10:5060";
    const char* instance = "";
    std::uint16_t agent = 1;
    bool suspect = false;
};

table::ContactView view_of(const Phone& phone) {
    table::ContactView view;
    view.uri = phone.uri;
    const std::string_view instance = phone.instance;
    view.params = {instance, instance};
    view.state.flags =
        static_cast<std::uint16_t>(phone.agent << table::kAgentShift | table::kSameCall |
                                   (phone.suspect ? table::kSuspect : 0));
    return view;
}

constexpr const char* kDesk = "<urn:uuid:00000000-0000-1000-8000-00156500cafe>";
constexpr const char* kHall = "<urn:uuid:00000000-0000-1000-8000-00156500beef>";

TEST(Takeover, WhatMakesTwoContactsOnePhone) {
    const struct {
        const char* what;
        Phone a, b;
        bool same;
    } cases[] = {
        {"two lines", {}, {.uri = "sip:101@192.168.1.10:5060;line=2"}, true},
        {"a line each port", {}, {.uri = "sip:101@192.168.1.10:5062"}, true},
        {"another host", {}, {.uri = "sip:101@192.168.1.11:5060"}, false},
        {"a name, in any case",
         {.uri = "sip:100@Phone.local"},
         {.uri = "sip:101@phone.LOCAL"},
         true},
        {"IPv6", {.uri = "sip:1@[fd00::1]:5060"}, {.uri = "sip:2@[fd00::1]"}, true},
        {"an ALG's address, another make",
         {.uri = "sip:100@67.194.23.55:32947"},
         {.uri = "sip:101@67.194.23.55:32947", .agent = 2},
         false},
        {"an ALG's address, the same make",
         {.uri = "sip:100@67.194.23.55:32947"},
         {.uri = "sip:101@67.194.23.55:32947"},
         true},
        {"the same instance, whatever else",
         {.instance = kDesk},
         {.uri = "sip:101@10.0.0.9", .instance = kDesk, .agent = 2},
         true},
        {"another instance with the same address", {.instance = kDesk}, {.instance = kHall}, false},
        {"an instance on one side alone", {.instance = kDesk}, {}, true},
        {"the same, another host",
         {.instance = kDesk},
         {.uri = "sip:101@192.168.1.11:5060"},
         false},
        {"no URI to be read", {.uri = "broken"}, {}, false},
    };
    for (const auto& c : cases) {
        EXPECT_EQ(same_phone(view_of(c.a), view_of(c.b)), c.same) << c.what;
        EXPECT_EQ(same_phone(view_of(c.b), view_of(c.a)), c.same) << c.what;
    }
}

TEST(Takeover, ThePulse) {
    constexpr std::uint32_t kLong = kShortestMapping_ms;
    const Moment now{.ms = 10'000'000, .s = 5000};
    const auto ms_ago = [&](std::uint32_t ms) { return now.stamp_ms() - ms; };
    using table::QualifyView;
    using table::Reach;
    const QualifyView never{};
    const QualifyView answered{.state = Reach::kReachable,
                               .flags = QualifyView::kEverAnswered,
                               .last_ping_ms = ms_ago(kLong - 1)};
    QualifyView long_ago = answered;
    long_ago.last_ping_ms = ms_ago(kLong);
    QualifyView waits = answered;
    waits.flags |= QualifyView::kWaiting;
    QualifyView missed = answered;
    missed.missed = 1;
    QualifyView given_up = missed;
    given_up.state = Reach::kUnreachable;
    QualifyView never_answered{.missed = 9, .last_ping_ms = ms_ago(1)};
    const table::Life none{};
    const struct {
        const char* what;
        std::uint32_t registered_ms_ago;
        QualifyView pings;
        table::Life life;
        Pulse pulse;
    } cases[] = {
        {"just registered", kLong - 1, never, none, Pulse::kLively},
        {"the clock of another worker is ahead", ~0U, never, none, Pulse::kLively},
        {"registered long ago", kLong, never, none, Pulse::kUnknown},
        {"a ping answered", kLong, answered, none, Pulse::kLively},
        {"that was long ago", kLong, long_ago, none, Pulse::kUnknown},
        {"the last is not answered yet", kLong, waits, none, Pulse::kUnknown},
        {"missed one", kLong, missed, none, Pulse::kSilent},
        {"given up", kLong, given_up, none, Pulse::kSilent},
        {"never answered any", kLong, never_answered, none, Pulse::kUnknown},
        {"spoke in a call", kLong, missed, {table::Proof::kDialog, ms_ago(4)}, Pulse::kLively},
        {"long ago too", kLong, missed, {table::Proof::kDialog, ms_ago(kLong)}, Pulse::kSilent},
        {"no proof", kLong, missed, {table::Proof::kNone, ms_ago(4)}, Pulse::kSilent},
    };
    for (const auto& c : cases) {
        table::ContactState state;
        state.refreshed_at_ms = ms_ago(c.registered_ms_ago);
        EXPECT_EQ(pulse_of(state, c.pings, c.life, now), c.pulse) << c.what;
    }
}

struct Case {
    const char* what;
    std::vector<std::pair<Phone, Pulse>> holders;
    bool proven;
    std::uint32_t lost;
};

TEST(Takeover, WhoHasLostTheFlow) {
    const Phone newcomer{.uri = "sip:200@192.168.1.20:5060"};
    const Phone dead{.uri = "sip:100@192.168.1.10:5060"};
    const Phone line_two{.uri = "sip:101@192.168.1.10:5060"};
    const Phone own_line{.uri = "sip:201@192.168.1.20:5060"};
    const Phone hall{.uri = "sip:300@192.168.1.30:5060"};
    Phone suspect = dead;
    suspect.suspect = true;
    Phone suspect_hall = hall;
    suspect_hall.suspect = true;
    using enum Pulse;
    const Case cases[] = {
        {"the port was another phone's", {{dead, kUnknown}}, true, 1},
        {"of all its lines", {{dead, kSilent}, {line_two, kUnknown}}, true, 3},
        {"a second line of the newcomer's", {{own_line, kUnknown}}, true, 0},
        {"no gateway forgets so soon", {{dead, kLively}}, true, 0},
        {"nor if another line was heard of", {{dead, kSilent}, {line_two, kLively}}, true, 0},
        {"already suspect", {{suspect, kUnknown}}, true, 0},
        {"a suspect's pulse is the new phone's", {{suspect, kLively}, {hall, kUnknown}}, true, 2},
        {"an exchange's phones", {{dead, kUnknown}, {hall, kUnknown}}, true, 0},
        {"two that lost it, one after the other",
         {{suspect, kUnknown}, {suspect_hall, kUnknown}},
         true,
         0},
        {"nobody has shown a password, and it may be alive", {{dead, kUnknown}}, false, 0},
        {"but it has fallen silent", {{dead, kSilent}}, false, 1},
        {"one of two has", {{dead, kUnknown}, {line_two, kSilent}}, false, 2},
        {"nobody", {}, true, 0},
    };
    for (const Case& c : cases) {
        std::vector<Holder> holders;
        for (const auto& [phone, pulse] : c.holders) {
            holders.push_back({view_of(phone), pulse});
        }
        EXPECT_EQ(displaced(view_of(newcomer), holders, c.proven), c.lost) << c.what;
    }
}

}  // namespace
}  // namespace pinhole::nat
