// SPDX-License-Identifier: BSD-3-Clause
// A small seeded generator (splitmix64) that spreads pings. It is no secret and guards nothing.
// Pure.
#pragma once

#include <cstdint>

namespace pinhole::qualify {

class Random {
  public:
    explicit Random(std::uint64_t seed) : state_(seed) {}

    // In [0, bound), by multiply and shift; `bound` > 0. The bias of 2^-32 matters to nobody here.
    std::uint32_t below(std::uint32_t bound) {
        return static_cast<std::uint32_t>((next() >> 32) * bound >> 32);
    }

  private:
    std::uint64_t next() {
        std::uint64_t z = state_ += 0x9e37'79b9'7f4a'7c15;
        z = (z ^ z >> 30) * 0xbf58'476d'1ce4'e5b9;
        z = (z ^ z >> 27) * 0x94d0'49bb'1331'11eb;
        return z ^ z >> 31;
    }

    std::uint64_t state_;
};

}  // namespace pinhole::qualify
