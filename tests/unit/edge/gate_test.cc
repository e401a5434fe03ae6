// SPDX-License-Identifier: BSD-3-Clause
// Packets that are no SIP: keepalives of both kinds, and garbage.
#include "tests/unit/edge/edge_scene.h"

#include <gmock/gmock.h>

#include <string>
#include <string_view>

namespace pinhole::edge::test {
namespace {

using testing::StartsWith;

class GateScene : public EdgeScene {
  public:
    void SetUp() override { lay(); }
};

// RFC 5626 §4.4.2 and §8: the answer goes by the flow. It proves nothing, so the edge keeps
// nothing.
TEST_F(GateScene, Rfc5626_8_AnswersStunKeepalives) {
    using namespace std::string_view_literals;
    constexpr std::string_view kRequest =
        "\x00\x01\x00\x00\x21\x12\xa4\x42\xb7\xe7\xa7\x01\xbc\x34\xd6\x86\xfa\x87\xdf\xae"sv;
    const auto seen = edge->ask(0, from(kNat, 32947), kRequest);
    ASSERT_EQ(seen.size(), 1U);
    EXPECT_EQ(seen[0].flow, from(kNat, 32947));
    EXPECT_EQ(seen[0].text.size(), 32U);
    EXPECT_THAT(seen[0].text, StartsWith("\x01\x01\x00\x0c"sv));
    EXPECT_EQ(edge->ask(0, from(address("2001:db8:7::10"), 5062), kRequest).size(), 1U);
    EXPECT_EQ(edge->counters(0).stun_answers.get(), 2U);
    EXPECT_EQ(edge->table().counts().contacts, 0U);
    std::string other(kRequest);
    other[1] = '\x11';
    EXPECT_TRUE(edge->ask(0, from(kNat, 32947), other).empty()) << "an indication";
    EXPECT_EQ(edge->drops(0, DropReason::kKeepalive), 1U);
    other[4] = 'x';
    EXPECT_TRUE(edge->ask(0, from(kNat, 32947), other).empty()) << "no STUN";
    EXPECT_EQ(edge->drops(0, DropReason::kNotSip), 1U);
}

TEST_F(GateScene, DropsAndCountsWhatIsNoSip) {
    EXPECT_TRUE(edge->ask(0, from(kNat, 1), "GET / HTTP/1.1\r\n\r\n").empty());
    EXPECT_EQ(edge->drops(0, DropReason::kNotSip), 1U);
    EXPECT_TRUE(edge->ask(0, from(kNat, 1), "\r\n\r\n").empty());
    EXPECT_EQ(edge->drops(0, DropReason::kKeepalive), 1U);
}

}  // namespace
}  // namespace pinhole::edge::test
