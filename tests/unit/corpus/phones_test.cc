// SPDX-License-Identifier: BSD-3-Clause
// REGISTERs shaped like those that real phones send, from behind a NAT: each registers, is called,
// refreshes in place, comes back after a restart, and leaves.
#include "dataplane/sip/name_addr.h"
#include "tests/unit/corpus/edge.h"
#include "tests/unit/corpus/files.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

namespace pinhole::corpus {
namespace {

using route::Sent;
using sip::HeaderId;

// A phone as its REGISTER tells of it.
class Phone {
  public:
    explicit Phone(const std::string& name) : text_(read_message("phones", name)) {
        sip::Message message = parsed();
        sip::NameAddr contact;
        (void)sip::parse_name_addr(message.first(HeaderId::kContact), contact);
        contact_ = std::string(contact.uri.text);
        const auto of_contact = sip::contact_params(contact).expires;
        expires_s_ = of_contact.value_or(sip::expires_of(message).value_or(0));
        sip::NameAddr to;
        (void)sip::parse_name_addr(message.to(), to);
        std::array<char, sip::kMaxAor> room;
        aor_ = std::string(sip::canonical_aor(to.uri, room.data()).value_or(""));
        cseq_ = message.cseq;
        call_id_ = std::string(message.call_id());
        behind_ipv6_ = message.via().find('[') != std::string_view::npos;
    }

    [[nodiscard]] const std::string& text() const { return text_; }
    [[nodiscard]] const std::string& contact() const { return contact_; }
    [[nodiscard]] const std::string& aor() const { return aor_; }
    [[nodiscard]] std::uint32_t granted_s(const registrar::RegistrarPolicy& policy) const {
        return std::clamp(expires_s_, policy.min_expires_s, policy.max_expires_s);
    }
    [[nodiscard]] net::Flow flow() const {
        return behind_ipv6_ ? route::flow(Edge::kEdge6, 5060, "2001:db8:77::1", 5060)
                            : Edge::phone_flow();
    }

    // The next REGISTER of the same Call-ID.
    [[nodiscard]] std::string refresh() {
        const std::string was = "CSeq: " + std::to_string(cseq_++);
        text_ = route::replace(text_, was, "CSeq: " + std::to_string(cseq_));
        new_branch();
        return text_;
    }
    // The first after it was switched off and on.
    [[nodiscard]] std::string restart() {
        text_ = route::replace(text_, call_id_, "restarted-" + call_id_);
        text_ = route::replace(text_, "CSeq: " + std::to_string(cseq_), "CSeq: 1");
        cseq_ = 1;
        new_branch();
        return text_;
    }
    // By its own way of asking for a time.
    [[nodiscard]] std::string leave() {
        std::string out = refresh();
        const std::string asked = std::to_string(expires_s_);
        out = route::replace(out, ";expires=" + asked, ";expires=0");
        return route::replace(out, "\r\nExpires: " + asked, "\r\nExpires: 0");
    }
    // As some do before they register and when they are switched off.
    [[nodiscard]] std::string leave_all() {
        std::string out = leave();
        const sip::Message message = parsed();
        const std::string contacts(message.first(HeaderId::kContact));
        out = route::replace(out, contacts, "*");
        return out.find("\r\nExpires: 0") == std::string::npos
                   ? route::replace(out, "\r\n\r\n", "\r\nExpires: 0\r\n\r\n")
                   : out;
    }

  private:
    [[nodiscard]] sip::Message parsed() const {
        sip::Message message;
        EXPECT_EQ(sip::parse(text_, message), sip::ParseError::kOk) << text_;
        return message;
    }
    void new_branch() { text_ = route::replace(text_, "branch=z9hG4bK", "branch=z9hG4bK0"); }

    std::string text_;
    std::string contact_;
    std::string aor_;
    std::string call_id_;
    std::uint32_t expires_s_ = 0;
    std::uint32_t cseq_ = 0;
    bool behind_ipv6_ = false;
};

class Phones : public testing::TestWithParam<std::string> {
  protected:
    Phones() { EXPECT_TRUE(edge.identity.add_domain("ims.mnc001.mcc262.3gppnetwork.org")); }

    Sent send(const std::string& text) { return edge.take(text, phone.flow()); }
    void wait_s(unsigned s) { edge.now_us += std::uint64_t{s} * 1'000'000; }
    void expect_registered(const Sent& sent) {
        ASSERT_TRUE(sent.replied(200)) << sent.text;
        EXPECT_EQ(sent.decision.flow, phone.flow());
        const auto contacts = sent.values(HeaderId::kContact);
        ASSERT_EQ(contacts.size(), 1U) << sent.text;
        EXPECT_TRUE(contacts[0].starts_with("<" + phone.contact() + ">")) << contacts[0];
        const std::string granted = ";expires=" + std::to_string(phone.granted_s(edge.policy));
        EXPECT_TRUE(contacts[0].ends_with(granted)) << contacts[0];
    }
    Sent call() {
        return edge.from_core(
            route::replace(route::replace(route::kInvite, "INVITE sip:100@example.com",
                                          "INVITE sip:" + phone.aor()),
                           "branch=z9hG4bKcore1", "branch=z9hG4bKcore" + std::to_string(++calls_)));
    }

    Edge edge;
    Phone phone{GetParam()};

  private:
    unsigned calls_ = 0;
};

TEST_P(Phones, RegistersIsCalledRefreshesAndLeaves) {
    expect_registered(send(phone.text()));
    EXPECT_FALSE(edge.last_was_in_place());
    const Sent invite = call();
    ASSERT_TRUE(invite.forwarded()) << invite.text;
    EXPECT_EQ(invite.decision.flow, phone.flow());
    EXPECT_EQ(invite.first_line(), "INVITE " + phone.contact() + " SIP/2.0");
    for (int i = 0; i < 3; ++i) {
        wait_s(40);
        expect_registered(send(phone.refresh()));
        EXPECT_TRUE(edge.last_was_in_place());
    }
    EXPECT_EQ(call().decision.flow, invite.decision.flow);
    wait_s(40);
    const Sent left = send(phone.leave());
    ASSERT_TRUE(left.replied(200)) << left.text;
    EXPECT_EQ(left.values(HeaderId::kContact).size(), 0U) << left.text;
    EXPECT_FALSE(call().forwarded());
}

TEST_P(Phones, ComesBackAfterARestartAsTheSamePhone) {
    expect_registered(send(phone.text()));
    wait_s(40);
    expect_registered(send(phone.restart()));
}

TEST_P(Phones, ARetransmissionGetsTheSameAnswer) {
    const Sent first = send(phone.text());
    EXPECT_EQ(send(phone.text()).text, first.text);
}

TEST_P(Phones, LeavesWithAllItsContacts) {
    expect_registered(send(phone.text()));
    wait_s(40);
    const Sent left = send(phone.leave_all());
    ASSERT_TRUE(left.replied(200)) << left.text;
    EXPECT_EQ(left.values(HeaderId::kContact).size(), 0U) << left.text;
}

INSTANTIATE_TEST_SUITE_P(Corpus, Phones, testing::ValuesIn(messages_in("phones")),
                         [](const testing::TestParamInfo<std::string>& phone) {
                             std::string name = phone.param;
                             std::replace_if(
                                 name.begin(), name.end(),
                                 [](char c) { return c == '-' || c == '.'; }, '_');
                             return name;
                         });

}  // namespace
}  // namespace pinhole::corpus
