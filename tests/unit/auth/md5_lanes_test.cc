// SPDX-License-Identifier: BSD-3-Clause
// Every variant against OpenSSL: every length around the block's, any number of lanes, lanes of
// different lengths side by side.
#include "dataplane/auth/md5_lanes.h"

#include "tests/unit/auth/support.h"

#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <string>
#include <vector>

namespace pinhole::auth {
namespace {

class Md5Lanes : public testing::TestWithParam<std::size_t> {
  public:
    [[nodiscard]] static std::vector<std::string> run(const std::vector<std::string>& texts) {
        const auto messages = std::make_unique<Md5Message[]>(texts.size());
        std::vector<Md5Message*> all;
        for (std::size_t i = 0; i < texts.size(); ++i) {
            messages[i].size = 0;
            EXPECT_TRUE(messages[i].add(texts[i]));
            all.push_back(&messages[i]);
        }
        md5_variants()[GetParam()].many(all);
        std::vector<std::string> out;
        for (std::size_t i = 0; i < texts.size(); ++i) {
            std::string hex(32, '\0');
            write_hex(messages[i].digest.data(), 16, hex.data());
            out.push_back(hex);
        }
        return out;
    }
};

TEST_P(Md5Lanes, KnownAnswers) {  // RFC 1321 §A.5
    EXPECT_EQ(run({"", "a", "message digest",
                   "1234567890123456789012345678901234567890123456789012345678901234567890123456789"
                   "0"}),
              (std::vector<std::string>{
                  "d41d8cd98f00b204e9800998ecf8427e", "0cc175b9c0f1b6a831c399e269772661",
                  "f96b697d7cb7938d525a2f31aaf161d0", "57edf4a22be3c955ac49da2e2107b67a"}));
}

TEST_P(Md5Lanes, EveryLength) {
    std::vector<std::string> texts;
    std::vector<std::string> want;
    std::mt19937 random(1);
    for (std::size_t size = 0; size <= Md5Message::kMaxBytes; ++size) {
        std::string text(size, '\0');
        for (char& c : text) {
            c = static_cast<char>(random());
        }
        want.push_back(reference(Algorithm::kMd5, text));
        texts.push_back(std::move(text));
    }
    EXPECT_EQ(run(texts), want);
}

TEST_P(Md5Lanes, AnyNumberOfAnyLength) {
    std::mt19937 random(2);
    for (std::size_t count = 0; count <= 40; ++count) {
        std::vector<std::string> texts;
        std::vector<std::string> want;
        for (std::size_t i = 0; i < count; ++i) {
            texts.emplace_back(random() % 300, static_cast<char>('a' + i));
            want.push_back(reference(Algorithm::kMd5, texts.back()));
        }
        EXPECT_EQ(run(texts), want) << count;
    }
}

TEST_P(Md5Lanes, TooLong) {
    const auto message = std::make_unique<Md5Message>();
    const std::string most(Md5Message::kMaxBytes, 'x');
    EXPECT_TRUE(message->add(most));
    EXPECT_FALSE(message->add("y"));
    EXPECT_TRUE(message->add(""));
    EXPECT_EQ(message->view(), most);
}

INSTANTIATE_TEST_SUITE_P(Variants, Md5Lanes, testing::Range<std::size_t>(0, md5_variants().size()),
                         [](const auto& variant) {
                             return std::string(md5_variants()[variant.param].name);
                         });

TEST(Md5LanesAtStart, TheBestIsInUse) {
    EXPECT_STREQ(md5_variants().front().name, "scalar");
    EXPECT_STREQ(md5_variant_in_use(), md5_variants().back().name);
}

}  // namespace
}  // namespace pinhole::auth
