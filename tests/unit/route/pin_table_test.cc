// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/route/pin_table.h"

#include "tests/unit/route/world.h"

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

namespace pinhole::route {
namespace {

Pin pin_of(std::uint32_t slot) {
    Pin pin;
    pin.contact = {slot, slot + 1};
    pin.flow = World::phone_flow(static_cast<std::uint16_t>(slot));
    pin.set_uri("sip:" + std::to_string(slot) + "@192.168.1.10");
    return pin;
}
bool is_pin_of(const Pin& pin, std::uint32_t slot) {
    const Pin want = pin_of(slot);
    return pin.contact == want.contact && pin.flow == want.flow && pin.uri() == want.uri();
}

TEST(PinTable, KeepsForThreeMinutes) {
    PinTable pins(16);
    const PinKey key = PinKey::of(World::core_flow(false), 1);
    Pin out;
    EXPECT_FALSE(pins.find_any(key, 0, out));
    ASSERT_TRUE(pins.put_any(key, pin_of(7), 0));
    ASSERT_TRUE(pins.find_any(key, PinTable::kLifetime_ms - 1, out));
    EXPECT_TRUE(is_pin_of(out, 7));
    EXPECT_FALSE(pins.find_any(key, PinTable::kLifetime_ms, out));
    EXPECT_FALSE(pins.find_any(PinKey::of(World::core_flow(false), 2), 0, out));
    EXPECT_FALSE(pins.find_any(PinKey::of(World::core_flow(true), 1), 0, out));
}

TEST(PinTable, SameKeyTakesItsPlace) {
    PinTable pins(4);
    ASSERT_EQ(pins.capacity(), 4u);
    for (std::uint32_t i = 0; i < 10; ++i) {
        ASSERT_TRUE(pins.put_any({5, 5}, pin_of(i), i));
    }
    ASSERT_TRUE(pins.put_any({6, 6}, pin_of(60), 0));
    Pin out;
    ASSERT_TRUE(pins.find_any({5, 5}, 10, out));
    EXPECT_TRUE(is_pin_of(out, 9));
    EXPECT_TRUE(pins.find_any({6, 6}, 10, out)) << "ten of one key took one place";
}

TEST(PinTable, TheOldestOfAFullBucketGivesWay) {
    PinTable pins(4);
    for (std::uint64_t i = 0; i < 4; ++i) {
        ASSERT_TRUE(pins.put_any({i, i}, pin_of(static_cast<std::uint32_t>(i)), 100 - i));
    }
    ASSERT_TRUE(pins.put_any({9, 9}, pin_of(9), 100));
    Pin out;
    EXPECT_FALSE(pins.find_any({3, 3}, 100, out)) << "the oldest";
    for (const std::uint64_t i : {0, 1, 2, 9}) {
        EXPECT_TRUE(pins.find_any({i, i}, 100, out)) << i;
    }
}

TEST(PinTable, LongUrisAreLeftToTheTable) {
    Pin pin;
    pin.set_uri(std::string(Pin::kMaxUri, 'u'));
    EXPECT_EQ(pin.uri().size(), Pin::kMaxUri);
    EXPECT_FALSE(pin.uri_in_table);
    pin.set_uri(std::string(Pin::kMaxUri + 1, 'u'));
    EXPECT_EQ(pin.uri().size(), 0u);
    EXPECT_TRUE(pin.uri_in_table);
}

// Readers never see half of one pin and half of another: two writers change two pins of one bucket
// all the while.
TEST(PinTable, NeverTorn) {
    constexpr int kFinds = 50'000;
    PinTable pins(4);
    std::atomic<int> reading{2};
    std::atomic<int> torn{0};
    std::vector<std::thread> threads;
    for (int reader = 0; reader < 2; ++reader) {
        threads.emplace_back([&] {
            Pin out;
            for (int found = 0; found < kFinds;) {
                const std::uint64_t key = found & 1;
                if (pins.find_any({key, key}, 0, out)) {
                    ++found;
                    torn += is_pin_of(out, out.contact.slot) && out.contact.slot % 2 == key ? 0 : 1;
                }
            }
            --reading;
        });
    }
    for (std::uint32_t writer = 0; writer < 2; ++writer) {
        threads.emplace_back([&, writer] {
            for (std::uint32_t i = writer; reading != 0; i += 3) {
                (void)pins.put_any({i % 2, i % 2}, pin_of(i % 60'000), 0);
            }
        });
    }
    for (auto& thread : threads) {
        thread.join();
    }
    EXPECT_EQ(torn, 0);
    Pin out;
    EXPECT_TRUE(pins.find_any({0, 0}, 0, out) && pins.find_any({1, 1}, 0, out));
}

}  // namespace
}  // namespace pinhole::route
