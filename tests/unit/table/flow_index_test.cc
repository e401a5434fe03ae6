// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/table/flow_index.h"

#include "tests/unit/table/support.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>
#include <vector>

namespace pinhole::table::test {
namespace {

struct TestFlows {
    explicit TestFlows(std::uint32_t slot_count, std::uint64_t mask = ~0ull)
        : hash(make_hash(mask)),
          heads(FlowIndex::heads_for(slot_count)),
          stripes(FlowIndex::kStripes),
          slot_memory(slot_count),
          previous(slot_count),
          slots(slot_count, 1) {
        slots.attach(slot_memory.data());
        index.attach(heads.data(), static_cast<std::uint32_t>(heads.size()), stripes.data(), &slots,
                     previous.data(), &hash);
    }
    std::set<std::uint32_t> chain(const net::Flow& flow) const {
        std::set<std::uint32_t> found;
        EXPECT_TRUE(index.walk(
            hash(flow), [&] { found.clear(); },
            [&](std::uint32_t slot) {
                EXPECT_TRUE(found.insert(slot).second);
                return true;
            }));
        return found;
    }

    KeyedHash hash;
    std::vector<std::atomic<std::uint32_t>> heads, stripes;
    std::vector<Slot> slot_memory;
    std::vector<std::uint32_t> previous;
    Slots slots;
    FlowIndex index;
};

TEST(FlowIndex, TenThousandLinesOnOneFlowLeaveInAnyOrder) {
    constexpr std::uint32_t kLines = 10'000;
    TestFlows t(kLines);
    std::set<std::uint32_t> expected;
    std::vector<std::uint32_t> order;
    for (std::uint32_t slot = 0; slot < kLines; ++slot) {
        t.index.link(slot, make_flow(1));
        expected.insert(slot);
        order.push_back(slot);
    }
    EXPECT_EQ(t.chain(make_flow(1)), expected);
    std::shuffle(order.begin(), order.end(), std::mt19937(1));
    while (order.size() > 10) {
        t.index.unlink(order.back(), make_flow(1));
        expected.erase(order.back());
        order.pop_back();
    }
    EXPECT_EQ(t.chain(make_flow(1)), expected);
}

// Of a full index: who is refused in an avalanche is looked for here, and shall cost no more.
TEST(FlowIndex, MostStrangersMeetAnEmptyHead) {
    constexpr std::uint32_t kPhones = 10'000;
    TestFlows t(kPhones);
    for (std::uint32_t slot = 0; slot < kPhones; ++slot) {
        t.index.link(slot, make_flow(slot));
    }
    std::uint32_t empty = 0;
    for (std::uint32_t other = 0; other < kPhones; ++other) {
        empty += t.index.first_any(t.hash(make_flow(kPhones + other))) == kNoSlot;
    }
    EXPECT_GT(empty, kPhones * 3 / 4);
}

TEST(FlowIndex, HasHeadsForAsManyAsTheTableTakes) {
    EXPECT_GT(FlowIndex::heads_for(100'000'000), 400'000'000U);
    EXPECT_EQ(FlowIndex::heads_for(1ULL << 40), 0xffff'ffffU);
}

TEST(FlowIndex, CollidingFlowsShareAChain) {
    TestFlows t(3, 0);
    t.index.link(0, make_flow(1));
    t.index.link(1, make_flow(2));
    t.index.link(2, make_flow(3));
    t.index.unlink(1, make_flow(2));
    EXPECT_EQ(t.chain(make_flow(2)), (std::set<std::uint32_t>{0, 2}));
}

TEST(FlowIndex, AWalkBeginsAgainWhenTheChainHasChanged) {
    TestFlows t(3);
    t.index.link(0, make_flow(1));
    t.index.link(1, make_flow(1));
    int begun = 0;
    std::vector<std::uint32_t> seen;
    EXPECT_TRUE(t.index.walk(
        t.hash(make_flow(1)),
        [&] {
            ++begun;
            seen.clear();
        },
        [&](std::uint32_t slot) {
            if (begun == 1) {
                t.index.link(2, make_flow(1));
                t.index.unlink(2, make_flow(1));
            }
            seen.push_back(slot);
            return true;
        }));
    EXPECT_EQ(begun, 2);
    EXPECT_EQ(seen, (std::vector<std::uint32_t>{1, 0}));
}

TEST(FlowIndex, AChainThatKeepsChangingIsGivenUp) {
    TestFlows t(3);
    t.index.link(0, make_flow(1));
    EXPECT_FALSE(t.index.walk(
        t.hash(make_flow(1)), [] {},
        [&](std::uint32_t) {
            t.index.link(2, make_flow(1));
            t.index.unlink(2, make_flow(1));
            return true;
        }));
}

// Through the table: verified against the contact, over all shards.
TEST(FindByFlow, FindsTheContactsOfEveryShard) {
    for (const std::uint64_t mask : {~0ull, 0ull}) {
        TestTable t(64, 4, mask);
        std::set<std::uint64_t> expected;
        for (std::uint64_t n = 0; n < 20; ++n) {
            Phone phone(n);
            phone.state.flow = make_flow(n % 2 == 0 ? 1 : 2);
            ASSERT_EQ(add(*t, phone), ChangeResult::kOk);
            if (n % 2 == 0) {
                ContactView view;
                ASSERT_TRUE(find(*t, phone.aor)->read(0, view));
                expected.insert(view.id.packed());
            }
        }
        std::vector<ContactId> out(64);
        const FlowMatches all = t->find_by_flow(make_flow(1), out);
        std::set<std::uint64_t> found;
        for (std::size_t i = 0; i < all.count; ++i) {
            found.insert(out[i].packed());
        }
        EXPECT_TRUE(all.complete);
        EXPECT_EQ(found, expected);
        EXPECT_EQ(t->find_by_flow(make_flow(3), out).count, 0u);
        const FlowMatches some = t->find_by_flow(make_flow(1), std::span(out).first(3));
        EXPECT_EQ(some.count, 3u);
        EXPECT_FALSE(some.complete);
    }
}

TEST(FindByFlow, OurOwnEndIsPartOfTheFlow) {
    TestTable t(8);
    Phone phone(1);
    ASSERT_EQ(add(*t, phone), ChangeResult::kOk);
    std::array<ContactId, 2> out;
    EXPECT_EQ(t->find_by_flow(phone.state.flow, out).count, 1u);
    net::Flow other = phone.state.flow;
    other.our_udp_port = 5080;
    EXPECT_EQ(t->find_by_flow(other, out).count, 0u);
}

}  // namespace
}  // namespace pinhole::table::test
