// SPDX-License-Identifier: BSD-3-Clause
// RFC 5627 in a REGISTER and its 200: who is told GRUUs, and where they stand.
#include "dataplane/registrar/answer.h"
#include "tests/unit/registrar/request_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pinhole::registrar {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr const char* kDesk = "<sip:alice@h1>;+sip.instance=\"<urn:uuid:1>\"";

RequestText request(std::vector<std::string> contacts, std::string extra) {
    RequestText text;
    text.contacts = std::move(contacts);
    text.extra = std::move(extra);
    return text;
}

TEST(Gruu, Rfc5627_5_1_ToldToAPhoneThatKnowsThemAndHasAnInstance) {
    const auto told = [](std::vector<std::string> contacts, std::string extra,
                         const RegistrarPolicy& policy = {}) {
        const auto got = read(request(std::move(contacts), std::move(extra)), policy);
        EXPECT_EQ(got->verdict, Verdict::kOk);
        return got->request.gruu;
    };
    EXPECT_TRUE(told({kDesk}, "Supported: path, GRUU\r\n"));
    EXPECT_TRUE(told({"<sip:a@h2>", kDesk}, "Supported: gruu\r\n"));
    EXPECT_TRUE(told({kDesk}, "Require: gruu\r\n"));
    EXPECT_TRUE(told({}, "Supported: gruu\r\n")) << "a fetch";
    EXPECT_FALSE(told({kDesk}, "Supported: outbound\r\n"));
    EXPECT_FALSE(told({"<sip:alice@h1>"}, "Supported: gruu\r\n"));
    RegistrarPolicy off;
    off.gruu = false;
    EXPECT_FALSE(told({kDesk}, "Supported: gruu\r\n", off));
    EXPECT_EQ(read(request({kDesk}, "Require: gruu\r\n"), off)->verdict, Verdict::kBadExtension);
}

TEST(Gruu, Rfc5627_3_2_WhatAPhoneWritesItselfIsNotKept) {
    const auto got = read(request(
        {"<sip:a@h1>;pub-gruu=\"sip:eve@example.com;gr=1\";x=y;TEMP-gruu=\"sip:e@example.com;gr\""},
        ""));
    ASSERT_EQ(got->verdict, Verdict::kOk);
    EXPECT_EQ(got->request.contacts[0].params, ";x=y");
}

class GruuAnswer : public testing::Test {
  protected:
    void store(const RequestText& text, net::Flow flow = flow_from(kHome, 32947)) {
        last_ = read(text, {}, now_, flow);
        ASSERT_EQ(last_->verdict, Verdict::kOk);
        ASSERT_EQ(stored_.add(last_->request), Verdict::kOk);
    }
    std::string answer(std::size_t gruu_size, std::size_t limit = AnswerContext::kNoLimit,
                       std::string_view headers = "") {
        static std::size_t size;
        size = gruu_size;
        AnswerContext context{{net::Address::v4(kHome), 32947, true},
                              "t",
                              now_,
                              flow_from(kHome, 32947),
                              limit,
                              headers};
        if (gruu_size != 0) {
            context.gruus = {[](const void*, const table::ContactView& contact, sip::Writer& out) {
                                 if (!contact.params.instance().empty()) {
                                     out.text(";temp-gruu=").text(std::string(size - 11, 'g'));
                                 }
                             },
                             nullptr};
        }
        std::vector<char> room(16'000);
        sip::Writer out(room.data(), room.size());
        EXPECT_EQ(write_ok(last_->message, stored_.record(last_->request), context, out),
                  Answered::kWritten);
        return std::string(out.view());
    }

    Stored stored_;
    std::unique_ptr<ReadRequest> last_;
    Moment now_{.ms = 5'000'000, .s = 1'000'000};
};

TEST_F(GruuAnswer, Rfc5627_5_2_WithEachContactThatHasAnInstance) {
    store(request({kDesk, "<sip:alice@h2>"}, ""));
    const std::string text = answer(20);
    EXPECT_THAT(text, HasSubstr("Contact: <sip:alice@h1>;+sip.instance=\"<urn:uuid:1>\"" +
                                (";temp-gruu=" + std::string(9, 'g')) + ";expires=3600\r\n"));
    EXPECT_THAT(text, HasSubstr("Contact: <sip:alice@h2>;expires=3600\r\n"));
    EXPECT_THAT(answer(0), Not(HasSubstr("gruu")));
}

TEST_F(GruuAnswer, TheSendersOwnGoFirstAndTheRestAsFarAsThereIsRoom) {
    store(request({"<sip:alice@h2>;+sip.instance=\"<urn:uuid:2>\""}, ""),
          flow_from(kOffice, 40'000));
    store(request({kDesk}, ""));
    const auto lines_with_gruu = [](const std::string& text) {
        std::size_t count = 0;
        for (std::size_t at = 0; (at = text.find(";temp-gruu", at)) != std::string::npos; ++at) {
            ++count;
        }
        return count;
    };
    EXPECT_EQ(lines_with_gruu(answer(1300)), 2U);
    EXPECT_EQ(lines_with_gruu(answer(kMaxGruuParams + 1)), 0U) << "too long: the 200 is not lost";
    const std::size_t plain = answer(0).size();
    const std::string one = answer(300, plain + 350);
    EXPECT_EQ(lines_with_gruu(one), 1U);
    EXPECT_LT(one.find("urn:uuid:1"), one.find("gggg"));
    EXPECT_THAT(one, HasSubstr("urn:uuid:2"));
    EXPECT_EQ(lines_with_gruu(answer(300, plain + 200)), 0U) << "an answer kept small";
    EXPECT_THAT(answer(300, plain + 320, "Service-Route: <sip:edge.example.com;lr>\r\n"),
                HasSubstr("Service-Route"))
        << "the headers go before them";
}

}  // namespace
}  // namespace pinhole::registrar
