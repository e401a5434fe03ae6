// SPDX-License-Identifier: BSD-3-Clause
// GRUUs (RFC 5627): what is given out leads to one phone of an AOR and to no other, and nothing
// else leads anywhere.
#include "dataplane/route/gruu.h"

#include "tests/unit/route/world.h"

#include <gtest/gtest.h>

#include <random>
#include <set>
#include <string>

namespace pinhole::route {
namespace {

World::Phone phone(const std::string& instance, std::uint16_t mapped, std::uint64_t call_id = 7) {
    World::Phone made;
    made.instance = instance;
    made.flow = World::phone_flow(mapped);
    made.call_id_hash = call_id;
    made.cseq = 1;
    return made;
}

struct Given {
    std::string pub, temp;
};
Given given(World& world, table::ContactId id) {
    table::ContactView contact;
    EXPECT_EQ(world.table->read(id, contact), table::SlotRead::kLive);
    std::array<char, 2000> room;
    sip::Writer out(room.data(), room.size());
    write_gruus(*world.keys, world.table->hash(), contact, out);
    const std::string text(out.view());
    const auto value = [&](const std::string& name) {
        const std::size_t from = text.find(";" + name + "=\"");
        if (from == std::string::npos) {
            return std::string();
        }
        const std::size_t begin = from + name.size() + 3;
        return text.substr(begin, text.find('"', begin) - begin);
    };
    return {value("pub-gruu"), value("temp-gruu")};
}

unsigned calls = 0;
std::string invite(const std::string& uri) {
    return replace(replace(kInvite, "sip:100@example.com", uri), "core1",
                   "core" + std::to_string(++calls));
}
Sent call(World& world, const std::string& uri) {
    return world.from_core(invite(uri));
}
// The NAT's port of the phone that a call reaches; 0: none.
std::uint16_t called(World& world, const std::string& uri) {
    const Sent sent = call(world, uri);
    return sent.forwarded() ? sent.decision.flow.their_udp_port : 0;
}

constexpr const char* kDesk = "<urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6>";
constexpr const char* kMobile = "<urn:gsma:imei:90420156-025763-0>";

TEST(Gruu, Rfc5627_3_1_1_APublicOneIsTheAorWithTheInstance) {
    World world;
    const table::ContactId id = world.add(phone(kDesk, 1));
    EXPECT_EQ(given(world, id).pub,
              "sip:100@example.com;gr=urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6");
}

TEST(Gruu, Rfc5627_3_1_2_ATemporaryOneSaysNothing) {
    World world;
    World::Phone first = phone(kDesk, 1);
    first.aor = "alice.anderson@example.com";
    World::Phone again = first;
    again.cseq = 2;
    const std::string one = given(world, world.add(first)).temp;
    const std::string two = given(world, world.add(again)).temp;
    EXPECT_EQ(one.find("alice"), std::string::npos);
    EXPECT_TRUE(one.ends_with("@example.com;gr")) << one;
    ASSERT_EQ(one.size(), two.size());
    std::size_t alike = 0;
    for (std::size_t i = one.find(':') + 3; i < one.find('@'); ++i) {
        alike += one[i] == two[i] ? 1 : 0;
    }
    EXPECT_LT(alike, (one.find('@') - 4) / 4) << one << "\n" << two;
    EXPECT_EQ(given(world, world.add(first)).temp, one) << "a retransmission gets the same";
}

TEST(Gruu, Rfc5627_6_1_LeadsToItsInstanceAndNoOther) {
    World world;
    const Given desk = given(world, world.add(phone(kDesk, 1)));
    const table::ContactId id = world.add(phone(kMobile, 2));
    const Given mobile = given(world, id);
    world.add({.flow = World::phone_flow(3)});
    EXPECT_EQ(called(world, desk.pub), 1);
    EXPECT_EQ(called(world, desk.temp), 1);
    EXPECT_EQ(called(world, mobile.pub), 2);
    EXPECT_EQ(called(world, mobile.temp), 2);
    const Sent sent = call(world, desk.temp);
    EXPECT_EQ(sent.first_line(), "INVITE sip:100@192.168.1.10:5060;line=a1b2 SIP/2.0")
        << "the Contact as request URI";
    world.remove(id);
    EXPECT_TRUE(call(world, mobile.pub).replied(480)) << "rather than another phone";
    EXPECT_TRUE(call(world, mobile.temp).replied(480));
}

TEST(Gruu, Rfc5627_6_1_ComparedAsUrisAre) {
    World world;
    world.add(phone(kDesk, 1));
    for (const char* uri :
         {"sip:100@EXAMPLE.com;gr=URN:UUID:F81D4FAE-7DEC-11D0-A765-00A0C91E6BF6",
          "sip:100@example.com;gr=urn%3auuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6",
          "sip:%3100@example.com;x=y;GR=urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6"}) {
        EXPECT_EQ(called(world, uri), 1) << uri;
    }
}

TEST(Gruu, Rfc5627_6_1_WhatWeHaveNotGivenOutIsNotFound) {
    World world;
    const Given desk = given(world, world.add(phone(kDesk, 1)));
    EXPECT_TRUE(call(world, "sip:nobody@example.com;gr=urn:uuid:1").replied(404));
    EXPECT_TRUE(call(world, "sip:100@example.com;gr").replied(404)) << "no token";
    EXPECT_TRUE(call(world, replace(desk.temp, "@example.com", "@198.51.100.1")).replied(404))
        << "another domain";
    EXPECT_TRUE(call(world, replace(desk.pub, "@example.com", "@example.net")).replied(404));
    World stranger;
    stranger.use_keys({{.id = 1, .bytes = {9}}});
    stranger.add(phone(kDesk, 1));
    EXPECT_TRUE(call(stranger, desk.temp).replied(404)) << "another edge's key";
    EXPECT_TRUE(call(world, "sip:100@example.com;gr=" + std::string(200, 'x')).replied(404));
    for (std::size_t i = 4; i < desk.temp.find('@'); ++i) {
        std::string bent = desk.temp;
        bent[i] = bent[i] == 'A' ? 'B' : 'A';
        EXPECT_EQ(called(world, bent), 0) << i;
        EXPECT_EQ(called(world, desk.temp.substr(0, i) + desk.temp.substr(desk.temp.find('@'))), 0);
    }
}

TEST(Gruu, Rfc5627_5_1_AnotherCallIdEndsTheTemporaryOnes) {
    World world;
    const table::ContactId id = world.add(phone(kDesk, 1, 7));
    const Given before = given(world, id);
    world.register_again("100@example.com", 0, 7, 2);
    EXPECT_EQ(called(world, before.temp), 1) << "a refresh doesn't";
    EXPECT_NE(given(world, id).temp, before.temp) << "but gives another";
    world.register_again("100@example.com", 0, 8, 1);
    EXPECT_TRUE(call(world, before.temp).replied(404));
    EXPECT_EQ(called(world, given(world, id).temp), 1);
    EXPECT_EQ(called(world, before.pub), 1) << "a public one stays";
}

TEST(Gruu, Rfc5627_5_3_ThePhoneAwayIsNotAnotherPhone) {
    World world;
    World::Phone gone = phone(kDesk, 1);
    gone.expires_at_s = 1;
    const table::ContactId id = world.add(gone);
    const Given desk = given(world, id);
    EXPECT_TRUE(call(world, desk.pub).replied(480));
    EXPECT_TRUE(call(world, desk.temp).replied(480));
    world.remove(id);
    EXPECT_TRUE(call(world, desk.temp).replied(480)) << "the token shows that it was given out";
    EXPECT_TRUE(call(world, desk.pub).replied(404)) << "as its AOR would be";
}

TEST(Gruu, Rfc5626_7_TheLiveFlowOfTheInstance) {
    World world;
    World::Phone first = phone(kDesk, 1, 7);
    first.reg_id = 1;
    World::Phone second = phone(kDesk, 2, 8);
    second.reg_id = 2;
    const table::ContactId one = world.add(first);
    const table::ContactId two = world.add(second);
    const std::string temp = given(world, one).temp;
    world.set_reach(two, table::Reach::kReachable);
    EXPECT_EQ(called(world, temp), 2) << "another flow of the same phone";
    world.set_reach(two, table::Reach::kUnreachable);
    EXPECT_EQ(called(world, temp), 1);
}

TEST(Gruu, KeysChangeAndWhatIsSignedStaysGoodMeanwhile) {
    World world;
    const std::string temp = given(world, world.add(phone(kDesk, 1))).temp;
    world.use_keys({{.id = 2, .bytes = {7}}, {.id = 1, .bytes = {1, 2, 3}}});
    EXPECT_EQ(called(world, temp), 1);
    world.use_keys({{.id = 2, .bytes = {7}}});
    EXPECT_TRUE(call(world, temp).replied(404));
}

TEST(Gruu, ARedirectNamesThatPhoneAlone) {
    World world;
    world.redirect = true;
    const Given desk = given(world, world.add(phone(kDesk, 1)));
    world.add(phone(kMobile, 2));
    const Sent sent = call(world, desk.pub);
    ASSERT_TRUE(sent.replied(302));
    EXPECT_EQ(sent.values(sip::HeaderId::kContact).size(), 1U);
    EXPECT_TRUE(call(world, "sip:100@example.com;gr=urn:uuid:0").replied(480));
}

// §4.4: a phone's Contact in a dialog is its GRUU.
TEST(Gruu, Rfc5627_4_4_InADialogTheTokenLeadsAndElseTheGruu) {
    World world;
    const table::ContactId id = world.add(phone(kDesk, 1));
    const Given desk = given(world, id);
    const Sent first = call(world, desk.pub);
    ASSERT_TRUE(first.forwarded());
    const std::string route = first.values(sip::HeaderId::kRecordRoute).at(0);
    const auto bye = [&](const std::string& uri) {
        return replace(replace(with_method(invite(uri), "INVITE", "BYE"),
                               "X-Odd:", "Route: " + route + "\nX-Odd:"),
                       "To: <" + uri + ">", "To: <" + uri + ">;tag=t");
    };
    Sent sent = world.from_core(bye(desk.pub));
    ASSERT_TRUE(sent.forwarded());
    EXPECT_EQ(sent.decision.flow.their_udp_port, 1);
    EXPECT_TRUE(sent.first_line().starts_with("BYE sip:100@192.168.1.10:5060;line=a1b2 "))
        << "not our own URI";
    // The phone comes back as another contact: the token's is gone.
    world.remove(id);
    world.add(phone(kDesk, 9));
    sent = world.from_core(bye(desk.pub));
    ASSERT_TRUE(sent.forwarded());
    EXPECT_EQ(sent.decision.flow.their_udp_port, 9);
    EXPECT_TRUE(world.from_core(bye("sip:100@192.168.1.10")).replied(430)) << "no GRUU";
}

TEST(Gruu, SwitchedOffTheUriIsItsAors) {
    World world;
    world.add(phone(kMobile, 2));
    world.gruu = false;
    EXPECT_EQ(called(world, "sip:100@example.com;gr=urn:uuid:1"), 2);
}

TEST(Gruu, AnInstanceIsEscapedAndBounded) {
    World world;
    const auto pub = [&](const std::string& instance) {
        return given(world, world.add(phone(instance, 1))).pub;
    };
    EXPECT_EQ(pub("<urn:x-a;b=c?d>"), "sip:100@example.com;gr=urn:x-a%3bb%3dc%3fd");
    EXPECT_EQ(called(world, "sip:100@example.com;gr=urn:x-a%3bb%3dc%3fd"), 1);
    EXPECT_EQ(pub("bare"), "sip:100@example.com;gr=bare");
    EXPECT_EQ(pub(""), "");
    EXPECT_NE(pub("<" + std::string(kMaxGruuInstance, 'a') + ">"), "");
    EXPECT_EQ(pub("<" + std::string(kMaxGruuInstance + 1, 'a') + ">"), "");
}

TEST(Gruu, AnyUserAndTheLongest) {
    World world;
    for (const std::string& user :
         {std::string("a"), std::string("+4930;phone-context=x"), std::string(243, 'u')}) {
        World::Phone made = phone(kDesk, static_cast<std::uint16_t>(user.size()));
        made.aor = user + "@example.com";
        const Given got = given(world, world.add(made));
        EXPECT_EQ(called(world, got.temp), user.size()) << user;
        EXPECT_EQ(called(world, got.pub), user.size()) << user;
    }
}

TEST(Gruu, RandomTokensLeadNowhere) {
    World world;
    world.add(phone(kDesk, 1));
    std::mt19937 random(5);
    constexpr std::string_view kLetters =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    for (int i = 0; i < 3000; ++i) {
        std::string user(random() % 420, 'A');
        for (char& c : user) {
            c = kLetters[random() % kLetters.size()];
        }
        user.replace(0, std::min<std::size_t>(user.size(), 2), "AQ");  // the key's id is known
        EXPECT_EQ(called(world, "sip:" + user + "@example.com;gr"), 0);
    }
}

}  // namespace
}  // namespace pinhole::route
