// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/route/ping.h"

#include "tests/unit/route/world.h"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <utility>
#include <vector>

namespace pinhole::route {
namespace {

std::string ping_text(World& world, table::ContactId id, std::string_view uri,
                      std::string_view aor = "100@example.com",
                      const net::Flow& by = World::phone_flow()) {
    std::array<char, 2048> buffer;
    sip::Writer out(buffer.data(), buffer.size());
    EXPECT_TRUE(build_ping({id, by, uri, aor}, *world.keys, world.now_us, out));
    return std::string(out.view());
}

TEST(Ping, IsACompleteRequest) {
    World world;
    const Sent ping{{}, ping_text(world, {1, 1}, "sip:100@192.168.1.10:5060;line=a1b2;ob")};
    sip::Message message;
    ASSERT_EQ(sip::parse(ping.text, message), sip::ParseError::kOk) << ping.text;
    EXPECT_EQ(ping.first_line(), "OPTIONS sip:100@192.168.1.10:5060;line=a1b2;ob SIP/2.0");
    EXPECT_TRUE(ping.has("Via: SIP/2.0/UDP 198.51.100.1:5060;rport;branch=z9hG4bKP"));
    EXPECT_TRUE(ping.has("\r\nTo: <sip:100@example.com>\r\n"));
    EXPECT_TRUE(ping.has("\r\nFrom: <sip:ping@198.51.100.1>;tag="));
    EXPECT_TRUE(ping.has("\r\nMax-Forwards: 70\r\n"));
    EXPECT_EQ(message.method, sip::Method::kOptions);
    EXPECT_EQ(message.content_length, 0);
}

TEST(Ping, ItsBranchNamesTheSlot) {
    World world;
    for (const std::uint32_t slot : {0U, 1U, 0x0102'0304U, 0xffff'ffffU}) {
        const std::string ping = ping_text(world, {slot, 7}, "sip:a@b");
        const std::size_t begin = ping.find("z9hG4bKP");
        const std::string_view branch(ping.data() + begin, ping.find("\r\n", begin) - begin);
        EXPECT_EQ(slot_named_by(branch), slot);
        EXPECT_EQ(slot_named_by(branch.substr(1)), std::nullopt);
        EXPECT_EQ(slot_named_by(branch.substr(0, branch.size() - 1)), std::nullopt);
        std::string broken(branch);
        broken[9] = '\x80';
        EXPECT_EQ(slot_named_by(broken), std::nullopt);
    }
    EXPECT_EQ(slot_named_by("z9hG4bKP"), std::nullopt);
    EXPECT_EQ(slot_named_by(""), std::nullopt);
}

TEST(Ping, NoTwoAreAlike) {
    World world;
    const std::string first = ping_text(world, {1, 1}, "sip:a@b");
    world.now_us += 1;
    EXPECT_NE(first, ping_text(world, {1, 1}, "sip:a@b"));
}

TEST(Ping, ContactsThatNeedCare) {
    World world;
    // No headers in a request URI (RFC 3261 §19.1.1); a '?' in the user part is part of it.
    EXPECT_EQ(request_uri_of("sip:a@b;x=y?Subject=hi"), "sip:a@b;x=y");
    EXPECT_EQ(request_uri_of("sip:a?b@c;x"), "sip:a?b@c;x");
    const std::string odd = ping_text(world, {1, 1}, "sip:a@b", "a\"<b>@example.com");
    EXPECT_NE(odd.find("To: <sip:a@b>"), std::string::npos)
        << "what would break the header is left out";
    const std::string v6 = ping_text(world, {1, 1}, "sip:a@[2001:db8::9]", "a@example.com",
                                     flow("2001:db8::1", 5060, "2001:db8::9", 5060));
    EXPECT_NE(v6.find("UDP [2001:db8::1]:5060;"), std::string::npos);
    EXPECT_NE(v6.find("<sip:ping@[2001:db8::1]>"), std::string::npos);
}

TEST(Ping, NeverWritesPastItsRoom) {
    World world;
    const std::size_t whole = ping_text(world, {1, 1}, "sip:a@b").size();
    std::vector<char> buffer(whole + 8, '#');
    for (std::size_t room = 0; room < whole; ++room) {
        sip::Writer out(buffer.data(), room);
        EXPECT_FALSE(build_ping({{1, 1}, World::phone_flow(), "sip:a@b", "100@example.com"},
                                *world.keys, world.now_us, out));
        EXPECT_EQ(buffer[room], '#');
    }
}

TEST(Pong, AnyFinalResponseIsLife) {
    World world;
    const table::ContactId id = world.add({});
    const Sent ping{{}, ping_text(world, id, "sip:100@192.168.1.10:5060")};
    world.now_us += 23'456;
    for (const unsigned code : {200u, 302u, 404u, 481u, 501u, 603u}) {
        const Sent got = world.from_phone(answer_to(ping, code));
        ASSERT_EQ(got.decision.kind, Kind::kPong) << code;
        EXPECT_EQ(got.decision.contact, id);
        EXPECT_EQ(got.decision.rtt_us, 23'456u);
        EXPECT_EQ(got.decision.code, code);
        EXPECT_TRUE(got.decision.flow_matches);
    }
    EXPECT_EQ(world.from_phone(answer_to(ping, 100)).decision.kind, Kind::kDrop);
    const Sent elsewhere = world.from_phone(answer_to(ping, 200), World::phone_flow(999));
    ASSERT_EQ(elsewhere.decision.kind, Kind::kPong);
    EXPECT_FALSE(elsewhere.decision.flow_matches);
}

TEST(Pong, ProvesNothingWhenForgedOldOrStale) {
    World world;
    const table::ContactId id = world.add({});
    const Sent ping{{}, ping_text(world, id, "sip:100@192.168.1.10:5060")};
    const std::string good = answer_to(ping, 200);
    const std::size_t at = good.find("z9hG4bKP") + 8;
    for (std::size_t i = 0; i < 31; ++i) {
        std::string forged = good;
        forged[at + i] = forged[at + i] == 'A' ? 'B' : 'A';
        EXPECT_TRUE(world.from_phone(forged).dropped_for(DropReason::kBadResponse)) << i;
    }
    EXPECT_TRUE(world.from_phone(replace(good, "1 OPTIONS", "1 INVITE"))
                    .dropped_for(DropReason::kBadResponse));
    world.now_us += kMaxPongAge_us + 1;
    EXPECT_TRUE(world.from_phone(good).dropped_for(DropReason::kBadResponse)) << "a replay";
    world.now_us -= kMaxPongAge_us;
    EXPECT_EQ(world.from_phone(good).decision.kind, Kind::kPong);
    world.remove(id);
    EXPECT_TRUE(world.from_phone(good).dropped_for(DropReason::kBadResponse)) << "contact gone";
}

TEST(Pong, ABranchOfAnotherPurposeIsNoPing) {
    World world;
    world.add({});
    const Sent invite = world.from_core(kInvite);
    ASSERT_TRUE(invite.forwarded());
    const std::string as_ping = replace(answer_to(invite, 200), "z9hG4bKF", "z9hG4bKP");
    EXPECT_TRUE(world.from_phone(as_ping).dropped_for(DropReason::kBadResponse));
}

// What a phone's answer tells at first sight is what it tells when it is read in full.
TEST(Pong, IsReadAtFirstSight) {
    World world;
    const table::ContactId id = world.add({});
    const Sent ping{{}, ping_text(world, id, "sip:100@192.168.1.10:5060")};
    world.now_us += 23'456;
    const std::string good = answer_to(ping, 486);
    const std::string branch = good.substr(good.find(";branch="), 8 + 8 + 31);
    const std::string elsewhere = replace(good, branch, "");
    const std::string host = "198.51.100.1:5060";
    for (const std::string& text :
         {good, replace(good, ";rport", ";rport=5060;received=192.0.2.1"),
          replace(good, branch, branch + ";received=192.0.2.1"),
          replace(elsewhere, ";rport", branch + ";rport"), replace(good, "X\r\n", "\r\n"),
          replace(good, "X\r\n", "Occup\xc3\xa9 ici\r\n")}) {
        const auto pong = read_pong(text, *world.keys, world.now_us);
        ASSERT_TRUE(pong.has_value()) << text;
        EXPECT_EQ(pong->id, id);
        EXPECT_EQ(pong->rtt_us, 23'456u);
        EXPECT_EQ(pong->code, 486u);
        EXPECT_FALSE(pong->probe);
        const Sent in_full = world.from_phone(text);
        ASSERT_EQ(in_full.decision.kind, Kind::kPong) << text;
        EXPECT_EQ(in_full.decision.contact, pong->id);
        EXPECT_EQ(in_full.decision.rtt_us, pong->rtt_us);
        EXPECT_EQ(in_full.decision.code, pong->code);
    }
}

TEST(Pong, WhatIsUnusualIsReadInFull) {
    World world;
    const table::ContactId id = world.add({});
    const Sent ping{{}, ping_text(world, id, "sip:100@192.168.1.10:5060")};
    const std::string good = answer_to(ping, 200);
    const auto at_sight = [&](const std::string& text) {
        return read_pong(text, *world.keys, world.now_us).has_value();
    };
    ASSERT_TRUE(at_sight(good));
    for (const auto& [from, to] : std::vector<std::pair<std::string, std::string>>{
             {"Via:", "v:"},
             {"Via:", "Via :"},
             {"Via:", "Server: x\r\nVia:"},
             {";branch=", " ;branch="},
             {";branch=", "\r\n ;branch="},
             {"\r\nFrom", ", SIP/2.0/UDP 192.0.2.1\r\nFrom"},
             {"SIP/2.0 200", "\r\n\r\nSIP/2.0 200"},
             {"SIP/2.0 200", "sip/2.0 200"}}) {
        const std::string text = replace(good, from, to);
        ASSERT_NE(text, good);
        EXPECT_EQ(world.from_phone(text).decision.kind, Kind::kPong) << text;
    }
    // And what is no answer to a ping of ours, neither way.
    for (const auto& [from, to] : std::vector<std::pair<std::string, std::string>>{
             {"200", "100"},
             {"200", "199"},
             {"200", "700"},
             {"200", "2000"},
             {"200", "2x0"},
             {"200", "/00"},
             {"Via: ", "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1, "},
             {"z9hG4bKP", "z9hG4bKF"},
             {"SIP/2.0 200 X", "OPTIONS sip:a@b SIP/2.0"}}) {
        const std::string text = replace(good, from, to);
        ASSERT_NE(text, good);
        EXPECT_FALSE(at_sight(text)) << text;
        EXPECT_NE(world.from_phone(text).decision.kind, Kind::kPong) << text;
    }
    const std::size_t at = good.find("z9hG4bKP") + 8;
    for (std::size_t i = 0; i < 31; ++i) {
        std::string forged = good;
        forged[at + i] = forged[at + i] == 'A' ? 'B' : 'A';
        EXPECT_FALSE(at_sight(forged)) << i;
    }
    world.now_us += kMaxPongAge_us + 1;
    EXPECT_FALSE(at_sight(good)) << "a replay";
}

// No byte behind the datagram is looked at, which has its own end.
TEST(Pong, CutOffAnywhere) {
    World world;
    const Sent ping{{}, ping_text(world, world.add({}), "sip:100@192.168.1.10:5060")};
    const std::string good = answer_to(ping, 200);
    const std::size_t end = good.find("z9hG4bKP") + 8 + 31;
    for (std::size_t length = 0; length <= good.size(); ++length) {
        const std::vector<char> exact(good.begin(), good.begin() + static_cast<long>(length));
        EXPECT_EQ(read_pong({exact.data(), exact.size()}, *world.keys, world.now_us).has_value(),
                  length >= end)
            << length;
    }
}

// A probe's branch says under the MAC that it is a probe; and its answer counts only if it comes
// from the contact's own address, from whatever port.
TEST(Pong, OfAProbe) {
    World world;
    const table::ContactId id = world.add({.uri = "sip:100@67.194.23.55:5070"});
    const auto text = [&](bool probe) {
        std::array<char, 2048> buffer;
        sip::Writer out(buffer.data(), buffer.size());
        EXPECT_TRUE(build_ping(
            {id, World::phone_flow(5070), "sip:100@67.194.23.55:5070", "100@example.com", probe},
            *world.keys, world.now_us, out));
        return std::string(out.view());
    };
    const Sent probe{{}, text(true)};
    const Sent ping{{}, text(false)};
    EXPECT_NE(probe.text, ping.text);
    world.now_us += 5'000;
    const Sent got = world.from_phone(answer_to(probe, 200), World::phone_flow(5070));
    ASSERT_EQ(got.decision.kind, Kind::kPong);
    EXPECT_TRUE(got.decision.is_probe);
    EXPECT_EQ(got.decision.rtt_us, 5'000U);
    EXPECT_TRUE(world.from_phone(answer_to(probe, 200)).decision.is_probe);
    EXPECT_FALSE(world.from_phone(answer_to(ping, 200)).decision.is_probe);
    EXPECT_TRUE(world.receive(answer_to(probe, 200), World::stranger_flow(), false)
                    .dropped_for(DropReason::kWrongSender));
}

}  // namespace
}  // namespace pinhole::route
