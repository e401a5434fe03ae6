// SPDX-License-Identifier: BSD-3-Clause
// What was signed before a rotation or a restart is known after it: branches, tokens, tags, pings.
#include "control/keys/key_file.h"
#include "control/keys/key_keeper.h"
#include "dataplane/route/branch.h"
#include "dataplane/route/ping.h"
#include "dataplane/route/tag.h"
#include "dataplane/route/token.h"
#include "tests/unit/route/world.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <string>

namespace pinhole::keys {
namespace {

constexpr std::uint64_t kDay = 86'400;
constexpr std::uint64_t kStart = 1'700'000'000;

// Two pinholes, one after the other, with one disk.
struct Disk {
    std::optional<std::string> text;
    std::uint8_t dice = 0;

    KeyKeeper start(std::uint64_t now_s) {
        KeyKeeper keeper(kDay, {.write =
                                    [this](std::string_view written) {
                                        text = written;
                                        return std::optional<std::string>{};
                                    },
                                .randomize =
                                    [this](std::span<std::uint8_t> to) {
                                        std::fill(to.begin(), to.end(), ++dice);
                                    }});
        EXPECT_EQ(keeper.start(text ? std::optional<std::string_view>(*text) : std::nullopt, now_s),
                  std::nullopt);
        return keeper;
    }
};

const route::Token kToken{.contact = {7, 9}, .peer = 3, .direction = route::Direction::kToCore};

std::string branch_of(const tokens::Keys& keys) {
    const route::BranchText text =
        route::make_branch(keys, keys.current_id(), route::World::core_flow(false),
                           {.flow = route::World::phone_flow(), .to_phone = true}, 42);
    return std::string(text.view());
}

// Everything that a run hands out.
struct Handed {
    explicit Handed(const tokens::Keys& keys)
        : branch(branch_of(keys)), token(route::make_token(keys, kToken, "call").view()) {
        sip::Message invite;
        const std::string wire = route::crlf(route::kInvite);
        EXPECT_EQ(sip::parse(wire, invite), sip::ParseError::kOk);
        ack = route::replace(
            route::with_method(route::kInvite, "INVITE", "ACK"), "To: <sip:100@example.com>",
            "To: <sip:100@example.com>;tag=" + std::string(route::make_tag(keys, invite).view()));
        std::array<char, 2048> room;
        sip::Writer out(room.data(), room.size());
        EXPECT_TRUE(route::build_ping({.id = {7, 9},
                                       .flow = route::World::phone_flow(),
                                       .contact_uri = "sip:100@192.168.1.10",
                                       .aor = "100@example.com"},
                                      keys, 1000, out));
        ping.text = std::string(out.view());
        pong = route::answer_to(ping, 200);
    }

    // How many of the four are known.
    [[nodiscard]] int known(const tokens::Keys& keys) const {
        sip::Message message;
        int count = route::read_branch(keys, branch).has_value() ? 1 : 0;
        count += route::read_token(keys, token, "call").has_value() ? 1 : 0;
        const std::string wire = route::crlf(ack);
        EXPECT_EQ(sip::parse(wire, message), sip::ParseError::kOk);
        count += route::is_ack_to_us(keys, message) ? 1 : 0;
        EXPECT_EQ(sip::parse(pong, message), sip::ParseError::kOk);
        EXPECT_NE(message.top_via(), nullptr);
        const std::string_view top = message.top_via()->branch;
        return count + (route::parse_pong(message, top, keys, 2000) ? 1 : 0);
    }

    std::string branch;
    std::string token;
    std::string ack;
    route::Sent ping;
    std::string pong;
};

TEST(SignedTexts, AreKnownThroughTheOverlapAndNoLonger) {
    Disk disk;
    KeyKeeper keeper = disk.start(kStart);
    const Handed handed(token_keys(keeper.ring()));
    for (std::uint64_t day = 1; day < kKept; ++day) {
        ASSERT_EQ(keeper.turn(kStart + day * kDay), Turn::kRotated);
        EXPECT_EQ(handed.known(token_keys(keeper.ring())), 4) << "day " << day;
    }
    ASSERT_EQ(keeper.turn(kStart + kKept * kDay), Turn::kRotated);
    EXPECT_EQ(handed.known(token_keys(keeper.ring())), 0);
}

TEST(SignedTexts, AreTheSameAfterARestart) {
    Disk disk;
    const tokens::Keys before = token_keys(disk.start(kStart).ring());
    const tokens::Keys after = token_keys(disk.start(kStart + 60).ring());
    EXPECT_EQ(branch_of(after), branch_of(before));
    EXPECT_EQ(Handed(before).known(after), 4);
    Disk another;
    another.dice = 77;
    EXPECT_EQ(Handed(before).known(token_keys(another.start(kStart).ring())), 0);
}

// INVITE, rotation, CANCEL and a retransmission: the pin remembers the key, so the branch stays.
TEST(SignedTexts, APinnedCallKeepsItsBranchOverARotation) {
    Disk disk;
    KeyKeeper keeper = disk.start(kStart);
    route::World world(true);
    world.keys = token_keys(keeper.ring());
    world.add({});
    const route::Sent invite = world.from_core(route::kInvite);
    ASSERT_EQ(keeper.turn(kStart + kDay), Turn::kRotated);
    world.keys = token_keys(keeper.ring());
    const std::string via = invite.values(sip::HeaderId::kVia).at(0);
    EXPECT_EQ(world.from_core(route::kInvite).values(sip::HeaderId::kVia).at(0), via);
    EXPECT_EQ(world.from_core(route::with_method(route::kInvite, "INVITE", "CANCEL"))
                  .values(sip::HeaderId::kVia)
                  .at(0),
              via);
    EXPECT_NE(world.from_core(route::replace(route::kInvite, "core1", "core2"))
                  .values(sip::HeaderId::kVia)
                  .at(0),
              via);
    EXPECT_TRUE(world.from_phone(route::answer_to(invite, 180)).forwarded());
}

// Bindings are lost at a restart, tokens are not: the slot's next contact is none of theirs.
TEST(SignedTexts, AnOldTokenNeverMeansAnotherContact) {
    Disk disk;
    std::optional<route::Sent> invite;
    for (const bool restarted : {false, true}) {
        const KeyKeeper keeper = disk.start(kStart);
        route::World world(false, keeper.generation());
        world.keys = token_keys(keeper.ring());
        const table::ContactId id = world.add({});
        EXPECT_EQ(id.slot, 0u);
        if (!restarted) {
            invite = world.from_core(route::kInvite);
            continue;
        }
        const std::string route = invite->values(sip::HeaderId::kRecordRoute).at(0);
        const std::string bye =
            "BYE sip:100@192.168.1.10:5060 SIP/2.0\n"
            "Via: SIP/2.0/UDP 203.0.113.10:5060;branch=z9hG4bKbye\n"
            "Max-Forwards: 70\nRoute: " +
            route +
            "\nFrom: <sip:200@example.com>;tag=f1\n"
            "To: <sip:100@example.com>;tag=t9\n"
            "Call-ID: call-1@core\nCSeq: 2 BYE\nContent-Length: 0\n\n";
        EXPECT_EQ(world.from_core(bye).decision.code, 430);
        EXPECT_TRUE(world.from_phone(bye).forwarded()) << "toward the core it holds";
    }
}

}  // namespace
}  // namespace pinhole::keys
