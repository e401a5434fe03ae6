// SPDX-License-Identifier: BSD-3-Clause
#include "bench/load/messages.h"

#include "bench/load/send_batch.h"
#include "dataplane/sip/name_addr.h"
#include "dataplane/sip/via.h"
#include "tests/unit/load/world.h"

#include <gtest/gtest.h>

namespace pinhole::load {
namespace {

class MessagesTest : public testing::Test {
  public:
    std::string text(std::size_t len) { return {buffer.data(), len}; }
    std::string a_register(Logins* logins = nullptr) {
        return text(messages.write_register(fields, 7, logins, buffer.data()));
    }
    sip::Message parsed(const std::string& message_text) {
        kept = message_text;
        sip::Message message;
        EXPECT_EQ(sip::parse(kept, message), sip::ParseError::kOk) << kept;
        return message;
    }

    Plan plan = small_plan(Play::kRegister);
    Messages messages{plan};
    Fields fields{7, 42, 123};
    std::array<char, SendBatch::kCapacity> buffer;
    std::string kept;
};

TEST(Fields, HaveFixedWidths) {
    const Fields fields(7, 42, 123'456);
    EXPECT_EQ(fields.phone(), "10000007");
    EXPECT_EQ(fields.sequence(), "10000042");
    EXPECT_EQ(fields.host(), "10.112.134.156");
    EXPECT_EQ(Fields(kMaxPhones - 1, 0, 0).phone(), "89999999");
}

TEST(Digits, AreEightWithoutLeadingZero) {
    std::uint32_t value = 0;
    EXPECT_TRUE(read_digits("10000007", value));
    EXPECT_EQ(value, 10'000'007U);
    for (const char* text : {"", "1000000", "100000070", "00000007", "1000000x", "-1000000"}) {
        EXPECT_FALSE(read_digits(text, value)) << text;
    }
}

TEST_F(MessagesTest, ARegisterIsWholeAndAsLongAsAPhones) {
    const std::string written = a_register();
    EXPECT_NEAR(static_cast<double>(written.size()), 760, 40) << written;
    const sip::Message message = parsed(written);
    EXPECT_EQ(message.request_uri, "sip:example.com");
    EXPECT_EQ(message.cseq, kFirstSequence + 42);
    sip::NameAddr contact;
    ASSERT_TRUE(sip::parse_name_addr(message.first(sip::HeaderId::kContact), contact));
    EXPECT_EQ(contact.uri.text, "sip:10000007@10.100.101.123:5060");
    EXPECT_EQ(message.first(sip::HeaderId::kExpires), "3600");
    ASSERT_NE(message.top_via(), nullptr);
    EXPECT_TRUE(message.top_via()->has_rport);
    EXPECT_EQ(message.top_via()->sent_by, "10.100.101.123:5060");
}

TEST_F(MessagesTest, AnswersTellWhoseTheyAre) {
    const sip::Message message = parsed(a_register());
    const auto ticket = messages.ticket_of(message);
    ASSERT_TRUE(ticket);
    EXPECT_EQ(*ticket, (Ticket{7, 42}));
    EXPECT_TRUE(messages.is_registration(message.call_id(), fields));
    EXPECT_FALSE(messages.is_registration(message.call_id(), Fields(8, 42, 123)));
    EXPECT_FALSE(messages.is_registration(message.call_id(), Fields(7, 42, 124)));
    EXPECT_FALSE(messages.is_registration("10000007-cafe0001@", fields));
}

TEST_F(MessagesTest, BranchesOfOthersAreNotOurs) {
    const std::string written = a_register();
    for (const char* branch :
         {"z9hG4bK-cafe0002-10000007-10000042", "z9hG4bK-cafe0001-10000007-1000004",
          "z9hG4bK-cafe0001-1000000x-10000042", "z9hG4bK-cafe0001-10000007-100000421",
          "z9hG4bK+cafe0001-10000007-10000042", "xz9hG4bK-cafe0001-10000007-10000042", "z9hG4bK"}) {
        const sip::Message message =
            parsed(replaced(written, "z9hG4bK-cafe0001-10000007-10000042", branch));
        EXPECT_FALSE(messages.ticket_of(message)) << branch;
    }
}

TEST_F(MessagesTest, AnAuthorizedRegisterIsWhole) {
    Logins logins(8, messages.request_uri(), "secret");
    Challenge challenge;
    ASSERT_TRUE(read_challenge("Digest realm=\"r\", nonce=\"n\", qop=\"auth\"", challenge));
    ASSERT_TRUE(logins.take(7, fields.phone(), challenge));
    const sip::Message message = parsed(a_register(&logins));
    EXPECT_TRUE(
        message.first(sip::HeaderId::kAuthorization).starts_with("Digest username=\"10000007\""));
    EXPECT_EQ(message.first(sip::HeaderId::kContentLength), "0");
}

TEST_F(MessagesTest, WhatOutgrowsAPacketIsNotWritten) {
    Plan long_plan = plan;
    long_plan.domain = std::string(300, 'a');
    EXPECT_EQ(Messages(long_plan).write_register(fields, 7, nullptr, buffer.data()), 0U);
    Logins logins(8, std::string(300, 'u'), "secret");
    Challenge challenge;
    const std::string text = "Digest nonce=\"n\", realm=\"" + std::string(400, 'r') + "\"";
    ASSERT_TRUE(read_challenge(text, challenge));
    ASSERT_TRUE(logins.take(7, fields.phone(), challenge));
    EXPECT_EQ(messages.write_register(fields, 7, &logins, buffer.data()), 0U);
}

TEST_F(MessagesTest, ACallAndItsAck) {
    const std::string invite = text(messages.write_invite(fields, buffer.data()));
    const sip::Message message = parsed(invite);
    EXPECT_EQ(message.method, sip::Method::kInvite);
    EXPECT_EQ(message.request_uri, "sip:10000007@example.com");
    EXPECT_TRUE(message.body().starts_with("v=0"));
    EXPECT_TRUE(messages.is_call(message.call_id(), fields));
    EXPECT_FALSE(messages.is_call(message.call_id(), Fields(7, 43, 123)));
    EXPECT_FALSE(messages.is_call(message.call_id(), Fields(8, 42, 123)));

    const std::string said = replaced(World::answer({{}, invite}, 486), "@example.com>\r\nCall",
                                      "@example.com>;tag=t\r\nCall");
    const sip::Message answer = parsed(said);
    const std::string acked = text(messages.write_ack(fields, answer, buffer.data()));
    const sip::Message ack = parsed(acked);
    const sip::Message again = [&] {
        sip::Message m;
        EXPECT_EQ(sip::parse(invite, m), sip::ParseError::kOk);
        return m;
    }();
    EXPECT_EQ(ack.method, sip::Method::kAck);
    EXPECT_EQ(ack.request_uri, again.request_uri);
    EXPECT_EQ(ack.via(), again.via());
    EXPECT_EQ(ack.from(), again.from());
    EXPECT_EQ(ack.call_id(), again.call_id());
    EXPECT_EQ(ack.cseq, again.cseq);
    EXPECT_EQ(ack.to(), "<sip:10000007@example.com>;tag=t");
}

TEST_F(MessagesTest, AHelloAsksTheEdgeItself) {
    const std::string hello = text(messages.write_hello(fields, buffer.data()));
    EXPECT_EQ(parsed(hello).request_uri, "sip:198.51.100.1:5060");
    EXPECT_TRUE(messages.ticket_of(parsed(hello)));
}

TEST_F(MessagesTest, WhatWasGranted) {
    const std::string asked = a_register();
    std::string answer;
    const auto granted = [&](const std::string& contacts) {
        answer = World::answer({{}, asked}, 200, contacts);
        sip::Message message;
        EXPECT_EQ(sip::parse(answer, message), sip::ParseError::kOk);
        return granted_to(message, fields);
    };
    const std::string own = "<sip:10000007@10.100.101.123:5060>";
    Granted g = granted("Contact: " + own + ";+sip.instance=\"<urn:a>\";expires=540\r\n");
    EXPECT_TRUE(g.found && !g.others);
    EXPECT_EQ(expires_of(g.contact), 540U);
    g = granted("Contact: " + own + ";expires=60;received=\"sip:100.64.0.1:1024\"\r\n");
    EXPECT_TRUE(g.found && !g.others);
    g = granted("");
    EXPECT_FALSE(g.found || g.others);
    g = granted("Contact: " + own + ";expires=1, <sip:10000008@10.100.101.123:5060>;expires=2\r\n");
    EXPECT_TRUE(g.found && g.others);
    EXPECT_EQ(expires_of(g.contact), 1U);
    for (const char* other :
         {"<sip:10000007@10.100.101.124:5060>", "<sip:10000007@10.100.101.123:5061>",
          "<sip:1000000@10.100.101.123:5060>", "<sip:10000007>", "<>", "sip:x"}) {
        g = granted("Contact: " + std::string(other) + "\r\n");
        EXPECT_TRUE(g.others) << other;
    }
}

TEST_F(MessagesTest, WhereARedirectionMayLead) {
    const std::string invite = text(messages.write_invite(fields, buffer.data()));
    const auto may = [&](const std::string& contacts) {
        const std::string answer = World::answer({{}, invite}, 302, contacts);
        sip::Message message;
        EXPECT_EQ(sip::parse(answer, message), sip::ParseError::kOk);
        return may_redirect_to(message, fields);
    };
    EXPECT_TRUE(may("Contact: <sip:10000007@10.100.101.123:5060>;q=1\r\n"));
    EXPECT_TRUE(may("Contact: <sip:AAtokenBB12345@198.51.100.1:5060>;q=1\r\n"));
    EXPECT_FALSE(may("Contact: <sip:10000008@10.100.101.123:5060>\r\n"));
    EXPECT_FALSE(may(""));
}

TEST_F(MessagesTest, APhoneAnswersAPing) {
    const sip::Message ping = parsed(
        "OPTIONS sip:10000007@10.100.101.123:5060 SIP/2.0\r\nVia: SIP/2.0/UDP "
        "198.51.100.1;branch=z9hG4bKping;rport\r\nFrom: <sip:e@e>;tag=1\r\nTo: "
        "<sip:10000007@x>\r\nCall-ID: p\r\nCSeq: 1 OPTIONS\r\n\r\n");
    EXPECT_TRUE(names_phone(ping.request_uri, fields));
    EXPECT_FALSE(names_phone(ping.request_uri, Fields(8, 0, 123)));
    const std::string answered =
        text(write_answer(ping, 200, {at("198.51.100.1"), 5060}, buffer.data()));
    const sip::Message answer = parsed(answered);
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.call_id(), "p");
    EXPECT_NE(answer.to().find(";tag="), std::string_view::npos);
}

}  // namespace
}  // namespace pinhole::load
