// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/auth/subscriber_file.h"

#include "tests/unit/auth/support.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace pinhole::auth {
namespace {

using testing::ElementsAre;
using testing::StartsWith;

const std::string kMd5(32, 'a');
const std::string kSha(64, 'B');

std::string read(const std::string& line) {
    SubscriberLine out;
    std::string_view why;
    switch (read_subscriber(line, out, why)) {
        case LineRead::kBad:
            return "bad: " + std::string(why);
        case LineRead::kNothing:
            return "nothing";
        case LineRead::kSubscriber:
            break;
    }
    std::string hex(2 * hash_bytes(out.algorithm), '\0');
    write_hex(out.ha1.data(), hash_bytes(out.algorithm), hex.data());
    return std::string(out.user) + "|" + std::string(out.realm) + "|" +
           std::string(name_of(out.algorithm)) + "|" + hex;
}

TEST(SubscriberLine, Forms) {
    EXPECT_EQ(read("bob:example.com:" + kMd5), "bob|example.com|MD5|" + kMd5);
    EXPECT_EQ(read("bob:example.com:" + kMd5 + "\r"), "bob|example.com|MD5|" + kMd5);
    EXPECT_EQ(read("bob@x:a realm:" + kMd5 + ":md5"), "bob@x|a realm|MD5|" + kMd5);
    EXPECT_EQ(read("b:r:" + kSha + ":SHA-256"), "b|r|SHA-256|" + std::string(64, 'b'));
    EXPECT_EQ(read("b:r:" + kSha + ":SHA-512-256"), "b|r|SHA-512-256|" + std::string(64, 'b'));
    EXPECT_EQ(read(""), "nothing");
    EXPECT_EQ(read("# bob:example.com"), "nothing");
}

TEST(SubscriberLine, Mistakes) {
    EXPECT_THAT(read("bob"), StartsWith("bad: is not user:realm:HA1"));
    EXPECT_THAT(read("bob:example.com"), StartsWith("bad: is not user:realm:HA1"));
    EXPECT_THAT(read(":r:" + kMd5), StartsWith("bad: has no user"));
    EXPECT_THAT(read(std::string(256, 'u') + ":r:" + kMd5), StartsWith("bad: has no user"));
    EXPECT_THAT(read("b\tb:r:" + kMd5), StartsWith("bad: has no user"));
    EXPECT_THAT(read("b::" + kMd5), StartsWith("bad: has no realm"));
    EXPECT_THAT(read("b:" + std::string(129, 'r') + ":" + kMd5), StartsWith("bad: has no realm"));
    EXPECT_THAT(read("b:r:" + kMd5.substr(1)), StartsWith("bad: has no HA1 of 32"));
    EXPECT_THAT(read("b:r:" + kMd5.substr(1) + "g"), StartsWith("bad: has no HA1 of 32"));
    EXPECT_THAT(read("b:r:" + kSha), StartsWith("bad: has no HA1 of 32"));
    EXPECT_THAT(read("b:r:" + kMd5 + ":SHA-256"), StartsWith("bad: has no HA1 of 64"));
    EXPECT_THAT(read("b:r:" + kMd5 + ":MD5-sess"), StartsWith("bad: names an algorithm"));
    EXPECT_THAT(read("b:r:" + kMd5 + ":"), StartsWith("bad: names an algorithm"));
}

struct Loaded {
    std::unique_ptr<const Subscribers> subscribers;
    std::vector<std::string> problems;
    std::size_t foreign = 0;
};

Loaded load(const std::string& text, const std::vector<Algorithm>& algorithms = {Algorithm::kMd5}) {
    const UserHash hash = test_hash();
    SubscriberReader reader("example.com", hash);
    const auto take = [&] {
        // In two pieces, as a large file comes.
        const std::size_t half = text.find('\n', text.size() / 2) + 1;
        reader.take(std::string_view(text).substr(0, half));
        reader.take(std::string_view(text).substr(half));
    };
    Loaded out;
    take();
    if (reader.begin_filling(SubscriberMemory::heap())) {
        take();
        out.subscribers = reader.finish(algorithms);
    }
    out.problems = reader.problems();
    out.foreign = reader.foreign();
    return out;
}

TEST(SubscriberFile, Whole) {
    std::string text = "# ours\n";
    for (unsigned i = 0; i < 100; ++i) {
        text += "u" + std::to_string(i) + ":example.com:" + kMd5 + "\n";
        text += "u" + std::to_string(i) + ":example.org:" + kMd5 + "\n\n";
    }
    const Loaded loaded = load(text);
    ASSERT_NE(loaded.subscribers, nullptr);
    EXPECT_TRUE(loaded.problems.empty());
    EXPECT_EQ(loaded.subscribers->users(), 100U);
    EXPECT_EQ(loaded.foreign, 100U);
    for (unsigned i = 0; i < 100; ++i) {
        EXPECT_NE(loaded.subscribers->find(Algorithm::kMd5, test_hash()("u" + std::to_string(i))),
                  nullptr)
            << i;
    }
}

TEST(SubscriberFile, TheLastLineNeedsNoEnd) {
    const Loaded loaded = load("a:example.com:" + kMd5 + "\nb:example.com:" + kMd5);
    ASSERT_NE(loaded.subscribers, nullptr);
    EXPECT_EQ(loaded.subscribers->users(), 2U);
}

TEST(SubscriberFile, MistakesByTheirLines) {
    const std::string good = ":example.com:" + kMd5 + "\n";
    EXPECT_THAT(load("a" + good + "\n# x\nb:example.com:12\nc" + good + "d\n").problems,
                ElementsAre(StartsWith("4: has no HA1"), StartsWith("6: is not")));
    EXPECT_THAT(load("a" + good + "b" + good + "a" + good).problems,
                ElementsAre(StartsWith("3: is a second one")));
    EXPECT_THAT(load("a:example.org:" + kMd5).problems,
                ElementsAre("names no subscriber of the realm \"example.com\""));
    EXPECT_THAT(load("").problems, ElementsAre(StartsWith("names no subscriber")));
    EXPECT_THAT(load("a" + good + "b:example.com:" + kSha + ":SHA-256\n").problems,
                ElementsAre(StartsWith("has for no algorithm")));
    EXPECT_EQ(load("a" + good + "b:example.com:" + kSha + ":SHA-256\n").subscribers, nullptr);
    std::string many;
    for (unsigned i = 0; i < 100; ++i) {
        many += "x\n";
    }
    EXPECT_EQ(load(many).problems.size(), SubscriberReader::kMostProblems + 1);
}

// One that stands both times, or is longer the second time: nothing is written past the table.
TEST(SubscriberFile, AFileThatGrowsMeanwhile) {
    const UserHash hash = test_hash();
    SubscriberReader reader("example.com", hash);
    reader.take("a:example.com:" + kMd5 + "\n");
    ASSERT_TRUE(reader.begin_filling(SubscriberMemory::heap()));
    for (unsigned i = 0; i < 1000; ++i) {
        reader.take("u" + std::to_string(i) + ":example.com:" + kMd5 + "\n");
    }
    EXPECT_EQ(reader.finish({Algorithm::kMd5}), nullptr);
    EXPECT_FALSE(reader.problems().empty());
}

}  // namespace
}  // namespace pinhole::auth
