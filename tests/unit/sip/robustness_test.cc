// SPDX-License-Identifier: BSD-3-Clause
// Cut and mutated messages through every parser of the folder: nothing crashes, nothing reads or
// writes past an end (each input is a heap block of its exact size, for ASan), and what comes out
// are views into what went in.
#include "dataplane/sip/message.h"
#include "tests/fuzz/exercise.h"
#include "tests/unit/sip/samples.h"

#include <gtest/gtest.h>

#include <cstring>
#include <memory>
#include <random>
#include <string>

namespace pinhole::sip {
namespace {

using namespace std::string_view_literals;

void exercise(std::string_view text) {
    const std::unique_ptr<char[]> exact(new char[text.size()]);
    std::memcpy(exact.get(), text.data(), text.size());
    fuzz::exercise_message({exact.get(), text.size()});
    fuzz::exercise_reply({exact.get(), text.size()});
}

TEST(Robustness, CutAtEveryByte) {
    for (const std::string_view whole : {samples::kYealinkRegister, samples::kTortuousInvite}) {
        const std::size_t head = whole.find("\r\n\r\n") + 4;
        for (std::size_t n = 0; n < whole.size(); ++n) {
            exercise(whole.substr(0, n));
            Message message;
            const ParseError error = parse(whole.substr(0, n), message);
            if (n < head) {
                EXPECT_NE(error, ParseError::kOk) << n;
            } else {
                EXPECT_EQ(error, ParseError::kBodyTooShort) << n;
            }
        }
    }
}

TEST(Robustness, RandomMutations) {
    std::mt19937 random(3);
    const std::string_view marks = "\r\n:;,<>\"\\ \t@%=?*[]\0\xff"sv;
    for (int round = 0; round < 30000; ++round) {
        std::string text(round % 2 == 0 ? samples::kYealinkRegister : samples::kTortuousInvite);
        for (std::size_t n = random() % 8 + 1; n != 0; --n) {
            const std::size_t at = random() % text.size();
            switch (random() % 5) {
                case 0:
                    text[at] = static_cast<char>(random());
                    break;
                case 1:
                    text[at] = marks[random() % marks.size()];
                    break;
                case 2:
                    text.erase(at, random() % 20);
                    break;
                case 3:
                    text.insert(at, 1, marks[random() % marks.size()]);
                    break;
                default:
                    text.insert(at, text.substr(random() % text.size(), random() % 40));
            }
            if (text.empty()) {
                break;
            }
        }
        exercise(text);
    }
}

}  // namespace
}  // namespace pinhole::sip
