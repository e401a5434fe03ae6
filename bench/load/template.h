// SPDX-License-Identifier: BSD-3-Clause
// A message with places of fixed width for what differs from one to the next, so that making one is
// a copy and a few small ones. Pure; written at start, read by any thread.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace pinhole::load {

// What a phone is called: eight digits, its index on top of this.
inline constexpr std::uint32_t kFirstNumber = 10'000'000;
inline constexpr std::uint32_t kMaxPhones = 80'000'000;
// CSeq and the like begin here, so that they have eight digits too.
inline constexpr std::uint32_t kFirstSequence = 10'000'000;

inline constexpr std::size_t kDigits = 8;
inline constexpr std::size_t kPrivateHost = 14;  // "10.1xx.1xx.1xx"

void write_digits(std::uint32_t value, char* out);
// Eight digits, kFirstNumber or more; false if it is anything else.
[[nodiscard]] bool read_digits(std::string_view text, std::uint32_t& value);

// The texts that go into a template's places.
class Fields {
  public:
    // `number_behind`: the phone's number behind its gateway, below 1,000,000, which gives its
    // private address. Phones behind different gateways may have the same one, as at home.
    Fields(std::uint32_t phone, std::uint32_t sequence, std::uint32_t number_behind);

    [[nodiscard]] std::string_view phone() const { return {phone_.data(), phone_.size()}; }
    [[nodiscard]] std::string_view sequence() const { return {sequence_.data(), sequence_.size()}; }
    [[nodiscard]] std::string_view host() const { return {host_.data(), host_.size()}; }

  private:
    std::array<char, kDigits> phone_;
    std::array<char, kDigits> sequence_;
    std::array<char, kPrivateHost> host_;
};

class Template {
  public:
    Template& text(std::string_view fixed) {
        text_ += fixed;
        return *this;
    }
    Template& phone() { return place(Place::kPhone, kDigits); }
    Template& sequence() { return place(Place::kSequence, kDigits); }
    Template& host() { return place(Place::kHost, kPrivateHost); }

    [[nodiscard]] std::size_t size() const { return text_.size(); }
    // Writes size() bytes.
    void write(const Fields& fields, char* out) const;

  private:
    enum class Place : std::uint8_t { kPhone, kSequence, kHost };
    struct Patch {
        std::uint32_t at;
        Place place;
    };
    Template& place(Place what, std::size_t width) {
        patches_.push_back({static_cast<std::uint32_t>(text_.size()), what});
        text_.append(width, '0');
        return *this;
    }

    std::string text_;
    std::vector<Patch> patches_;
};

}  // namespace pinhole::load
