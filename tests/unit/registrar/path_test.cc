// SPDX-License-Identifier: BSD-3-Clause
// RFC 3327 as a REGISTER and its 200 meet it: whose Path is believed, what is kept of it, and what
// is told.
#include "dataplane/registrar/answer.h"
#include "dataplane/registrar/match.h"
#include "tests/unit/registrar/request_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pinhole::registrar {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr std::uint32_t kProxy = 0x0a000005;  // 10.0.0.5

RegistrarPolicy policy() {
    RegistrarPolicy made;
    made.path_peers = {net::Address::v4(0x0a000006), net::Address::v4(kProxy)};
    return made;
}

RequestText request(std::string extra) {
    RequestText text;
    text.extra = std::move(extra);
    return text;
}

auto read_from(std::uint32_t sender, const std::string& extra) {
    return read(request(extra), policy(), {.ms = 5'000'000, .s = 1'000'000},
                flow_from(sender, 40'000));
}

std::string ok_headers(const ReadRequest& got, const RegistrarPolicy& told) {
    std::array<char, kMaxOkHeaders> room;
    sip::Writer out(room.data(), room.size());
    write_ok_headers(got.request, told, out);
    EXPECT_FALSE(out.overflow());
    return std::string(out.view());
}

std::string refusal(const ReadRequest& got, std::uint32_t sender) {
    std::array<char, 2000> room;
    sip::Writer out(room.data(), room.size());
    const net::Flow flow = flow_from(sender, 40'000);
    EXPECT_EQ(write_refusal(got.message, got.verdict, policy(), 0,
                            {{flow.theirs, flow.their_udp_port, true}, "t", {}, flow}, out),
              Answered::kWritten);
    return std::string(out.view());
}

TEST(Path, Rfc3327_5_3_IsKeptInOrderAndReturned) {
    const auto got =
        read_from(kProxy,
                  "Path: <sip:a1b2@10.0.0.5:5070;lr>,\r\n <sip:p2.example.com;lr>\r\n"
                  "Supported: path\r\nPath:  \"P, 3\" <sip:p3.example.com;lr>;x=y\r\n");
    ASSERT_EQ(got->verdict, Verdict::kOk);
    constexpr const char* kPath =
        "<sip:a1b2@10.0.0.5:5070;lr>, <sip:p2.example.com;lr>, \"P, 3\" "
        "<sip:p3.example.com;lr>;x=y";
    EXPECT_EQ(got->whose.path, kPath);
    EXPECT_EQ(ok_headers(*got, policy()),
              std::string("Path: ") + kPath + "\r\nSupported: path\r\n");
    EXPECT_EQ(got->request.contacts[0].uri, "sip:alice@192.168.1.10:5060");
}

TEST(Path, Rfc3327_5_3_ThePathNotTheSourceIsTheTarget) {
    EXPECT_EQ(read_from(kProxy, "Path: <sip:a@10.0.0.6:5070;lr>\r\n")->whose.flow,
              flow_from(0x0a000006, 5070));
    EXPECT_EQ(read_from(kProxy, "Path: <sip:10.0.0.5;lr>\r\n")->whose.flow,
              flow_from(kProxy, 5060));
    EXPECT_EQ(read_from(kProxy, "Path: <sip:edge.example.net;lr>\r\n")->whose.flow,
              flow_from(kProxy, 40'000))
        << "a name is not looked up: who sent it has added it";
}

TEST(Path, Rfc3327_6_ItLeadsToNobodyButPathPeers) {
    for (const char* path : {"<sip:192.0.2.66;lr>", "<sip:[2001:db8::5];lr>", "<tel:+12>",
                             "<sip:", "<sip:10.0.0.5;lr>, nonsense", "<mailto:a@10.0.0.5>"}) {
        const auto got = read_from(kProxy, std::string("Path: ") + path + "\r\n");
        EXPECT_EQ(got->verdict, Verdict::kBadPath) << path;
        EXPECT_EQ(got->whose.flow, flow_from(kProxy, 40'000)) << "where the refusal goes";
    }
    EXPECT_EQ(status_of(Verdict::kBadPath), 400U);
}

TEST(Path, Rfc3327_6_FromAStrangerItIsIgnored) {
    const auto got = read_from(kHome, "Path: <sip:10.0.0.5;lr>\r\nSupported: path\r\n");
    ASSERT_EQ(got->verdict, Verdict::kOk);
    EXPECT_EQ(got->whose.path, "");
    EXPECT_EQ(got->whose.flow, flow_from(kHome, 40'000));
    EXPECT_EQ(ok_headers(*got, policy()), "");
}

TEST(Path, Rfc3327_5_3_RequiredByAStrangerIsA420) {
    const std::string required = "Path: <sip:10.0.0.5;lr>\r\nRequire: path\r\n";
    const auto stranger = read_from(kHome, required);
    EXPECT_EQ(stranger->verdict, Verdict::kBadExtension);
    EXPECT_THAT(refusal(*stranger, kHome), HasSubstr("Unsupported: path\r\n"));
    EXPECT_EQ(read_from(kProxy, required)->verdict, Verdict::kOk);
    const auto more = read_from(kProxy, "Require: path, sec-agree\r\n");
    EXPECT_EQ(more->verdict, Verdict::kBadExtension);
    EXPECT_THAT(refusal(*more, kProxy), HasSubstr("Unsupported: sec-agree\r\n"));
}

TEST(Path, HasABound) {
    const std::string most =
        "<sip:" + std::string(table::kMaxPathBytes - 18, 'x') + "@10.0.0.5;lr>";
    ASSERT_EQ(most.size(), table::kMaxPathBytes);
    EXPECT_EQ(read_from(kProxy, "Path: " + most + "\r\n")->whose.path, most);
    EXPECT_EQ(read_from(kProxy, "Path: " + most + "\r\nPath: <sip:y;lr>\r\n")->verdict,
              Verdict::kTextTooLong);
    EXPECT_EQ(read_from(kProxy, "Path: \"1\"" + most + "\r\n")->verdict, Verdict::kTextTooLong);
    RegistrarPolicy told = policy();
    told.service_route = "<sip:edge.example.com;lr>";
    EXPECT_THAT(ok_headers(*read_from(kProxy, "Path: " + most + "\r\n"), told),
                HasSubstr("\r\nService-Route: "));
}

TEST(Path, TheContactsParametersStandBesideIt) {
    RequestText text = request("Path: <sip:10.0.0.5;lr>\r\n");
    text.contacts = {"<sip:a@h1>;a=1", "<sip:a@h2>;+sip.instance=\"<urn:uuid:2>\""};
    const auto got = read(text, policy(), {1, 1}, flow_from(kProxy, 5060));
    ASSERT_EQ(got->verdict, Verdict::kOk);
    EXPECT_EQ(got->whose.path, "<sip:10.0.0.5;lr>");
    EXPECT_EQ(got->request.contacts[0].params, ";a=1");
    EXPECT_EQ(got->request.contacts[1].instance, "<urn:uuid:2>");
}

// The proxy next to the phone, the last of the Path, says by ob that it keeps the phone's flow.
TEST(Path, Rfc5626_6_OutboundThroughAProxyThatKeepsTheFlow) {
    const auto verdict_of = [](const std::string& path) {
        RequestText text = request(
            "Via: SIP/2.0/UDP 192.168.1.10;branch=z9hG4bK0\r\n"
            "Supported: outbound, path\r\n" +
            path);
        text.contacts = {"<sip:a@h1>;+sip.instance=\"<urn:uuid:1>\";reg-id=1"};
        RegistrarPolicy told = policy();
        told.flow_timer_s = 25;
        const auto got = read(text, told, {1, 1}, flow_from(kProxy, 5060));
        if (got->verdict == Verdict::kOk) {
            EXPECT_THAT(ok_headers(*got, told), HasSubstr("Require: outbound\r\n"));
            EXPECT_THAT(ok_headers(*got, told), Not(HasSubstr("Flow-Timer")))
                << "the flow is the proxy's";
        }
        return got->verdict;
    };
    EXPECT_EQ(verdict_of(""), Verdict::kForeignFirstHop);
    EXPECT_EQ(verdict_of("Path: <sip:10.0.0.5;lr>\r\n"), Verdict::kForeignFirstHop);
    EXPECT_EQ(verdict_of("Path: <sip:10.0.0.5;lr;ob>, <sip:first;lr>\r\n"),
              Verdict::kForeignFirstHop);
    EXPECT_EQ(verdict_of("Path: <sip:10.0.0.5;lr>, <sip:first;lr;ob>\r\n"), Verdict::kOk);
}

TEST(Path, ABindingByAnotherPathIsAnotherPhoneUnlessTheCallIdSaysSo) {
    const auto got = read_from(kProxy, "Path: <sip:f1@10.0.0.5:5070;lr>\r\n");
    table::ContactView stored;
    stored.uri = got->request.contacts[0].uri;
    stored.state.flow = got->whose.flow;
    stored.path = "<sip:f2@10.0.0.5:5070;lr>";
    EXPECT_FALSE(same_binding(stored, got->request.contacts[0], got->request));
    EXPECT_FALSE(same_text(stored, got->request.contacts[0], got->request));
    stored.state.call_id_hash = got->whose.call_id_hash;
    EXPECT_TRUE(same_binding(stored, got->request.contacts[0], got->request));
    stored.state.call_id_hash = 0;
    stored.path = got->whose.path;
    EXPECT_TRUE(same_binding(stored, got->request.contacts[0], got->request));
    EXPECT_TRUE(same_text(stored, got->request.contacts[0], got->request));
}

}  // namespace
}  // namespace pinhole::registrar
