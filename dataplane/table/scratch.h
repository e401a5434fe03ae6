// SPDX-License-Identifier: BSD-3-Clause
// An array on the stack whose elements come to life when they are set: a change of one contact
// should not pay for clearing room for 32. Only for types that need no destructor.
#pragma once

#include <cstddef>
#include <new>
#include <span>
#include <type_traits>

namespace pinhole::table {

template <class T, std::size_t kSize>
class Scratch {
    static_assert(std::is_trivially_destructible_v<T> && std::is_trivially_copyable_v<T>);

  public:
    Scratch() {}  // not "= default": that would let `Scratch s{}` clear the memory

    T& set(std::size_t i, const T& value) { return *new (memory_ + i * sizeof(T)) T(value); }
    T& operator[](std::size_t i) { return *at(i); }
    const T& operator[](std::size_t i) const { return *at(i); }
    // The first `count`, all of which have been set.
    [[nodiscard]] std::span<const T> first(std::size_t count) const { return {at(0), count}; }

  private:
    T* at(std::size_t i) { return std::launder(reinterpret_cast<T*>(memory_) + i); }
    const T* at(std::size_t i) const {
        return std::launder(reinterpret_cast<const T*>(memory_) + i);
    }

    alignas(T) std::byte memory_[kSize * sizeof(T)];
};

}  // namespace pinhole::table
