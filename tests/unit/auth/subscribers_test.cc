// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/auth/subscribers.h"

#include "tests/unit/auth/support.h"

#include <gtest/gtest.h>

#include <cstring>
#include <string>

namespace pinhole::auth {
namespace {

std::array<std::uint8_t, kMaxHashBytes> numbered(std::uint32_t n) {
    std::array<std::uint8_t, kMaxHashBytes> out{};
    std::memcpy(out.data(), &n, sizeof n);
    return out;
}

TEST(Subscribers, FoundAgain) {
    constexpr std::uint32_t kUsers = 20'000;
    const UserHash hash = test_hash();
    Subscribers subscribers({kUsers, kUsers / 2, 0}, SubscriberMemory::heap());
    ASSERT_TRUE(subscribers.valid());
    for (std::uint32_t n = 0; n < kUsers; ++n) {
        const UserName name = hash("user" + std::to_string(n));
        subscribers.prefetch(Algorithm::kMd5, name);
        ASSERT_TRUE(subscribers.add(Algorithm::kMd5, name, numbered(n).data()));
        if (n % 2 == 0) {
            ASSERT_TRUE(subscribers.add(Algorithm::kSha256, name, numbered(n).data()));
        }
    }
    subscribers.finish();
    EXPECT_EQ(subscribers.users(), kUsers);
    EXPECT_EQ(subscribers.count(Algorithm::kSha256), kUsers / 2);
    for (std::uint32_t n = 0; n < kUsers; ++n) {
        const UserName name = hash("user" + std::to_string(n));
        const std::uint8_t* md5 = subscribers.find(Algorithm::kMd5, name);
        ASSERT_NE(md5, nullptr);
        EXPECT_EQ(std::memcmp(md5, numbered(n).data(), 16), 0);
        const std::uint8_t* sha = subscribers.find(Algorithm::kSha256, name);
        ASSERT_EQ(sha != nullptr, n % 2 == 0);
        EXPECT_TRUE(sha == nullptr || std::memcmp(sha, numbered(n).data(), 32) == 0);
        EXPECT_EQ(subscribers.find(Algorithm::kSha512_256, name), nullptr);
        EXPECT_EQ(subscribers.find(Algorithm::kMd5, hash("nobody" + std::to_string(n))), nullptr);
    }
    EXPECT_FALSE(subscribers.add(Algorithm::kMd5, hash("user7"), numbered(7).data())) << "twice";
    EXPECT_TRUE(subscribers.offers(Algorithm::kMd5));
    EXPECT_FALSE(subscribers.offers(Algorithm::kSha256)) << "not all have one";
    EXPECT_FALSE(subscribers.offers(Algorithm::kSha512_256));
}

// Two users that have one each of different algorithms: none is offered.
TEST(Subscribers, UsersAreCountedOverAlgorithms) {
    const UserHash hash = test_hash();
    Subscribers subscribers({1, 1, 0}, SubscriberMemory::heap());
    (void)subscribers.add(Algorithm::kMd5, hash("a"), numbered(1).data());
    (void)subscribers.add(Algorithm::kSha256, hash("b"), numbered(2).data());
    subscribers.finish();
    EXPECT_EQ(subscribers.users(), 2U);
    EXPECT_FALSE(subscribers.offers(Algorithm::kMd5));
    EXPECT_FALSE(subscribers.offers(Algorithm::kSha256));
}

TEST(Subscribers, NoMoreThanThereIsRoomFor) {
    const UserHash hash = test_hash();
    Subscribers subscribers({1, 0, 0}, SubscriberMemory::heap());
    unsigned added = 0;
    while (added < 1000 &&
           subscribers.add(Algorithm::kMd5, hash(std::to_string(added)), numbered(added).data())) {
        ++added;
    }
    EXPECT_LT(added, 20U);
    EXPECT_EQ(subscribers.find(Algorithm::kMd5, hash("nobody")), nullptr) << "and it ends";
    EXPECT_FALSE(subscribers.add(Algorithm::kSha256, hash("x"), numbered(0).data()));
    const SubscriberMemory none{[](std::size_t) -> void* { return nullptr; },
                                [](void*, std::size_t) {}};
    EXPECT_FALSE(Subscribers({1, 0, 0}, none).valid());
}

TEST(Subscribers, TenMillionTakeHalfAGigabyte) {
    std::size_t asked = 0;
    static std::size_t* sum = nullptr;
    sum = &asked;
    const SubscriberMemory counting{[](std::size_t bytes) -> void* {
                                        *sum += bytes;
                                        return nullptr;
                                    },
                                    [](void*, std::size_t) {}};
    const Subscribers subscribers({10'000'000, 0, 0}, counting);
    EXPECT_LT(asked, 500U << 20);
    EXPECT_FALSE(subscribers.valid());
}

TEST(UserHash, Keyed) {
    const std::array<std::byte, UserHash::kSeedBytes> other{std::byte{6}};
    EXPECT_EQ(test_hash()("bob"), test_hash()("bob"));
    EXPECT_NE(test_hash()("bob"), test_hash()("Bob"));
    EXPECT_NE(test_hash()("bob"), UserHash(other)("bob"));
    EXPECT_NE(test_hash()(""), UserName{});
}

}  // namespace
}  // namespace pinhole::auth
