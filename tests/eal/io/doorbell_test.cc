// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/io/doorbell.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <thread>

namespace pinhole::io {
namespace {

bool rung(const Doorbell& bell, int patience_ms = 0) {
    pollfd p{bell.fd(), POLLIN, 0};
    return poll(&p, 1, patience_ms) == 1;
}

TEST(Doorbell, RingsOnceForWhoWaits) {
    Doorbell bell = Doorbell::create().take();
    bell.ring();
    EXPECT_FALSE(rung(bell)) << "nobody waits";
    bell.await();
    EXPECT_FALSE(rung(bell));
    bell.ring();
    bell.ring();
    EXPECT_TRUE(rung(bell));
    std::uint64_t times = 0;
    ASSERT_EQ(read(bell.fd(), &times, sizeof times), static_cast<ssize_t>(sizeof times));
    EXPECT_EQ(times, 1U) << "the second was heard already";
    bell.rise();
    bell.await();
    bell.rise();
    bell.ring();
    EXPECT_FALSE(rung(bell)) << "it has risen, by something else";
}

// Who has taken the wish may write only after the sleeper has risen by something else: that ends
// the next sleep early, and no other.
TEST(Doorbell, LateRingCostsOneSleep) {
    Doorbell bell = Doorbell::create().take();
    bell.await();
    bell.ring();
    bell.await();  // as if it had not seen the ring
    EXPECT_TRUE(rung(bell));
    bell.rise();
    bell.await();
    EXPECT_FALSE(rung(bell));
}

// A ring would be lost within nanoseconds, if at all: many sleeps, and each is to end by a bell.
// What is put next waits until this has been seen, so that it comes as the sleeper lies down.
TEST(Doorbell, NoneIsLost) {
    constexpr unsigned kSleeps = 20'000;
    constexpr int kForever_ms = 20'000;
    Doorbell bell = Doorbell::create().take();
    std::atomic<unsigned> put{0};
    std::atomic<unsigned> seen{0};
    std::atomic<bool> over{false};
    std::thread ringer([&] {
        for (unsigned i = 1; i <= kSleeps && !over.load(); ++i) {
            put.store(i, std::memory_order_release);
            bell.ring();
            while (seen.load(std::memory_order_acquire) != i && !over.load()) {
                std::this_thread::yield();  // it may need this core
            }
        }
    });
    while (seen.load() < kSleeps) {
        bell.await();
        if (put.load(std::memory_order_acquire) == seen.load() && !rung(bell, kForever_ms)) {
            ADD_FAILURE() << "asleep after " << seen.load();
            break;
        }
        bell.rise();
        seen.store(put.load(std::memory_order_acquire), std::memory_order_release);
    }
    over.store(true);
    ringer.join();
}

}  // namespace
}  // namespace pinhole::io
