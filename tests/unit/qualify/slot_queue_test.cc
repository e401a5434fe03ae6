// SPDX-License-Identifier: BSD-3-Clause
#include "control/qualify/slot_queue.h"

#include <gtest/gtest.h>

#include <deque>
#include <random>

namespace pinhole::qualify {
namespace {

TEST(SlotQueue, BehavesLikeADeque) {
    for (const std::uint32_t capacity : {1u, 2u, 7u}) {
        SlotQueue queue(capacity);
        std::deque<std::uint32_t> model;
        std::mt19937 random(capacity);
        for (std::uint32_t i = 0; i < 10'000; ++i) {
            ASSERT_EQ(queue.size(), model.size());
            ASSERT_EQ(queue.empty(), model.empty());
            const auto pick = random() % 4;
            if (pick < 2 && !model.empty()) {
                ASSERT_EQ(queue.pop(), model.front());
                model.pop_front();
            } else if (pick == 2 && model.size() < capacity) {
                queue.push(i);
                model.push_back(i);
            } else if (pick == 3 && model.size() < capacity) {
                queue.push_front(i);
                model.push_front(i);
            }
        }
    }
}

}  // namespace
}  // namespace pinhole::qualify
