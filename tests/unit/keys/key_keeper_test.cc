// SPDX-License-Identifier: BSD-3-Clause
// A disk that is a string and fails when told to, dice that count, and a clock that is a number.
#include "control/keys/key_keeper.h"

#include "control/keys/key_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace pinhole::keys {
namespace {

constexpr std::uint64_t kDay = 86'400;
constexpr std::uint64_t kStart = 1'700'000'000;

struct Machine {
    std::optional<std::string> disk;
    bool full = false;
    int writes = 0;
    std::uint8_t dice = 0;

    KeyKeeper keeper(std::uint64_t rotate_s = kDay) {
        return KeyKeeper(
            rotate_s,
            {.write = [this](std::string_view text) -> std::optional<std::string> {
                 ++writes;
                 if (full) {
                     return "no space left";
                 }
                 disk = text;
                 return std::nullopt;
             },
             .randomize =
                 [this](std::span<std::uint8_t> to) { std::fill(to.begin(), to.end(), ++dice); }});
    }
    KeyKeeper started(std::uint64_t now_s, std::uint64_t rotate_s = kDay) {
        KeyKeeper made = keeper(rotate_s);
        EXPECT_EQ(made.start(disk, now_s), std::nullopt);
        return made;
    }
    [[nodiscard]] KeyRing kept() const { return parse_keys(disk.value_or("")).ring.value(); }
};

TEST(KeyKeeper, TheFirstKeyIsWrittenBeforeItSigns) {
    Machine machine;
    const KeyKeeper keeper = machine.started(kStart);
    ASSERT_EQ(keeper.ring().newest_first.size(), 1u);
    EXPECT_EQ(machine.kept(), keeper.ring());
    EXPECT_EQ(keeper.ring().starts, 1u);
}

TEST(KeyKeeper, WithoutAPlaceForTheFirstKeyThereIsNoStart) {
    Machine machine;
    machine.full = true;
    KeyKeeper keeper = machine.keeper();
    EXPECT_EQ(keeper.start(std::nullopt, kStart), "no space left");
    EXPECT_EQ(keeper.failure(), "no space left");
}

TEST(KeyKeeper, ARestartKeepsTheKeysAndCounts) {
    Machine machine;
    const KeyKeeper first = machine.started(kStart);
    const KeyKeeper second = machine.started(kStart + 10);
    EXPECT_EQ(second.ring().newest_first, first.ring().newest_first);
    EXPECT_EQ(second.ring().starts, 2u);
    EXPECT_EQ(machine.kept().starts, 2u) << "or the third start would be a second";
    EXPECT_NE(second.generation(), first.generation());
    EXPECT_EQ(second.generation(), first_generation(2));
}

TEST(KeyKeeper, ADamagedTextIsRefusedAndLeftAlone) {
    Machine machine;
    (void)machine.started(kStart);
    const std::string damaged = machine.disk->substr(0, machine.disk->size() / 2);
    machine.disk = damaged;
    machine.writes = 0;
    KeyKeeper keeper = machine.keeper();
    EXPECT_TRUE(keeper.start(machine.disk, kStart + 10).has_value());
    EXPECT_EQ(keeper.failure(), "");
    EXPECT_EQ(machine.writes, 0);
    EXPECT_EQ(machine.disk, damaged);
}

TEST(KeyKeeper, ANewKeySignsWhenItIsDueAndTheOldOneStays) {
    Machine machine;
    KeyKeeper keeper = machine.started(kStart);
    const StoredKey old = keeper.ring().newest_first[0];
    machine.writes = 0;
    EXPECT_EQ(keeper.turn(kStart + kDay - 1), Turn::kNothing);
    EXPECT_EQ(machine.writes, 0);
    EXPECT_EQ(keeper.turn(kStart + kDay), Turn::kRotated);
    ASSERT_EQ(keeper.ring().newest_first.size(), 2u);
    EXPECT_NE(keeper.ring().newest_first[0].bytes, old.bytes);
    EXPECT_EQ(keeper.ring().newest_first[1], old);
    EXPECT_EQ(machine.kept(), keeper.ring());
    EXPECT_EQ(keeper.turn(kStart + kDay + 1), Turn::kNothing);
}

TEST(KeyKeeper, WhatIsOldAtTheStartGivesWayAtOnce) {
    Machine machine;
    const KeyRing before = machine.started(kStart).ring();
    const KeyKeeper keeper = machine.started(kStart + 2 * kDay);
    ASSERT_EQ(keeper.ring().newest_first.size(), 2u);
    EXPECT_EQ(keeper.ring().newest_first[0].created_s, kStart + 2 * kDay);
    EXPECT_EQ(keeper.ring().newest_first[1], before.newest_first[0]);
    EXPECT_EQ(machine.kept(), keeper.ring());
}

TEST(KeyKeeper, AFullDiskKeepsTheOldKeySigning) {
    Machine machine;
    KeyKeeper keeper = machine.started(kStart);
    const KeyRing before = keeper.ring();
    machine.full = true;
    EXPECT_EQ(keeper.turn(kStart + kDay), Turn::kFailed);
    EXPECT_EQ(keeper.failure(), "no space left");
    EXPECT_EQ(keeper.turn(kStart + kDay + 60), Turn::kFailedAgain);
    EXPECT_EQ(keeper.ring(), before) << "what isn't on the disk must not sign";
    EXPECT_EQ(machine.kept(), before);
    machine.full = false;
    EXPECT_EQ(keeper.turn(kStart + kDay + 120), Turn::kRotated);
    EXPECT_EQ(keeper.failure(), "");
    EXPECT_EQ(keeper.ring().newest_first.size(), 2u);
    machine.full = true;
    EXPECT_EQ(keeper.turn(kStart + 3 * kDay), Turn::kFailed) << "another failure is news again";
}

TEST(KeyKeeper, AFullDiskAtTheStartIsNoReasonNotToServe) {
    Machine machine;
    const KeyRing before = machine.started(kStart).ring();
    machine.full = true;
    KeyKeeper keeper = machine.started(kStart + 2 * kDay);
    EXPECT_EQ(keeper.failure(), "no space left");
    EXPECT_EQ(keeper.ring(), before);
    EXPECT_NE(keeper.generation(), first_generation(1));
    EXPECT_NE(keeper.generation(), first_generation(2)) << "the next start will have that";
    EXPECT_NE(keeper.generation(), 0u);
    EXPECT_EQ(keeper.turn(kStart + 2 * kDay), Turn::kFailedAgain);
    machine.full = false;
    EXPECT_EQ(keeper.turn(kStart + 2 * kDay), Turn::kRotated);
}

TEST(KeyKeeper, NeverMeansNever) {
    Machine machine;
    (void)machine.started(kStart, 0);
    KeyKeeper keeper = machine.started(kStart + 4000 * kDay, 0);
    EXPECT_EQ(keeper.turn(kStart + 5000 * kDay), Turn::kNothing);
    EXPECT_EQ(keeper.ring().newest_first.size(), 1u);
}

}  // namespace
}  // namespace pinhole::keys
