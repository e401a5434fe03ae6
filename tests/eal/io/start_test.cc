// SPDX-License-Identifier: BSD-3-Clause
// EAL's start in ordinary memory, what it says when it cannot, the table's memory, and quiescent
// states.
#include "dataplane/io/driver_log.h"
#include "dataplane/io/errors.h"
#include "dataplane/io/memory.h"
#include "dataplane/io/qsbr.h"
#include "tests/eal/io/scene.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>

#include <rte_launch.h>
#include <rte_lcore.h>

#include <atomic>
#include <cstdint>
#include <thread>

namespace pinhole::io {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::Not;

cpu_set_t cpus(std::initializer_list<unsigned> list) {
    cpu_set_t set;
    CPU_ZERO(&set);
    for (const unsigned cpu : list) {
        CPU_SET(cpu, &set);
    }
    return set;
}

TEST(EalArguments, WorkersFloatUnlessPinned) {
    Settings settings = settings_for(2, {});
    auto floating = eal_arguments(settings, cpus({0, 1}), false);
    ASSERT_TRUE(floating.ok());
    EXPECT_THAT(*floating, Contains("--lcores=0@(0-1),1@(0-1),2@(0-1)"));
    EXPECT_THAT(*floating, Contains("--no-huge"));
    EXPECT_THAT(*floating, Contains("--no-pci"));
    EXPECT_THAT(*floating, Not(Contains("--in-memory")));
    settings.cores = {2, 5};
    auto pinned = eal_arguments(settings, cpus({0, 2, 3, 4, 5}), true);
    ASSERT_TRUE(pinned.ok());
    EXPECT_THAT(*pinned, Contains("--lcores=0@(0,3-4),1@2,2@5"));
    EXPECT_THAT(*pinned, Contains("--in-memory"));
    // No core is left for the others: they share.
    settings.cores = {0, 1};
    auto all = eal_arguments(settings, cpus({0, 1}), false);
    ASSERT_TRUE(all.ok());
    EXPECT_THAT(*all, Contains("--lcores=0@(0-1),1@0,2@1"));
}

TEST(EalArguments, RefusesCoresItMayNotUse) {
    Settings settings = settings_for(1, {});
    settings.cores = {7};
    auto outside = eal_arguments(settings, cpus({0, 1}), false);
    ASSERT_FALSE(outside.ok());
    EXPECT_THAT(outside.error().message, HasSubstr("core 7"));
    settings.cores = {0, 1};
    EXPECT_FALSE(eal_arguments(settings, cpus({0, 1}), false).ok());
    settings.workers = 2;
    settings.cores = {1, 1};
    auto twice = eal_arguments(settings, cpus({0, 1}), false);
    ASSERT_FALSE(twice.ok());
    EXPECT_THAT(twice.error().message, HasSubstr("core 1 twice"));
    settings.workers = 0;
    EXPECT_FALSE(eal_arguments(settings, cpus({0, 1}), false).ok());
}

TEST(EalArguments, PciDevicesAreTheOnlyOnesProbed) {
    auto arguments =
        eal_arguments(settings_for(1, {{DeviceKind::kPci, "03:00.0"}}), cpus({0}), true);
    ASSERT_TRUE(arguments.ok());
    EXPECT_THAT(*arguments, Contains("0000:03:00.0"));
    EXPECT_THAT(*arguments, Not(Contains("--no-pci")));
}

TEST(EalRefusal, SaysWhatToDo) {
    auto missing = Eal::start(settings_for(1, {{DeviceKind::kAfPacket, "nosuch0"}}));
    ASSERT_FALSE(missing.ok());
    EXPECT_EQ(missing.error().code, ErrorCode::kMissing);
    EXPECT_THAT(missing.error().message,
                HasSubstr("af_packet:nosuch0: there is no interface \"nosuch0\""));

    auto loopback = Eal::start(settings_for(1, {{DeviceKind::kAfPacket, "lo"}}));
    ASSERT_FALSE(loopback.ok());
    EXPECT_EQ(loopback.error().code, ErrorCode::kUnsupported);

    auto pci = Eal::start(settings_for(1, {{DeviceKind::kPci, "ffff:ff:1f.7"}}));
    ASSERT_FALSE(pci.ok());
    EXPECT_EQ(pci.error().code, ErrorCode::kMissing);

    auto memif = Eal::start(settings_for(1, {{DeviceKind::kMemif, "/nosuch/dir/sock"}}));
    ASSERT_FALSE(memif.ok());
    EXPECT_THAT(memif.error().message, HasSubstr("no directory /nosuch/dir"));

    Settings huge = settings_for(64, {});
    huge.hugepages = HugepageMode::kOn;
    if (free_hugepage_bytes() == 0) {
        auto none = Eal::start(huge);
        ASSERT_FALSE(none.ok());
        EXPECT_EQ(none.error().code, ErrorCode::kNoMemory);
        EXPECT_THAT(none.error().message, HasSubstr("vm.nr_hugepages"));
    }
}

TEST(Region, TooMuchIsASentence) {
    auto region =
        Region::reserve(std::size_t{1} << 46, HugepageMode::kAuto, -1, "the table of 9 contacts");
    ASSERT_FALSE(region.ok());
    EXPECT_EQ(region.error().code, ErrorCode::kNoMemory);
    EXPECT_THAT(region.error().message, HasSubstr("the table of 9 contacts needs 67108864 MB"));
    auto on = Region::reserve(std::size_t{1} << 46, HugepageMode::kOn, -1, "the table");
    ASSERT_FALSE(on.ok());
    EXPECT_THAT(on.error().message, HasSubstr("hugepages"));
}

TEST(Memory, TheLastOfItIsLeftToOthers) {
    EXPECT_FALSE(check_available(available_bytes(), "a test").ok());
    EXPECT_TRUE(check_available(1 << 20, "a test").ok());
}

TEST(Region, IsZeroAlignedAndWritable) {
    auto region = Region::reserve((5 << 20) + 1, HugepageMode::kOff, 0, "a test");
    ASSERT_TRUE(region.ok()) << region.error().message;
    const auto bytes = region->bytes();
    EXPECT_EQ(bytes.size(), std::size_t{6} << 20);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(bytes.data()) % (2 << 20), 0U);
    EXPECT_EQ(region->pages(), PageKind::kTransparent);
    EXPECT_EQ(bytes.front(), std::byte{0});
    bytes.back() = std::byte{1};
    Region moved = region.take();
    EXPECT_EQ(moved.bytes().data(), bytes.data());
}

TEST(Carver, GivesLinesUntilThereAreNoMore) {
    auto region = Region::reserve(1, HugepageMode::kOff, -1, "a test");
    ASSERT_TRUE(region.ok());
    Carver carver(region->bytes());
    auto* first = static_cast<std::byte*>(carver.take(65));
    EXPECT_EQ(first, region->bytes().data());
    EXPECT_EQ(static_cast<std::byte*>(Carver::take_fn(&carver, 1)), first + 128);
    EXPECT_EQ(carver.left(), (std::size_t{2} << 20) - 192);
    EXPECT_EQ(carver.take(carver.left() + 1), nullptr);
    EXPECT_NE(carver.take(carver.left()), nullptr);
    EXPECT_EQ(carver.take(1), nullptr);
}

TEST(DriverLog, KeepsTheLastWordsOnly) {
    forget_driver_words();
    add_driver_words("one\ntwo\n");
    add_driver_words("two\nthree\nfour\nfive\n");
    EXPECT_EQ(last_driver_words(), "two; three; four; five");
    forget_driver_words();
    EXPECT_EQ(last_driver_words(), "");
}

TEST(Errors, HaveTextAndCode) {
    EXPECT_EQ(system_error("x", -13).message, "x: Permission denied");
    EXPECT_EQ(error_code(-13), ErrorCode::kNoPermission);
    EXPECT_EQ(error_code(98), ErrorCode::kBusy);
}

// Everything that needs EAL running: one start a process.
class RunningEal : public testing::Test {
  public:
    static void SetUpTestSuite() {
        CPU_ZERO(&before);
        sched_getaffinity(0, sizeof before, &before);
        auto started = Eal::start(settings_for(2, {}));
        ASSERT_TRUE(started.ok()) << started.error().message;
        eal = started.take();
    }
    static void TearDownTestSuite() { eal.reset(); }

    static inline std::unique_ptr<Eal> eal;
    static inline cpu_set_t before;
};

int note_lcore(void* out) {
    static_cast<std::atomic<unsigned>*>(out)->store(rte_lcore_id());
    return 0;
}

TEST_F(RunningEal, HasALcoreForEachWorker) {
    EXPECT_FALSE(eal->uses_hugepages());
    EXPECT_EQ(rte_lcore_count(), 3U);
    for (unsigned worker = 0; worker < 2; ++worker) {
        std::atomic<unsigned> seen{99};
        ASSERT_EQ(rte_eal_remote_launch(note_lcore, &seen, eal->worker_lcore(worker)), 0);
        rte_eal_wait_lcore(eal->worker_lcore(worker));
        EXPECT_EQ(seen.load(), eal->worker_lcore(worker));
    }
}

TEST_F(RunningEal, LeavesOtherThreadsTheirAffinity) {
    cpu_set_t now;
    CPU_ZERO(&now);
    std::thread([&] {
        eal->restore_affinity();
        sched_getaffinity(0, sizeof now, &now);
    }).join();
    EXPECT_TRUE(CPU_EQUAL(&now, &before));
}

TEST_F(RunningEal, QsbrWaitsForReadersThatAreOnline) {
    auto created = Qsbr::create(4);
    ASSERT_TRUE(created.ok()) << created.error().message;
    Qsbr& qsbr = **created;
    ASSERT_TRUE(qsbr.join(0).ok());
    ASSERT_TRUE(qsbr.join(3).ok());
    EXPECT_FALSE(qsbr.join(4).ok());

    EXPECT_TRUE(qsbr.passed(qsbr.start())) << "nobody is online";
    qsbr.online(0);
    const std::uint64_t token = Qsbr::start_fn(&qsbr);
    EXPECT_FALSE(Qsbr::passed_fn(&qsbr, token));
    qsbr.online(3);  // came after: holds nothing of before
    EXPECT_FALSE(qsbr.passed(token));
    qsbr.quiescent(0);
    EXPECT_TRUE(qsbr.passed(token));
    const std::uint64_t second = qsbr.start();
    qsbr.quiescent(0);
    EXPECT_FALSE(qsbr.passed(second));
    qsbr.offline(3);
    EXPECT_TRUE(qsbr.passed(second));
    qsbr.leave(0);
    qsbr.leave(3);
    EXPECT_TRUE(qsbr.passed(qsbr.start()));
}

}  // namespace
}  // namespace pinhole::io
