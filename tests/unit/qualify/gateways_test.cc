// SPDX-License-Identifier: BSD-3-Clause
// Gateways come, go and make room; and how often one may be pinged.
#include "control/qualify/gateways.h"

#include "tests/unit/qualify/world.h"

#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <random>
#include <thread>

namespace pinhole::qualify {
namespace {

Gateways::Index enter(Gateways& g, const net::Address& address) {
    return g.enter(address, 0).index;
}

void leave(Gateways& g, Gateways::Index index) {
    g.leave({index, 0}, 1);
}

table::KeyedHash hash(std::uint64_t mask = ~0ull) {
    return table::KeyedHash(std::array<std::byte, 32>{}, mask);
}

net::Address v4(std::uint32_t n) {
    return net::Address::v4(0x0a00'0000 + n);
}

TEST(Gateways, AnAddressIsOneAndOfIpv6ASlash64) {
    const auto a = *net::parse_address("2001:db8:1:2::5");
    const auto b = *net::parse_address("2001:db8:1:2:ffff::9");
    EXPECT_EQ(gateway_of(a), gateway_of(b));
    EXPECT_EQ(gateway_of(a), *net::parse_address("2001:db8:1:2::"));
    EXPECT_NE(gateway_of(a), gateway_of(*net::parse_address("2001:db8:1:3::5")));
    EXPECT_EQ(gateway_of(v4(7)), v4(7));
}

TEST(Gateways, ACarriersAddressesAreOneByConfiguration) {
    Gateways g(4, hash(), 28);
    EXPECT_EQ(enter(g, v4(1)), enter(g, v4(15)));
    EXPECT_NE(enter(g, v4(1)), enter(g, v4(16)));
    EXPECT_EQ(g.name_of(gateway_of(v4(17), 28)), "10.0.0.16/28");
    const auto v6 = *net::parse_address("2001:db8:1:2::5");
    EXPECT_EQ(g.name_of(gateway_of(v6, 28)), "2001:db8:1:2::/64");
    EXPECT_EQ(gateway_of(v4(17), 32), v4(17));
}

TEST(Gateways, SumWhatTheirPhonesArePingedBy) {
    Gateways g(2, hash());
    const auto a = g.enter(v4(1), 1);
    (void)g.enter(v4(1), 1);
    const auto b = g.enter(v4(1), 2);
    g.set_rate(a, 10);
    g.set_rate(b, 5);
    EXPECT_EQ(g.rate(), 25u);
    (void)g.enter(v4(1), 1);
    g.set_rate(a, 3);
    EXPECT_EQ(g.rate(), 14u);
    g.leave(a, 1);
    g.leave(b, 1);
    g.leave({0, 0}, 1);
    EXPECT_EQ(g.rate(), 6u);
    EXPECT_EQ(g.phones(), 2u);
}

TEST(Gateways, CountPhonesAndKeepWhatIsKnownWhenTheyGo) {
    Gateways g(4, hash());
    const auto first = enter(g, v4(1));
    ASSERT_NE(first, 0u);
    EXPECT_EQ(enter(g, v4(1)), first);
    const auto second = enter(g, v4(2));
    EXPECT_NE(second, first);
    EXPECT_EQ(g.at(first).phones.get(), 2u);
    g.at(first).rebinds.add(3);
    leave(g, first);
    leave(g, first);
    leave(g, 0);
    EXPECT_EQ(g.at(first).phones.get(), 0u);
    EXPECT_EQ(enter(g, v4(1)), first);
    EXPECT_EQ(g.at(first).rebinds.get(), 3u);
    GatewayView view;
    ASSERT_TRUE(g.read_any(first, view));
    EXPECT_EQ(view.address, v4(1));
    EXPECT_EQ(view.phones, 1u);
    EXPECT_EQ(view.rebinds, 3u);
    EXPECT_FALSE(g.read_any(0, view));
    EXPECT_FALSE(g.read_any(3, view)) << "nobody's so far";
    EXPECT_FALSE(g.read_any(5, view));
}

TEST(Gateways, FullTheyMakeRoomOfThoseWithoutPhonesAndRefuseTheRest) {
    Gateways g(3, hash(0));  // all in one chain
    for (std::uint32_t n = 1; n <= 3; ++n) {
        EXPECT_EQ(enter(g, v4(n)), n);
    }
    EXPECT_EQ(enter(g, v4(4)), 0u);
    EXPECT_EQ(g.refused(), 1u);
    g.at(2).rebinds.add(9);
    leave(g, 2);
    EXPECT_EQ(enter(g, v4(4)), 2u);
    EXPECT_EQ(g.at(2).rebinds.get(), 0u) << "another gateway's";
    EXPECT_EQ(enter(g, v4(2)), 0u);
    EXPECT_EQ(enter(g, v4(3)), 3u);
    EXPECT_EQ(enter(g, v4(1)), 1u);
    EXPECT_EQ(g.used(), 3u);
}

TEST(Gateways, AreFoundWhateverComesAndGoes) {
    constexpr std::uint32_t kPlaces = 50;
    Gateways g(kPlaces, hash(7));
    std::mt19937 random(11);
    std::map<std::uint32_t, std::uint32_t> phones;  // by address
    std::map<std::uint32_t, Gateways::Index> where;
    for (int i = 0; i < 200'000; ++i) {
        const std::uint32_t n = random() % 80;
        if (random() % 2 == 0) {
            const auto index = enter(g, v4(n));
            if (index != 0) {
                ASSERT_TRUE(phones[n] == 0 || where[n] == index);
                ++phones[n];
                where[n] = index;
            } else {
                ASSERT_EQ(phones[n], 0u);
            }
        } else if (phones[n] > 0) {
            leave(g, where[n]);
            --phones[n];
        }
    }
    for (const auto& [n, count] : phones) {
        if (count > 0) {
            GatewayView view;
            ASSERT_TRUE(g.read_any(where[n], view));
            EXPECT_EQ(view.address, v4(n));
            EXPECT_EQ(view.phones, count);
        }
    }
}

TEST(Gateways, NoReaderSeesOneUnderAnothersAddress) {
    Gateways g(1, hash());
    std::atomic<bool> done{false};
    std::atomic<std::uint64_t> wrong{0};
    std::atomic<std::uint64_t> seen{0};
    std::thread reader([&] {
        while (!done.load(std::memory_order_relaxed)) {
            GatewayView view;
            if (g.read_any(1, view)) {
                seen.fetch_add(1, std::memory_order_relaxed);
                const std::uint32_t n = view.address.v4_host_order() & 0xff'ffff;
                wrong.fetch_add(view.rebinds != 0 && view.rebinds != n ? 1 : 0,
                                std::memory_order_relaxed);
            }
        }
    });
    for (std::uint32_t n = 1; n < 100'000 || (seen.load() == 0 && n < 10'000'000); ++n) {
        const auto index = enter(g, v4(n & 0xff'ffff));
        g.at(index).rebinds.set(n & 0xff'ffff);
        leave(g, index);
    }
    done = true;
    reader.join();
    EXPECT_EQ(wrong.load(), 0u);
    EXPECT_GT(seen.load(), 0u);
}

TEST(Gateways, TurnsAreEvenlyApartAndMakeUpForLittle) {
    Gateways g(1, hash());
    const auto index = enter(g, v4(1));
    std::uint64_t now_us = 50'000'000;
    // 100 a second: ten at once after a pause, then one every 10 ms.
    for (int i = 0; i < 11; ++i) {
        EXPECT_EQ(g.take_turn(index, now_us, 100), 0u) << i;
    }
    EXPECT_EQ(g.take_turn(index, now_us, 100), 10'000u);
    EXPECT_EQ(g.take_turn(index, now_us, 100), 20'000u);
    now_us += 1'000'000;
    EXPECT_EQ(g.take_turn(index, now_us, 100), 0u);
    EXPECT_EQ(g.take_turn(index, 0, 1'000'000'000), now_us - 90'000) << "a step back is borne";
}

// 2,000 phones behind one address, and some behind others, which don't wait for them.
TEST(KeeperPace, TheBudgetOfAnAddressHoldsAndConcernsNobodyElse) {
    World w({.max_address_pings_per_s = 50}, 2'100);
    for (std::uint32_t slot = 0; slot < 2'100; ++slot) {
        if (slot >= 2'000) {
            w.contacts.slots[slot].address = v4(slot);
        }
        w.add(slot, true);
    }
    w.run(200'000, 5);
    std::vector<Sent> crowd;
    std::uint64_t others = 0;
    std::vector<unsigned> each(2'100, 0);
    for (const Sent& e : w.sink.pings) {
        ++each[e.id.slot];
        if (e.id.slot < 2'000) {
            crowd.push_back(e);
        } else {
            ++others;
        }
    }
    EXPECT_GE(crowd.size(), 50u * 190);
    EXPECT_LE(crowd.size(), 50u * 197 + 10);
    EXPECT_LE(busiest_10_ms(crowd), 6u);
    EXPECT_GE(others, 100u * 8);
    // All of the crowd have had their share: 200 s of 50 a second are 5 each.
    for (std::uint32_t slot = 0; slot < 2'000; ++slot) {
        ASSERT_GE(each[slot], 3u) << slot;
        ASSERT_LE(each[slot], 6u) << slot;
    }
    EXPECT_GT(w.keeper.figures().overdue.get(), 500u);
    EXPECT_GT(w.keeper.figures().address_deferred.get(), 5'000u);
    for (std::uint32_t slot = 0; slot < 2'100; ++slot) {
        w.remove(slot);
    }
    EXPECT_EQ(w.keeper.figures().overdue.get(), 0u);
}

TEST(KeeperRules, ARebindIsCountedAtItsGateway) {
    World w({}, 3);
    w.add(0, true);
    w.add(1, true);
    w.move(0);
    w.move(0);
    EXPECT_EQ(w.keeper.figures().rebinds.get(), 2u);
    EXPECT_EQ(w.gateways.at(1).rebinds.get(), 2u);
    EXPECT_EQ(w.gateways.at(1).phones.get(), 2u);
    w.contacts.slots[0].address = v4(9);  // to another gateway
    w.move(0);
    EXPECT_EQ(w.gateways.at(1).phones.get(), 1u);
    EXPECT_EQ(w.gateways.at(2).phones.get(), 1u);
    w.remove(0);
    w.remove(1);
    EXPECT_EQ(w.gateways.at(1).phones.get(), 0u);
    EXPECT_EQ(w.gateways.at(2).phones.get(), 0u);
}

}  // namespace
}  // namespace pinhole::qualify
