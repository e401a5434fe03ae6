// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/route/answer.h"

#include "tests/unit/route/world.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace pinhole::route {
namespace {

struct Written {
    AnswerResult result;
    std::string text;
};
Written write(const Answer& answer, bool proven, std::size_t room = 4096) {
    World world;
    const std::string wire = crlf(kInviteOut);
    sip::Message message;
    EXPECT_EQ(sip::parse(wire, message), sip::ParseError::kOk);
    std::vector<char> buffer(room);
    sip::Writer out(buffer.data(), buffer.size());
    const AnswerResult result =
        write_answer(message, World::phone_flow(), *world.keys, answer, proven, out);
    return {result, std::string(out.view())};
}
std::string lines(std::size_t bytes) {
    return "X-A: " + std::string(bytes - 7, 'a') + "\r\n";
}

TEST(Answer, OptionalHeadersGoFirst) {
    const std::size_t limit = answer_limit(crlf(kInviteOut).size(), true);
    const std::string optional = lines(400);
    const std::string required = "Min-Expires: 60\r\n";
    const std::string both = required + optional;
    const Answer answer{.code = 423, .headers = both, .required_bytes = required.size()};

    const Written bounded = write(answer, false);
    ASSERT_EQ(bounded.result, AnswerResult::kWritten);
    EXPECT_LE(bounded.text.size(), limit);
    EXPECT_NE(bounded.text.find(required), std::string::npos);
    EXPECT_EQ(bounded.text.find(optional), std::string::npos);

    const Written proven = write(answer, true);
    ASSERT_EQ(proven.result, AnswerResult::kWritten);
    EXPECT_NE(proven.text.find(optional), std::string::npos);
}

TEST(Answer, WhatStillAmplifiesIsNotSent) {
    const std::string required = lines(600);
    const Answer answer{.code = 200, .headers = required, .required_bytes = required.size()};
    EXPECT_EQ(write(answer, false).result, AnswerResult::kAmplifies);
    EXPECT_EQ(write(answer, false).text, "") << "the writer is left as it was";
    EXPECT_EQ(write(answer, true).result, AnswerResult::kWritten);
}

TEST(Answer, LimitCountsIpAndUdpHeaders) {
    EXPECT_EQ(answer_limit(100, true), 128u * 3 / 2 - 28);
    EXPECT_EQ(answer_limit(100, false), 148u * 3 / 2 - 48);
}

TEST(Answer, TooLittleRoom) {
    EXPECT_EQ(write({.code = 200}, true, 100).result, AnswerResult::kDoesNotFit);
}

}  // namespace
}  // namespace pinhole::route
