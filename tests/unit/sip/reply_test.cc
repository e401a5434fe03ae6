// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/sip/reply.h"

#include "dataplane/sip/name_addr.h"
#include "tests/unit/sip/samples.h"

#include <gtest/gtest.h>

#include <array>
#include <string>

namespace pinhole::sip {
namespace {

const net::Address kGateway = *net::parse_address("67.194.23.55");

std::string answer(std::string_view text, Reply reply = {.code = 200, .to_tag = "ours"}) {
    static std::array<char, 4096> buffer;
    Message request;
    (void)parse(text, request);
    reply.via.source = reply.via.source == net::Address{} ? kGateway : reply.via.source;
    reply.via.source_port = 32947;
    Writer out(buffer.data(), buffer.size());
    return write_reply(request, reply, out) ? std::string(out.view()) : "no answer";
}

TEST(Reply, Rfc3581_4_ToAPhoneBehindNat) {
    EXPECT_EQ(answer(samples::kYealinkRegister,
                     {.code = 200, .to_tag = "ours", .extra_headers = "Expires: 60\r\n"}),
              "SIP/2.0 200 OK\r\n"
              "Via: SIP/2.0/UDP 192.168.1.10:5060;branch=z9hG4bK2887415863;received=67.194.23.55;"
              "rport=32947\r\n"
              "From: \"1001\" <sip:1001@example.com:5060>;tag=1846295110\r\n"
              "To: \"1001\" <sip:1001@example.com:5060>;tag=ours\r\n"
              "Call-ID: 0_3245693412@192.168.1.10\r\n"
              "CSeq: 2 REGISTER\r\n"
              "Expires: 60\r\n"
              "Content-Length: 0\r\n\r\n");
}

// Asked by a `keep` without value, in the top Via alone.
TEST(Reply, Rfc6223_4_3_KeepIsAnsweredWithAnInterval) {
    const auto written = [](std::string_view text, std::uint32_t keep_s) {
        Via via;
        EXPECT_TRUE(parse_via(text, via));
        std::array<char, 200> room;
        Writer out(room.data(), room.size());
        write_received_via(via, {net::Address::v4(0xc0000201), 4000, true, keep_s}, out);
        return std::string(out.view());
    };
    constexpr std::string_view kRest = ";branch=z9hG4bK1;received=192.0.2.1;rport=4000";
    const std::string host = "SIP/2.0/UDP h:5060";
    EXPECT_EQ(written(host + ";Keep;branch=z9hG4bK1", 25), host + ";Keep=25" + std::string(kRest));
    EXPECT_EQ(written(host + ";keep;branch=z9hG4bK1", 0), host + ";keep" + std::string(kRest));
    EXPECT_EQ(written(host + ";keep=9;branch=z9hG4bK1", 25), host + ";keep=9" + std::string(kRest));
    EXPECT_EQ(written(host + ";branch=z9hG4bK1", 25), host + std::string(kRest)) << "not asked";
    // One is a question; what comes after it is text, however often.
    EXPECT_EQ(written(host + ";keep;keep;keep;keep;keep;keep;keep;branch=z9hG4bK1", 25),
              host + ";keep=25;keep;keep;keep;keep;keep;keep" + std::string(kRest));
}

TEST(Reply, Rfc3261_8_2_6_2_FoldsAreGoneAndAllViasThere) {
    EXPECT_EQ(answer(samples::kTortuousInvite, {.code = 486}),
              "SIP/2.0 486 Busy Here\r\n"
              "Via: SIP/2.0/UDP 192.0.2.2;branch=390skdjuw;received=67.194.23.55;rport=32947\r\n"
              "Via: SIP  / 2.0  / TCP     spindle.example.com   ; branch  =   z9hG4bK9ikj8  , SIP  "
              "/    2.0   / UDP  192.168.255.111   ; branch= z9hG4bK30239\r\n"
              "From: \"J Rosenberg \\\\\\\"\"       <sip:jdrosen@example.com> ; tag = 98asjd8\r\n"
              "To: sip:vivekg@chair-dnrc.example.com ;   tag    = 1918181833n\r\n"
              "Call-ID: wsinv.ndaksdj@192.0.2.1\r\n"
              "CSeq: 0009 INVITE\r\n"
              "Content-Length: 0\r\n\r\n");
}

std::string with_via(std::string_view via) {
    std::string text = samples::request();
    const std::string_view ours = "SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK1";
    return text.replace(text.find(ours), ours.size(), via);
}

std::string answered_via(std::string_view via, bool add_rport = true, net::Address source = {}) {
    Reply reply{.code = 200};
    reply.via.add_rport = add_rport;
    reply.via.source = source;
    const std::string text = answer(with_via(via), reply);
    const std::size_t at = text.find("Via: ") + 5;
    return text == "no answer" ? text : text.substr(at, text.find("\r\n", at) - at);
}

TEST(Reply, Rfc3261_18_2_1_TopVia) {
    const std::string got = ";received=67.194.23.55";
    // Asked for (RFC 3581 §4), not asked for, and not wanted.
    EXPECT_EQ(answered_via("SIP/2.0/UDP h;rport;branch=1"),
              "SIP/2.0/UDP h;branch=1" + got + ";rport=32947");
    EXPECT_EQ(answered_via("SIP/2.0/UDP h"), "SIP/2.0/UDP h" + got + ";rport=32947");
    EXPECT_EQ(answered_via("SIP/2.0/UDP h", false), "SIP/2.0/UDP h" + got);
    EXPECT_EQ(answered_via("SIP/2.0/UDP h;rport", false), "SIP/2.0/UDP h" + got + ";rport=32947");
    // What the sender claims about itself is replaced, however often.
    EXPECT_EQ(answered_via("SIP/2.0/UDP h;received=10.0.0.1;rport=5;RECEIVED=a;x;Rport"),
              "SIP/2.0/UDP h;x" + got + ";rport=32947");
    // The rest of a list stays as it is.
    EXPECT_EQ(answered_via("SIP/2.0/UDP h;a=\",\" , SIP/2.0/TCP g;rport;received=1.1.1.1"),
              "SIP/2.0/UDP h;a=\",\"" + got + ";rport=32947, SIP/2.0/TCP g;rport;received=1.1.1.1");
    EXPECT_EQ(
        answered_via("SIP/2.0/UDP [2001:db8::2]:5060", true, *net::parse_address("2001:db8::1")),
        "SIP/2.0/UDP [2001:db8::2]:5060;received=2001:db8::1;rport=32947");
    EXPECT_EQ(answered_via("rubbish"), "no answer");
}

TEST(Reply, Rfc3261_8_2_6_2_ToTag) {
    const auto to = [](std::string_view value, std::string_view tag) {
        std::string text = samples::request();
        text.replace(text.find("<sip:b@example.com>"), 19, value);
        text = answer(text, {.code = 200, .to_tag = tag});
        const std::size_t at = text.find("\r\nTo: ") + 6;
        return text.substr(at, text.find("\r\n", at) - at);
    };
    EXPECT_EQ(to("<sip:b@h>", "t1"), "<sip:b@h>;tag=t1");
    EXPECT_EQ(to("sip:b@h", "t1"), "sip:b@h;tag=t1");
    EXPECT_EQ(to("sip:b@h;x=\"tag=1\"", "t1"), "sip:b@h;x=\"tag=1\";tag=t1");
    EXPECT_EQ(to("<sip:b@h>;tag=theirs", "t1"), "<sip:b@h>;tag=theirs");
    EXPECT_EQ(to("<sip:b@h>", ""), "<sip:b@h>");
    EXPECT_EQ(to("rubbish", "t1"), "rubbish");
}

TEST(Reply, Rfc3261_8_2_6_2_AfterAnErrorToo) {
    const std::string text = samples::request("Rubbish\r\n");
    EXPECT_EQ(answer(text, {.code = 400, .reason = "Bad Header Line", .to_tag = "t"}).substr(0, 29),
              "SIP/2.0 400 Bad Header Line\r\n");
    EXPECT_EQ(answer("OPTIONS sip:a SIP/2.0\r\nVia: SIP/2.0/UDP h\r\n\r\n"), "no answer");
    EXPECT_EQ(answer(samples::request("", "", "ACK sip:a SIP/2.0", "1 ACK")), "no answer");
}

TEST(Reply, NothingOfTheRequestsBreaksALine) {
    // A CR alone is refused by the parser; the 400 must not hand it on, nor a reason with a line
    // end in it.
    std::string text = samples::request();
    text.replace(text.find("<sip:a@"), 1, "\"x\rX-Evil: 1\" <");
    const std::string got =
        answer(text, {.code = 400, .reason = "Bad\r\nX-Evil: 2", .to_tag = "t"});
    ASSERT_NE(got, "no answer");
    for (std::size_t i = 0; i < got.size(); ++i) {
        EXPECT_EQ(got[i] == '\r', i + 1 < got.size() && got[i + 1] == '\n') << got;
    }
    Message again;
    EXPECT_EQ(parse(got, again), ParseError::kOk) << got;
    EXPECT_EQ(again.header_count(), 6u);
}

TEST(Reply, DoesNotFit) {
    Message request;
    ASSERT_EQ(parse(samples::kYealinkRegister, request), ParseError::kOk);
    Reply reply{.code = 200, .via = {kGateway, 1}, .to_tag = "t"};
    std::array<char, 1024> buffer;
    Writer all(buffer.data(), buffer.size());
    ASSERT_TRUE(write_reply(request, reply, all));
    for (std::size_t room = 0; room < all.size(); ++room) {
        buffer.fill('#');
        Writer out(buffer.data(), room);
        EXPECT_FALSE(write_reply(request, reply, out));
        EXPECT_EQ(buffer[room], '#');
    }
    Writer exact(buffer.data(), all.size());
    EXPECT_TRUE(write_reply(request, reply, exact));
}

TEST(Reply, ReasonPhrases) {
    EXPECT_EQ(reason_phrase(200), "OK");
    EXPECT_EQ(reason_phrase(423), "Interval Too Brief");
    EXPECT_EQ(reason_phrase(499), "Bad Request");
    EXPECT_EQ(reason_phrase(699), "Busy Everywhere");
    EXPECT_EQ(reason_phrase(700), "");
}

}  // namespace
}  // namespace pinhole::sip
