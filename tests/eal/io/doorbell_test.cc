// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/io/doorbell.h"

#include <gtest/gtest.h>
#include <poll.h>

#include <array>
#include <atomic>
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
    EXPECT_TRUE(rung(bell));
    bell.rise();
    EXPECT_FALSE(rung(bell));
    bell.ring();
    EXPECT_FALSE(rung(bell)) << "it has risen";
}

// Who has taken the wish may write only after the sleeper has risen by something else: that ends the next
// sleep early, and no other.
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
TEST(Doorbell, NoneIsLost) {
    constexpr unsigned kEach = 50'000;
    constexpr int kForever_ms = 30'000;
    Doorbell bell = Doorbell::create().take();
    std::atomic<unsigned> put{0};
    std::array<std::thread, 2> ringers;
    for (std::thread& ringer : ringers) {
        ringer = std::thread([&] {
            for (unsigned i = 0; i < kEach; ++i) {
                put.fetch_add(1, std::memory_order_release);
                bell.ring();
            }
        });
    }
    for (unsigned seen = 0; seen < kEach * ringers.size();) {
        bell.await();
        if (put.load(std::memory_order_acquire) == seen && !rung(bell, kForever_ms)) {
            ADD_FAILURE() << "asleep after " << seen;
            break;
        }
        bell.rise();
        seen = put.load(std::memory_order_acquire);
    }
    for (std::thread& ringer : ringers) {
        ringer.join();
    }
}

}  // namespace
}  // namespace pinhole::io
