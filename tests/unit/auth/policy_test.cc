// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/auth/policy.h"

#include "tests/unit/auth/support.h"

#include <gtest/gtest.h>

namespace pinhole::auth {
namespace {

TEST(Owns, HisOwnAndHisAliases) {
    const DigestPolicy policy{Nonces("example.com", 1),
                              test_hash(),
                              {Algorithm::kMd5},
                              600,
                              false,
                              {{"100", "pbx"}, {"100", "reception"}, {"101", "pbx"}}};
    EXPECT_TRUE(owns(policy, "bob", "bob@example.com"));
    EXPECT_TRUE(owns(policy, "bob", "bob@example.org")) << "the realm has all our domains";
    EXPECT_TRUE(owns(policy, "bob@example.com", "bob@example.com"));
    EXPECT_FALSE(owns(policy, "bob@example.org", "bob@example.com"));
    EXPECT_FALSE(owns(policy, "Bob", "bob@example.com"));
    EXPECT_FALSE(owns(policy, "bo", "bob@example.com"));
    EXPECT_FALSE(owns(policy, "bob", "alice@example.com"));
    EXPECT_FALSE(owns(policy, "", "@example.com"));
    EXPECT_TRUE(owns(policy, "a b", "a%20b@example.com"));
    EXPECT_TRUE(owns(policy, "pbx", "100@example.com"));
    EXPECT_TRUE(owns(policy, "reception", "100@example.com"));
    EXPECT_TRUE(owns(policy, "pbx", "101@example.com"));
    EXPECT_TRUE(owns(policy, "101", "101@example.com")) << "an alias takes nothing away";
    EXPECT_FALSE(owns(policy, "reception", "101@example.com"));
    EXPECT_FALSE(owns(policy, "100", "pbx@example.com"));
}

}  // namespace
}  // namespace pinhole::auth
