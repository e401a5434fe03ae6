// SPDX-License-Identifier: BSD-3-Clause
// When a worker refuses, whom first, and how many; on a clock of the test's own.
#include "dataplane/admit/overload.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

namespace pinhole::admit {
namespace {

constexpr std::uint32_t kAll = 65'536;

struct Queue {
    Pressure pressure;
    std::uint64_t now_us = 5'000'000;

    void look(bool backlog, std::uint32_t for_ms) {
        for (std::uint32_t i = 0; i < for_ms * 10; ++i) {
            pressure.note_queues(backlog, now_us += 100);
        }
    }
};

TEST(Pressure, AQueueThatIsEmptiedInTimeIsOnlyBusy) {
    Queue queue;
    queue.look(true, 1);
    for (int i = 0; i < 100; ++i) {
        queue.look(true, Pressure::kGrace_us / 1000 - 1);
        queue.look(false, 1);
    }
    EXPECT_TRUE(queue.pressure.none());
    queue.look(true, Pressure::kGrace_us / 1000 + 1);
    EXPECT_FALSE(queue.pressure.none());
}

TEST(Pressure, RefusesOneRankAfterAnother) {
    Queue queue;
    const auto share = [&](Rank rank) { return queue.pressure.share_of(rank); };
    queue.look(true, Pressure::kGrace_us / 1000 + Pressure::kRise_us / 2000);
    EXPECT_NEAR(share(Rank::kOther), kAll / 2, kAll / 50);
    EXPECT_EQ(share(Rank::kUnproven), 0U);
    queue.look(true, Pressure::kRise_us / 1000);
    EXPECT_EQ(share(Rank::kOther), kAll);
    EXPECT_NEAR(share(Rank::kUnproven), kAll / 2, kAll / 50);
    EXPECT_EQ(share(Rank::kNewcomer), 0U);
    queue.look(true, 10'000);
    EXPECT_EQ(share(Rank::kNewcomer), kAll);
    EXPECT_EQ(share(Rank::kKnown), 0U);
}

TEST(Pressure, FallsSlowlyWhenTheQueueIsFoundEmpty) {
    Queue queue;
    queue.look(true, 10'000);
    queue.look(false, Pressure::kFall_us / 2000);
    EXPECT_NEAR(queue.pressure.share_of(Rank::kNewcomer), kAll / 2, kAll / 50);
    EXPECT_EQ(queue.pressure.share_of(Rank::kOther), kAll);
    queue.look(false, 3 * Pressure::kFall_us / 1000);
    EXPECT_TRUE(queue.pressure.none());
}

TEST(Pressure, AWorkerThatDidNotLookHasSeenNothing) {
    Pressure pressure;
    pressure.note_queues(true, 1'000'000);
    pressure.note_queues(true, 9'000'000);
    pressure.note_queues(true, 17'000'000);
    EXPECT_TRUE(pressure.none());
}

class Overloaded : public testing::Test {
  public:
    void SetUp() override { press(overload, 10'000); }
    static void press(Overload& overload, std::uint32_t for_ms) {
        for (std::uint32_t ms = 1; ms <= for_ms; ++ms) {
            overload.note_queues(true, 1'000'000 + std::uint64_t{ms} * 1000);
        }
    }
    // How many of so many flows of a rank.
    unsigned refused(Rank rank, unsigned flows) {
        unsigned count = 0;
        for (unsigned i = 0; i < flows; ++i) {
            count += overload.refuses(rank, random(), 100) ? 1 : 0;
        }
        return count;
    }
    Overload overload{true};
    std::mt19937_64 random{1};
};

TEST_F(Overloaded, StrangersAreRefusedAndPhonesAreNot) {
    EXPECT_TRUE(overload.presses());
    EXPECT_EQ(refused(Rank::kKnown, 1000), 0U);
    EXPECT_EQ(refused(Rank::kOther, 1000), 1000U);
}

// Whatever comes, two thirds of the work are service.
TEST_F(Overloaded, OfThoseWhoRegisterAThirdAtMost) {
    EXPECT_EQ(refused(Rank::kNewcomer, 3000), 1000U);
    EXPECT_EQ(refused(Rank::kUnproven, 3000), 1000U);
    unsigned count = 0;
    for (unsigned i = 0; i < 3000; ++i) {
        EXPECT_FALSE(overload.refuses(Rank::kKnown, random(), 100));
        EXPECT_FALSE(overload.refuses(Rank::kKnown, random(), 100));
        count += overload.refuses(Rank::kNewcomer, random(), 100) ? 1 : 0;
    }
    EXPECT_EQ(count, 3000U) << "two were served for each";
}

TEST_F(Overloaded, TheUnprovenBeforeThoseWhoHaveProof) {
    Overload partly(true);
    press(partly, (Pressure::kGrace_us + 2 * Pressure::kRise_us) / 1000 - 1);
    for (unsigned i = 0; i < 1000; ++i) {
        EXPECT_FALSE(partly.refuses(Rank::kNewcomer, random(), 100));
    }
    unsigned count = 0;
    for (unsigned i = 0; i < 3000; ++i) {
        count += partly.refuses(Rank::kUnproven, random(), 100) ? 1 : 0;
    }
    EXPECT_GE(count, 1000U);
}

// The same lot for a while, so that a flow isn't served and refused by turns; then another.
TEST_F(Overloaded, ALotHoldsForAWhile) {
    Overload half(true);
    press(half, (Pressure::kGrace_us + Pressure::kRise_us / 2) / 1000);
    unsigned changed = 0;
    unsigned refused_first = 0;
    for (unsigned flow = 0; flow < 1000; ++flow) {
        const std::uint64_t hash = random();
        const bool first = half.refuses(Rank::kOther, hash, 8 * Overload::kLot_s);
        EXPECT_EQ(half.refuses(Rank::kOther, hash, 9 * Overload::kLot_s - 1), first);
        refused_first += first ? 1 : 0;
        changed += half.refuses(Rank::kOther, hash, 9 * Overload::kLot_s) != first ? 1 : 0;
    }
    EXPECT_NEAR(refused_first, 500, 80);
    EXPECT_NEAR(changed, 500, 80);
}

TEST_F(Overloaded, ForSixteenServedOneRefusalIsAnswered) {
    unsigned answered = 0;
    for (unsigned burst = 0; burst < 100; ++burst) {
        overload.begin_burst();
        for (unsigned i = 0; i < 8; ++i) {
            EXPECT_FALSE(overload.refuses(Rank::kKnown, random(), 100));
            EXPECT_TRUE(overload.refuses(Rank::kOther, random(), 100));
            answered += overload.answers() ? 1 : 0;
        }
    }
    EXPECT_NEAR(answered, 800 / Overload::kServedForAnswer, 1);
}

TEST_F(Overloaded, OneABurstIsAnsweredWhereNobodyIsServed) {
    for (unsigned burst = 0; burst < 10; ++burst) {
        overload.begin_burst();
        EXPECT_TRUE(overload.answers());
        EXPECT_FALSE(overload.answers());
    }
}

// After many were served, a burst of refusals is not answered altogether.
TEST_F(Overloaded, AnswersAreNotSavedUp) {
    overload.begin_burst();
    for (unsigned i = 0; i < 1000; ++i) {
        EXPECT_FALSE(overload.refuses(Rank::kKnown, random(), 100));
    }
    EXPECT_TRUE(overload.answers());
    EXPECT_FALSE(overload.answers());
}

TEST(Overload, OffIsOff) {
    Overload overload(false);
    Overloaded::press(overload, 10'000);
    EXPECT_FALSE(overload.presses());
}

// RFC 3261 §20.33: phones that were refused at one moment come back evenly spread, and none sooner
// than n.
TEST(RetryAfter, SpreadsTheSecondWaveFlat) {
    constexpr std::uint32_t kN = 60;
    constexpr unsigned kRefused = 610'000;
    std::mt19937_64 random{2};
    std::vector<unsigned> back(2 * kN + 2);
    for (unsigned i = 0; i < kRefused; ++i) {
        const std::uint64_t hash = random();
        const std::uint32_t after = retry_after_s(kN, hash);
        ASSERT_LE(after, 2 * kN);
        EXPECT_EQ(retry_after_s(kN, hash), after);
        ++back[after];
    }
    for (std::uint32_t s = 0; s < back.size(); ++s) {
        if (s < kN || s > 2 * kN) {
            EXPECT_EQ(back[s], 0U) << s;
        } else {
            EXPECT_NEAR(back[s], kRefused / (kN + 1), kRefused / (kN + 1) / 20) << s;
        }
    }
    EXPECT_EQ(retry_after_s(1, ~0ULL), 2U);
    EXPECT_EQ(retry_after_s(1, 0), 1U);
}

TEST(Glance, SeesCredentialsWhereverTheyStand) {
    EXPECT_TRUE(has_credentials("REGISTER a SIP/2.0\r\nAuthorization: Digest x\r\n\r\n"));
    EXPECT_TRUE(has_credentials("REGISTER a SIP/2.0\nVia: b\nAUTHORIZATION :\tDigest x\n\n"));
    EXPECT_FALSE(has_credentials("REGISTER Authorization: SIP/2.0\r\nX: Authorization: Digest"));
    EXPECT_FALSE(has_credentials("REGISTER a SIP/2.0\r\nProxy-Authorization: Digest x\r\n\r\n"));
    EXPECT_FALSE(has_credentials("REGISTER a SIP/2.0\r\nAuth"));
    EXPECT_FALSE(has_credentials("\n"));
}

TEST(Glance, TellsWhatADatagramIsByItsBeginning) {
    EXPECT_EQ(glance("REGISTER sip:example.com SIP/2.0\r\n"), Glance::kRegister);
    EXPECT_EQ(glance("OPTIONS sip:example.com SIP/2.0\r\n"), Glance::kAnother);
    EXPECT_EQ(glance("REGISTERED x"), Glance::kAnother);
    EXPECT_EQ(glance("BYE x"), Glance::kAnother);
    for (const char* method : {"INVITE x", "ACK x", "CANCEL x", "MESSAGE x"}) {
        EXPECT_EQ(glance(method), Glance::kCallable) << method;
    }
    for (const char* noise : {"", "\r\n\r\n", "SIP/2.0 200 OK\r\n", "\x01\x02", "register x"}) {
        EXPECT_EQ(glance(noise), Glance::kNoRequest) << noise;
    }
}

}  // namespace
}  // namespace pinhole::admit
