// SPDX-License-Identifier: BSD-3-Clause
// Fixed-size fields into and out of the bytes of a branch, token, ping or tag: big-endian, in
// order, and closed by a MAC. Sizes are known at compile time to their users; a read past the end
// gives zeros and a flag. Internal to this folder.
#pragma once

#include "dataplane/tokens/keys.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

namespace pinhole::tokens {

template <std::size_t kCapacity>
class Packer {
  public:
    Packer& number(std::uint64_t value, std::size_t bytes) {
        for (std::size_t i = bytes; i-- > 0 && size_ < kCapacity;) {
            data_[size_++] = static_cast<std::uint8_t>(value >> 8 * i);
        }
        return *this;
    }
    Packer& raw(const std::uint8_t* from, std::size_t bytes) {
        bytes = bytes < kCapacity - size_ ? bytes : kCapacity - size_;
        std::memcpy(data_.data() + size_, from, bytes);
        size_ += bytes;
        return *this;
    }
    [[nodiscard]] std::span<const std::uint8_t> view() const { return {data_.data(), size_}; }

  private:
    std::array<std::uint8_t, kCapacity> data_;
    std::size_t size_ = 0;
};

class Unpacker {
  public:
    explicit Unpacker(std::span<const std::uint8_t> data) : data_(data) {}

    std::uint64_t number(std::size_t bytes) {
        std::uint64_t value = 0;
        for (std::size_t i = 0; i < bytes; ++i) {
            value = value << 8 | byte();
        }
        return value;
    }
    void raw(std::uint8_t* to, std::size_t bytes) {
        const std::size_t left = data_.size() - at_;
        const std::size_t there = bytes < left ? bytes : left;
        std::memcpy(to, data_.data() + at_, there);
        std::memset(to + there, 0, bytes - there);
        at_ += there;
        short_ |= there < bytes;
    }
    // All was read, and nothing past the end.
    [[nodiscard]] bool complete() const { return at_ == data_.size() && !short_; }

  private:
    std::uint8_t byte() {
        if (at_ == data_.size()) {
            short_ = true;
            return 0;
        }
        return data_[at_++];
    }
    std::span<const std::uint8_t> data_;
    std::size_t at_ = 0;
    bool short_ = false;
};

// A MAC over several texts, each with its length before it, so that no two lists of texts read
// alike. What outgrows the buffer is folded into its MAC so far; nothing is cut off.
class MacInput {
  public:
    MacInput(const Keys& keys, Purpose purpose, std::uint8_t key_id)
        : keys_(keys), purpose_(purpose), key_id_(key_id) {}

    MacInput& bytes(std::span<const std::uint8_t> data) {
        while (!data.empty()) {
            if (size_ == buffer_.size()) {
                fold();
            }
            const std::size_t n =
                data.size() < buffer_.size() - size_ ? data.size() : buffer_.size() - size_;
            std::memcpy(buffer_.data() + size_, data.data(), n);
            size_ += n;
            data = data.subspan(n);
        }
        return *this;
    }
    MacInput& text(std::string_view s) {
        const std::array<std::uint8_t, 2> length{static_cast<std::uint8_t>(s.size() >> 8),
                                                 static_cast<std::uint8_t>(s.size())};
        bytes(length);
        return bytes({reinterpret_cast<const std::uint8_t*>(s.data()), s.size()});
    }
    [[nodiscard]] std::uint64_t mac() const {
        return keys_.mac(purpose_, key_id_, {buffer_.data(), size_});
    }

  private:
    void fold() {
        const std::uint64_t so_far = mac();
        std::memcpy(buffer_.data(), &so_far, sizeof so_far);
        size_ = sizeof so_far;
    }

    const Keys& keys_;
    Purpose purpose_;
    std::uint8_t key_id_;
    std::size_t size_ = 0;
    std::array<std::uint8_t, 256> buffer_;
};

}  // namespace pinhole::tokens
