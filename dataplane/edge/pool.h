// SPDX-License-Identifier: BSD-3-Clause
// A fixed number of objects, handed out and taken back: the last one returned is the first to be
// handed out, for its cache lines are warm. Memory is taken once, and its contents are the user's
// to set. One thread; what is handed out may be read by others.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

namespace pinhole::edge {

template <class T>
class Pool {
  public:
    explicit Pool(std::uint32_t size) : objects_(std::make_unique_for_overwrite<T[]>(size)) {
        free_.reserve(size);
        for (std::uint32_t i = size; i-- > 0;) {
            free_.push_back(i);
        }
    }

    // Null: all are out.
    [[nodiscard]] T* take() {
        if (free_.empty()) [[unlikely]] {
            return nullptr;
        }
        T* const object = &objects_[free_.back()];
        free_.pop_back();
        return object;
    }
    void give_back(const T& object) { free_.push_back(index_of(object)); }

    // An object's number, and the object of a number.
    [[nodiscard]] std::uint32_t index_of(const T& object) const {
        return static_cast<std::uint32_t>(&object - objects_.get());
    }
    [[nodiscard]] T& operator[](std::uint32_t index) { return objects_[index]; }

  private:
    std::unique_ptr<T[]> objects_;
    std::vector<std::uint32_t> free_;
};

}  // namespace pinhole::edge
