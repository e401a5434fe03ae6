// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/tokens/base64.h"

#include <gtest/gtest.h>

#include <array>
#include <random>
#include <string>
#include <vector>

namespace pinhole::tokens {
namespace {

std::string encode(const std::vector<std::uint8_t>& bytes) {
    std::string out(base64_chars(bytes.size()), '?');
    EXPECT_EQ(base64_encode(bytes, out.data()), out.size());
    return out;
}

TEST(Base64, KnownTexts) {  // RFC 4648 §10, without padding
    EXPECT_EQ(encode({}), "");
    EXPECT_EQ(encode({'f'}), "Zg");
    EXPECT_EQ(encode({'f', 'o'}), "Zm8");
    EXPECT_EQ(encode({'f', 'o', 'o', 'b', 'a', 'r'}), "Zm9vYmFy");
    EXPECT_EQ(encode({0xfb, 0xff}), "-_8");
}

TEST(Base64, RoundTripOfEveryLength) {
    std::mt19937 random(1);
    for (std::size_t size = 0; size < 70; ++size) {
        std::vector<std::uint8_t> bytes(size);
        for (auto& byte : bytes) {
            byte = static_cast<std::uint8_t>(random());
        }
        std::vector<std::uint8_t> back(size);
        ASSERT_EQ(base64_decode(encode(bytes), back), size);
        EXPECT_EQ(back, bytes);
    }
}

TEST(Base64, RefusesWhatItDidNotWrite) {
    std::array<std::uint8_t, 3> out;
    for (const char* text : {"A", "Zm9v!", "Zm=", "Zm9vY", "Z m8", "Zh", "Zm9"}) {
        EXPECT_FALSE(base64_decode(text, out)) << text;
    }
    // Wherever it stands.
    const std::string good = encode(std::vector<std::uint8_t>(23, 0xa5));
    std::array<std::uint8_t, 23> long_out;
    ASSERT_EQ(base64_decode(good, long_out), 23U);
    for (std::size_t i = 0; i < good.size(); ++i) {
        for (const char c : {'=', '\0', '+', '\xff'}) {
            std::string bad = good;
            bad[i] = c;
            EXPECT_FALSE(base64_decode(bad, long_out)) << i;
        }
    }
    EXPECT_FALSE(base64_decode("Zm9vYmFy", out)) << "more than `out` holds";
    EXPECT_TRUE(base64_decode("Zm9v", out));
}

}  // namespace
}  // namespace pinhole::tokens
