// SPDX-License-Identifier: BSD-3-Clause
// The copy of a worker's addresses: whole, asked for, and never read while it is written.
#include "dataplane/admit/allowance_copy.h"

#include <gtest/gtest.h>

#include <cstring>
#include <thread>

namespace pinhole::admit {
namespace {

constexpr Rate kRate{60, 10};
constexpr std::uint32_t kNow_s = 1'700'000'000;

table::KeyedHash hash() {
    const std::array<std::byte, table::KeyedHash::kSeedBytes> seed{std::byte{3}};
    return table::KeyedHash(seed);
}
SourceName name(std::uint32_t n) {
    SourceName out{1};
    std::memcpy(out.data() + 4, &n, sizeof n);
    return out;
}
// With so many phones each as its number says.
void fill(SourceTable& table, std::uint32_t sources) {
    for (std::uint32_t n = 0; n < sources; ++n) {
        table.at(name(n), kRate, 0, kNow_s).add_phones(static_cast<float>(n), kNow_s);
    }
}

TEST(AllowanceCopy, IsMadeInStepsWhenAskedFor) {
    SourceTable table(4096, hash());
    fill(table, 100);
    AllowanceCopy copy(table.count());
    copy.step_worker(table, kNow_s);
    EXPECT_FALSE(copy.take_service().has_value());
    copy.ask_service();
    unsigned steps = 0;
    while (!copy.take_service().has_value()) {
        copy.step_worker(table, kNow_s);
        ASSERT_LE(++steps, 4096 / AllowanceCopy::kPlacesAStep);
    }
    EXPECT_EQ(steps, 4096 / AllowanceCopy::kPlacesAStep);
    EXPECT_EQ(copy.take_service()->size(), 99U) << "who has no phones is left out";
    const std::span<const KnownAddress> taken = copy.take_service().value();
    for (const KnownAddress& address : taken) {
        std::uint32_t n = 0;
        std::memcpy(&n, address.name.data() + 4, sizeof n);
        EXPECT_FLOAT_EQ(address.phones, static_cast<float>(n));
    }
    // It stands until another is asked for.
    copy.step_worker(table, kNow_s);
    EXPECT_EQ(copy.take_service()->size(), 99U);
    copy.ask_service();
    EXPECT_FALSE(copy.take_service().has_value());
}

TEST(AllowanceCopy, PhonesAreThoseOfTheTime) {
    SourceTable table(16, hash());
    fill(table, 2);
    AllowanceCopy copy(table.count());
    copy.ask_service();
    copy.step_worker(table, kNow_s + 86'400);
    ASSERT_TRUE(copy.take_service().has_value());
    EXPECT_TRUE(copy.take_service()->empty()) << "a phone a day ago is less than half a phone";
}

TEST(AllowanceCopy, AskingTwiceBeginsNothingAnew) {
    SourceTable table(1024, hash());
    fill(table, 10);
    AllowanceCopy copy(table.count());
    for (unsigned i = 0; i < 1024 / AllowanceCopy::kPlacesAStep; ++i) {
        copy.ask_service();
        EXPECT_FALSE(copy.take_service().has_value());
        copy.step_worker(table, kNow_s);
    }
    EXPECT_TRUE(copy.take_service().has_value());
}

// For ThreadSanitizer: the worker goes on changing its table meanwhile.
TEST(AllowanceCopy, ComesOutOfARunningWorker) {
    SourceTable table(2048, hash());
    fill(table, 100);
    AllowanceCopy copy(table.count());
    std::atomic<bool> ends{false};
    std::thread worker([&] {
        for (std::uint32_t n = 0; !ends.load(std::memory_order_relaxed); ++n) {
            table.at(name(n % 100), kRate, 0, kNow_s).add_phones(1, kNow_s);
            copy.step_worker(table, kNow_s);
        }
    });
    for (int i = 0; i < 50; ++i) {
        copy.ask_service();
        std::optional<std::span<const KnownAddress>> taken;
        while (!(taken = copy.take_service())) {
            std::this_thread::yield();
        }
        EXPECT_GE(taken->size(), 99U);
    }
    ends.store(true, std::memory_order_relaxed);
    worker.join();
}

}  // namespace
}  // namespace pinhole::admit
