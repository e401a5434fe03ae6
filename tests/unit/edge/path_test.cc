// SPDX-License-Identifier: BSD-3-Clause
// RFC 3327: a REGISTER that a proxy forwards with a Path is answered to the proxy. Its contact is
// stored with the Path, refreshed in place, and called through the proxy.
#include "tests/unit/edge/edge_scene.h"

#include <gmock/gmock.h>

namespace pinhole::edge::test {
namespace {

using testing::StartsWith;

const net::Address kProxy = address("192.0.2.5");
const std::string kPath = "Path: <sip:f1@192.0.2.5:5070;lr>\r\n";

class PathScene : public EdgeScene {
  public:
    void SetUp() override { lay({.policy = policy()}); }

    static registrar::RegistrarPolicy policy() {
        registrar::RegistrarPolicy made;
        made.path_peers = {kProxy};
        return made;
    }
    Sent ask(const Register& request, const net::Address& sender = kProxy,
             std::uint16_t port = 40'000) {
        const auto seen = edge->ask(0, from(sender, port), request.text());
        EXPECT_EQ(seen.size(), 1U);
        return seen.empty() ? Sent{} : seen[0];
    }
};

TEST_F(PathScene, Rfc3327_5_3_AnswersTheProxyAndStoresThePath) {
    const Sent reply = ask({.extra = kPath});
    EXPECT_THAT(reply.text, StartsWith("SIP/2.0 200 OK\r\n"));
    EXPECT_EQ(reply.flow.theirs, kProxy);
    EXPECT_EQ(reply.flow.their_udp_port, 40'000) << "the answer goes where the request came from";
    EXPECT_TRUE(reply.has("\r\n" + kPath)) << reply.text;
    EXPECT_TRUE(reply.has(";received=192.0.2.5;rport=40000"));
    EXPECT_EQ(contact("100").state.flow, from(kProxy, 5070));
    EXPECT_EQ(contact("100").path, "<sip:f1@192.0.2.5:5070;lr>");
}

TEST_F(PathScene, RefreshesInPlaceAsLongAsThePathStays) {
    ask({.extra = kPath});
    EXPECT_TRUE(ask({.cseq = 2, .extra = kPath}).has(kPath));
    EXPECT_EQ(edge->counters(0).refreshed_in_place.get(), 1U);
    const table::ContactId id = contact("100").id;
    const Sent moved = ask({.cseq = 3, .extra = "Path: <sip:f2@192.0.2.5:5070;lr>\r\n"});
    EXPECT_THAT(moved.text, StartsWith("SIP/2.0 200 OK\r\n"));
    EXPECT_EQ(edge->counters(0).refreshed_in_place.get(), 1U);
    EXPECT_EQ(contact("100").path, "<sip:f2@192.0.2.5:5070;lr>");
    EXPECT_EQ(contact("100").id, id);
    ask({.cseq = 4});
    EXPECT_EQ(contact("100").path, "");
    EXPECT_EQ(contact("100").state.flow, from(kProxy, 40'000));
}

TEST_F(PathScene, ARefusalGoesToTheProxyToo) {
    const Sent brief = ask({.expires = "5", .extra = kPath});
    EXPECT_THAT(brief.text, StartsWith("SIP/2.0 423 "));
    EXPECT_EQ(brief.flow.their_udp_port, 40'000);
    const Sent nowhere = ask({.extra = "Path: <sip:192.0.2.66;lr>\r\n"});
    EXPECT_THAT(nowhere.text, StartsWith("SIP/2.0 400 Bad Path\r\n"));
    EXPECT_EQ(nowhere.flow.theirs, kProxy);
    EXPECT_EQ(contacts("100"), 0U);
}

TEST_F(PathScene, Rfc3327_6_AStrangersPathIsIgnored) {
    const Sent reply = ask({.extra = kPath}, kNat, 32947);
    EXPECT_THAT(reply.text, StartsWith("SIP/2.0 200 OK\r\n"));
    EXPECT_FALSE(reply.has("Path:"));
    EXPECT_EQ(contact("100").state.flow, from(kNat, 32947));
    EXPECT_EQ(contact("100").path, "");
    EXPECT_THAT(ask({.cseq = 2, .extra = kPath + "Require: path\r\n"}, kNat, 32947).text,
                StartsWith("SIP/2.0 420 "));
}

TEST_F(PathScene, AProxyIsNotLimited) {
    lay({.policy = policy(),
         .limits = {.enabled = true, .flow = {60, 2}, .address = {60, 2}, .phone = {60, 2}}});
    for (unsigned i = 0; i < 20; ++i) {
        EXPECT_THAT(ask({.cseq = i + 1, .extra = kPath}).text, StartsWith("SIP/2.0 200 OK\r\n"));
    }
    EXPECT_EQ(edge->drops(0, DropReason::kFlowLimit), 0U);
    EXPECT_EQ(edge->drops(0, DropReason::kAddressLimit), 0U);
}

TEST_F(PathScene, Rfc3327_5_4_ACallGoesThroughTheProxy) {
    ask({.extra = kPath});
    const auto seen =
        edge->ask(0, from(kCore, kSip),
                  "INVITE sip:100@example.com SIP/2.0\r\n"
                  "Via: SIP/2.0/UDP 203.0.113.10:5060;branch=z9hG4bKc1\r\nMax-Forwards: 70\r\n"
                  "From: <sip:200@example.com>;tag=f\r\nTo: <sip:100@example.com>\r\n"
                  "Call-ID: c1\r\nCSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n");
    ASSERT_EQ(seen.size(), 1U);
    EXPECT_THAT(seen[0].text, StartsWith("INVITE sip:100@192.168.1.10:5060 SIP/2.0\r\n"));
    EXPECT_TRUE(seen[0].has("\r\nRoute: <sip:f1@192.0.2.5:5070;lr>\r\n")) << seen[0].text;
    EXPECT_EQ(seen[0].flow.theirs, kProxy);
    EXPECT_EQ(seen[0].flow.their_udp_port, 5070);
}

}  // namespace
}  // namespace pinhole::edge::test
