// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/auth/nonce_windows.h"

#include "dataplane/table/heap_memory.h"

#include <gtest/gtest.h>

#include <atomic>
#include <random>
#include <set>
#include <thread>
#include <vector>

namespace pinhole::auth {
namespace {

using enum NonceUse;

constexpr std::uint32_t kNow_s = 1'700'000'000;
constexpr std::uint32_t kLifetime_s = 600;
constexpr std::uint64_t kBob = 0x1234'5678'9abc'def0;

Stamp made(std::uint32_t ago_s, std::uint32_t ms = 0) {
    return Stamp::of(kNow_s - ago_s, ms, 1);
}

class Windows : public testing::Test {
  public:
    // Each request is another one, unless told.
    NonceUse use(Stamp stamp, std::uint32_t nc, std::uint64_t request = 0, std::uint64_t aor = kBob,
                 std::uint32_t now_s = kNow_s) {
        return windows.use_any(aor, stamp, nc, false, request == 0 ? ++requests_ : request, now_s);
    }
    NonceUse once(Stamp stamp, std::uint64_t request = 0) {
        return windows.use_any(kBob, stamp, 0, true, request == 0 ? ++requests_ : request, kNow_s);
    }

    table::HeapMemory memory;
    NonceWindows windows{memory.arrays(), 100, kLifetime_s};

  private:
    std::uint64_t requests_ = 1'000;
};

TEST_F(Windows, EachNcOnce) {
    const Stamp nonce = made(0);
    EXPECT_EQ(use(nonce, 1), kFresh);
    EXPECT_EQ(use(nonce, 1), kReplay);
    EXPECT_EQ(use(nonce, 2), kFresh);
    EXPECT_EQ(use(nonce, 5), kFresh);
    EXPECT_EQ(use(nonce, 2), kReplay);
    EXPECT_EQ(use(nonce, 4), kFresh) << "overtaken on its way";
    EXPECT_EQ(use(nonce, 4), kReplay);
    EXPECT_EQ(use(nonce, 5), kReplay);
    EXPECT_EQ(use(nonce, 3), kFresh);
    EXPECT_EQ(use(nonce, 1'000'000), kFresh);
    EXPECT_EQ(use(nonce, 1'000'000 - 31), kFresh);
    EXPECT_EQ(use(nonce, 1'000'000 - 32), kReplay) << "too far behind to know";
    EXPECT_EQ(use(nonce, 6), kReplay);
    EXPECT_EQ(use(nonce, ~0U), kReplay);
}

TEST_F(Windows, AgainstAModel) {
    std::mt19937 random(1);
    const Stamp nonce = made(1);
    std::set<std::uint32_t> used;
    std::uint32_t highest = 0;
    for (int i = 0; i < 20'000; ++i) {
        const std::uint32_t nc =
            std::max<std::int64_t>(1, std::int64_t{highest} + random() % 50 - 44);
        const bool fresh = nc + NonceWindows::kWindow > highest && used.count(nc) == 0;
        ASSERT_EQ(use(nonce, nc), fresh ? kFresh : kReplay) << nc << " after " << highest;
        if (fresh) {
            used.insert(nc);
            highest = std::max(highest, nc);
        }
    }
}

TEST_F(Windows, TheSameRequestGetsItsAnswerAgain) {
    const Stamp nonce = made(0);
    EXPECT_EQ(use(nonce, 1, 77), kFresh);
    EXPECT_EQ(use(nonce, 1, 77), kAgain);
    EXPECT_EQ(use(nonce, 1, 78), kReplay) << "from elsewhere, or with another Contact";
    EXPECT_EQ(use(nonce, 1, 77, kBob, kNow_s + NonceWindows::kAgain_s), kAgain);
    EXPECT_EQ(use(nonce, 1, 77, kBob, kNow_s + NonceWindows::kAgain_s + 1), kReplay);
    EXPECT_EQ(use(nonce, 1, 77, kBob, kNow_s - 1), kAgain) << "a clock a moment behind";
    EXPECT_EQ(use(nonce, 2, 79), kFresh);
    EXPECT_EQ(use(nonce, 1, 77), kReplay) << "something newer has come since";
}

TEST_F(Windows, WithoutQopOnce) {
    const Stamp nonce = made(0);
    EXPECT_EQ(once(nonce, 77), kFresh);
    EXPECT_EQ(once(nonce, 77), kAgain);
    EXPECT_EQ(once(nonce), kReplay);
    EXPECT_EQ(use(nonce, 5), kReplay);
    const Stamp other = made(0, 1);
    EXPECT_EQ(use(other, 1), kFresh);
    EXPECT_EQ(once(other), kReplay);
}

TEST_F(Windows, PhonesOfOneAorLiveSideBySide) {
    for (std::uint32_t nc = 1; nc < 50; ++nc) {
        for (std::uint32_t phone = 0; phone < NonceWindows::kWays; ++phone) {
            EXPECT_EQ(use(made(100 * phone), nc), kFresh);
        }
    }
}

TEST_F(Windows, WhatIsForgottenIsNeverNew) {
    const Stamp old = made(100);
    EXPECT_EQ(use(old, 1), kFresh);
    for (std::uint32_t i = 0; i < NonceWindows::kWays; ++i) {
        EXPECT_EQ(use(made(50 - i), 1, 0, kBob, kNow_s + 1), kFresh);
    }
    EXPECT_EQ(use(old, 1), kStale) << "its window has gone";
    EXPECT_EQ(use(old, 2), kStale);
    EXPECT_EQ(use(made(100, 0), 9), kStale);
    EXPECT_EQ(use(made(101), 1), kStale) << "never seen, but as old: who knows?";
    EXPECT_EQ(use(made(100, 1), 1), kFresh) << "made since";
}

TEST_F(Windows, TheLongestUnusedGivesWay) {
    for (std::uint32_t i = 0; i < NonceWindows::kWays; ++i) {
        EXPECT_EQ(use(made(100 + i), 1, 0, kBob, kNow_s - 50 + i), kFresh);
    }
    EXPECT_EQ(use(made(100), 2), kFresh) << "a phone that goes on with its nonce";
    EXPECT_EQ(use(made(1), 1), kFresh);
    EXPECT_EQ(use(made(100), 3), kFresh);
    EXPECT_EQ(use(made(101), 2), kStale);
    EXPECT_EQ(use(made(102), 2), kFresh);
}

TEST_F(Windows, SpentOnesGiveWayFirst) {
    EXPECT_EQ(use(made(400), 1, 0, kBob, kNow_s - 300), kFresh);
    for (std::uint32_t i = 0; i < 20; ++i) {
        EXPECT_EQ(once(made(30 - i)), kFresh) << i;
    }
    EXPECT_EQ(use(made(400), 2), kFresh);
    EXPECT_EQ(once(made(30)), kStale);
}

TEST_F(Windows, ExpiredOnesLeaveTheirPlace) {
    EXPECT_EQ(use(made(5), 1), kFresh);
    const std::uint32_t later_s = kNow_s + kLifetime_s + 100;
    for (std::uint32_t i = 0; i < NonceWindows::kWays; ++i) {
        EXPECT_EQ(use(Stamp::of(later_s - 10 + i, 0, 0), 1, 0, kBob, later_s), kFresh);
    }
    EXPECT_EQ(use(Stamp::of(later_s - 30, 0, 0), 1, 0, kBob, later_s), kFresh)
        << "nothing was forgotten that is still good";
}

TEST_F(Windows, NoMemory) {
    const table::ArrayMemory none{[](void*, std::size_t) -> void* { return nullptr; }, nullptr};
    EXPECT_FALSE(NonceWindows(none, 100, 600).valid());
    EXPECT_TRUE(windows.valid());
}

// Many workers get the same captured request at once: one of them lets it in.
TEST_F(Windows, OnceAmongThreads) {
    constexpr unsigned kThreads = 4;
    constexpr std::uint32_t kRounds = 5'000;
    std::atomic<unsigned> fresh{0};
    std::atomic<unsigned> busy{0};
    std::vector<std::thread> threads;
    for (unsigned t = 0; t < kThreads; ++t) {
        threads.emplace_back([&, t] {
            for (std::uint32_t nc = 1; nc <= kRounds; ++nc) {
                const NonceUse got =
                    windows.use_any(kBob, made(0), nc, false, std::uint64_t{nc} << 8 | t, kNow_s);
                fresh += got == kFresh ? 1 : 0;
                busy += got == kBusy ? 1 : 0;
            }
        });
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
    EXPECT_LE(fresh, kRounds);
    EXPECT_GE(fresh + busy, kRounds / 2);
}

}  // namespace
}  // namespace pinhole::auth
