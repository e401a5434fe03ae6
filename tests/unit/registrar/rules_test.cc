// SPDX-License-Identifier: BSD-3-Clause
// What the registrar's functions say of a given record. How a worker uses them, and RFC 3261 §10.3
// as a whole, is tested through the edge: tests/unit/edge/register_rules_test.cc.
#include "dataplane/registrar/rules.h"

#include "dataplane/registrar/answer.h"
#include "tests/unit/registrar/request_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace pinhole::registrar {
namespace {

using testing::HasSubstr;
using testing::Not;

const std::string kAlice = "<sip:alice@192.168.1.10:5060>";

RequestText contacts(unsigned cseq, std::vector<std::string> list) {
    RequestText text;
    text.cseq = cseq;
    text.contacts = std::move(list);
    return text;
}

class Rules : public testing::Test {
  protected:
    void store(const RequestText& text, net::Flow flow = flow_from(kHome, 32947)) {
        last_ = read(text, {}, {.ms = 50'000, .s = 1'000'000}, flow);
        ASSERT_EQ(last_->verdict, Verdict::kOk);
        ASSERT_EQ(stored_.add(last_->request), Verdict::kOk);
    }
    // What refresh() says of the request; `named_` is what it has named.
    InPlace refresh_by(const RequestText& text) {
        const auto made = read(text, {}, {.ms = 50'000, .s = 1'000'000});
        EXPECT_EQ(made->verdict, Verdict::kOk);
        const table::Record* record = stored_.record(made->request);
        EXPECT_TRUE(may_refresh(*record, made->request));
        InPlace done = InPlace::kNeedsOwner;
        EXPECT_EQ(stored_.table().refresh_any(*record,
                                              [&](table::ClaimedRecord& claimed) {
                                                  done = refresh(claimed, made->request, named_);
                                              }),
                  table::RefreshResult::kOk);
        return done;
    }

    Stored stored_;
    std::unique_ptr<ReadRequest> last_;
    Named named_;
};

TEST_F(Rules, WhatARefreshHasNamedAndUnderWhichCallId) {
    store({});
    ASSERT_EQ(refresh_by(contacts(2, {kAlice})), InPlace::kDone);
    EXPECT_EQ(named_.all, 1U);
    EXPECT_EQ(named_.by_call, 1U);
    ASSERT_EQ(refresh_by(contacts(2, {kAlice})), InPlace::kDone);
    EXPECT_EQ(named_.all, 1U);
    EXPECT_EQ(named_.by_call, 0U) << "a retransmission";
    RequestText other = contacts(9, {kAlice});
    other.call_id = "another";
    ASSERT_EQ(refresh_by(other), InPlace::kDone);
    EXPECT_EQ(named_.by_call, 0U);
}

// Nobody with a forged address has us send a victim a long list for a short request.
TEST_F(Rules, ALimitedAnswerListsTheSendersOwnFirstAndWhatFits) {
    store(contacts(1, {"<sip:a@h1>", "<sip:a@h2>", "<sip:a@h3>"}));
    const net::Flow mine = flow_from(kHome, 40000);
    store(contacts(2, {"<sip:a@mine>"}), mine);
    std::array<char, 2000> room;
    const auto answer = [&](std::size_t limit) {
        sip::Writer out(room.data(), room.size());
        const AnswerContext context{{net::Address::v4(kHome), 40000, true},
                                    "t",
                                    {.ms = 50'000, .s = 1'000'000},
                                    mine,
                                    limit};
        if (write_ok(last_->message, stored_.record(last_->request), context, out) !=
            Answered::kWritten) {
            return std::string();
        }
        EXPECT_LE(out.size(), limit);
        return std::string(out.view());
    };
    const std::string whole = answer(2000);
    EXPECT_LT(whole.find("sip:a@mine"), whole.find("sip:a@h1"));
    const std::string part = answer(whole.size() - 1);
    EXPECT_THAT(part, HasSubstr("sip:a@mine"));
    EXPECT_THAT(part, Not(HasSubstr("sip:a@h3")));
    EXPECT_EQ(answer(100), "");
}

}  // namespace
}  // namespace pinhole::registrar
