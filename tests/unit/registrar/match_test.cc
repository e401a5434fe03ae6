// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/registrar/match.h"

#include "dataplane/sip/uri_compare.h"
#include "tests/unit/registrar/request_text.h"

#include <gtest/gtest.h>

namespace pinhole::registrar {
namespace {

// RFC 3261 §19.1.4's own examples, and what phones add to them.
TEST(SameUri, AsTheRfcSays) {
    const std::pair<const char*, const char*> same[] = {
        {"sip:%61lice@atlanta.com;transport=TCP", "sip:alice@AtLanTa.CoM;Transport=tcp"},
        {"sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5"},
        {"sip:carol@chicago.com;newparam=5", "sip:carol@chicago.com;security=on"},
        {"sip:alice@atlanta.com?subject=x", "sip:alice@atlanta.com?subject=x"},
        {"sip:a@[2001:db8::1]", "sip:a@[2001:DB8::1]"},
    };
    for (const auto& [a, b] : same) {
        EXPECT_TRUE(sip::same_uri(a, b)) << a << " " << b;
        EXPECT_TRUE(sip::same_uri(b, a)) << b << " " << a;
    }
    const std::pair<const char*, const char*> different[] = {
        {"SIP:ALICE@AtLanTa.CoM;Transport=udp", "sip:alice@AtLanTa.CoM;Transport=UDP"},
        {"sip:bob@biloxi.com", "sip:bob@biloxi.com:5060"},
        {"sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp"},
        {"sip:bob@biloxi.com", "sip:bob@biloxi.com:6000;transport=tcp"},
        {"sip:carol@chicago.com", "sips:carol@chicago.com"},
        {"sip:bob@phone21.boxesbybob.com", "sip:bob@192.0.2.4"},
        {"sip:carol@chicago.com;security=on", "sip:carol@chicago.com;security=off"},
        {"sip:bob@biloxi.com;method=INVITE", "sip:bob@biloxi.com"},
        {"sip:a@b", "sip:a:secret@b"},
        {"sip:a@b", "sip:a@bb"},
        {"sip:aa@b", "sip:a@b"},
        {"sip:a@b;user=phone", "sip:a@b"},
    };
    for (const auto& [a, b] : different) {
        EXPECT_FALSE(sip::same_uri(a, b)) << a << " " << b;
        EXPECT_FALSE(sip::same_uri(b, a)) << b << " " << a;
    }
}

// A stored contact as the request `made` would have left it.
table::ContactView stored_by(const ReadRequest& made) {
    table::ContactView view;
    view.uri = made.request.contacts[0].uri;
    view.params = {made.request.contacts[0].params, made.request.contacts[0].instance};
    view.reg_id = made.request.contacts[0].reg_id;
    view.state.flow = made.whose.flow;
    view.state.call_id_hash = made.whose.call_id_hash;
    view.state.cseq = made.whose.cseq;
    view.state.refreshed_at_ms = made.whose.now.ms;
    view.state.expires_at_s = made.whose.now.s + made.request.contacts[0].expires_s;
    return view;
}

bool means(const ReadRequest& earlier, const ReadRequest& later) {
    return same_binding(stored_by(earlier), later.request.contacts[0], later.request);
}

TEST(SameBinding, Rfc3261_10_3_UriAndCallId) {
    const auto first = read({});
    RequestText other_call;
    other_call.call_id = "call-2";
    EXPECT_TRUE(means(*first, *read({})));
    EXPECT_TRUE(means(*first, *read(other_call))) << "restarted behind the same gateway";
    EXPECT_FALSE(means(*first, *read(other_call, {}, {}, flow_from(kOffice, 4000))))
        << "100@192.168.1.10:5060 at home and in the office are two phones";
    EXPECT_TRUE(means(*first, *read({}, {}, {}, flow_from(kOffice, 4000))))
        << "the same Call-ID from elsewhere is the same phone, moved";
    RequestText other_uri;
    other_uri.contacts = {"<sip:alice@192.168.1.11:5060>"};
    EXPECT_FALSE(means(*first, *read(other_uri)));
}

TEST(SameBinding, InstanceAndRegId) {
    const auto with = [](const char* uri, const char* instance, const char* reg_id) {
        RequestText text;
        text.call_id = std::string(uri) + instance;
        text.contacts = {std::string("<sip:a@") + uri + ">;+sip.instance=\"<" + instance + ">\"" +
                         reg_id};
        return read(text, {}, {}, flow_from(kOffice, 4000));
    };
    EXPECT_TRUE(means(*with("h1", "urn:1", ";reg-id=1"), *with("h2", "urn:1", ";reg-id=1")));
    EXPECT_FALSE(means(*with("h1", "urn:1", ";reg-id=1"), *with("h1", "urn:1", ";reg-id=2")));
    EXPECT_FALSE(means(*with("h1", "urn:1", ""), *with("h1", "urn:2", "")));
    EXPECT_TRUE(means(*with("h1", "urn:1", ""), *with("h2", "urn:1", ""))) << "rebound";
}

TEST(SameBinding, TwoContactsOfOneInstanceInOneRequestAreTwo) {
    RequestText both;
    both.contacts = {"<sip:a@h1>;+sip.instance=\"<urn:1>\"",
                     "<sip:a@h2>;+sip.instance=\"<urn:1>\""};
    const auto made = read(both);
    EXPECT_TRUE(same_binding(stored_by(*made), made->request.contacts[0], made->request));
    EXPECT_FALSE(same_binding(stored_by(*made), made->request.contacts[1], made->request));
}

TEST(OrderOf, Rfc3261_10_3_CSeqWithinAndBeyondTheWindow) {
    const auto order = [](unsigned stored_cseq, unsigned cseq, std::uint32_t later_ms) {
        RequestText before;
        before.cseq = stored_cseq;
        RequestText after;
        after.cseq = cseq;
        return order_of(
            stored_by(*read(before, {}, {.ms = 4'294'967'000, .s = 1000})).state,
            read(after, {}, {.ms = std::uint64_t{4'294'967'000} + later_ms, .s = 1000})->request);
    };
    EXPECT_EQ(order(5, 6, 0), Order::kNewer);
    EXPECT_EQ(order(5, 5, 31'999), Order::kRetransmission);
    EXPECT_EQ(order(5, 4, 31'999), Order::kLate);
    EXPECT_EQ(order(5, 4, 32'000), Order::kNewer) << "a phone that restarted; the clock wrapped";
    EXPECT_EQ(order(5, 5, 32'000), Order::kNewer);
    // Another worker, whose clock was read a moment later, has refreshed it since.
    EXPECT_EQ(order(5, 4, 0U - 3), Order::kLate);
    EXPECT_EQ(order(5, 5, 0U - 3), Order::kRetransmission);
}

// A request that waited for its shard's owner is older than what another worker, or a later packet
// of its own worker's, has put in place meanwhile: its time lies before the stored one.
TEST(OrderOf, ARequestThatWaitedWhileANewerOneWasServedIsLate) {
    const auto order = [](unsigned stored_cseq, unsigned cseq, std::uint32_t stored_at_ms,
                          std::uint32_t asked_at_ms) {
        RequestText before;
        before.cseq = stored_cseq;
        RequestText after;
        after.cseq = cseq;
        return order_of(stored_by(*read(before, {}, {.ms = stored_at_ms, .s = 1000})).state,
                        read(after, {}, {.ms = asked_at_ms, .s = 1000})->request);
    };
    EXPECT_EQ(order(6, 5, 7001, 7000), Order::kLate);
    EXPECT_EQ(order(6, 6, 7001, 7000), Order::kRetransmission);
    EXPECT_EQ(order(6, 5, 3, 4'294'967'290), Order::kLate) << "the clock wrapped in between";
    EXPECT_EQ(order(6, 7, 7001, 7000), Order::kNewer);
}

TEST(AtContact, StaysWhileItRegistersFromTheSameAddressToTheSamePortOfOurs) {
    table::ContactState stored;
    stored.flow = flow_from(kHome, 5070);
    EXPECT_FALSE(stays_at_contact(stored, flow_from(kHome, 32947)));
    stored.flags = table::kAtContact;
    EXPECT_TRUE(stays_at_contact(stored, flow_from(kHome, 32947)));
    EXPECT_TRUE(stays_at_contact(stored, flow_from(kHome, 40000)));
    EXPECT_FALSE(stays_at_contact(stored, flow_from(kOffice, 32947)));
    net::Flow other = flow_from(kHome, 32947);
    other.our_udp_port = 5080;
    EXPECT_FALSE(stays_at_contact(stored, other));
    other = flow_from(kHome, 32947);
    other.port = 1;
    EXPECT_FALSE(stays_at_contact(stored, other));
}

}  // namespace
}  // namespace pinhole::registrar
