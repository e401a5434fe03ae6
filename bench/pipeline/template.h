// SPDX-License-Identifier: BSD-3-Clause
// A message with places for two numbers of eight digits, the phone's and the message's own. They
// are written in place, so that millions of packets, no two alike, are quickly made. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace pinhole::io {

class Template {
  public:
    // "AAAAAAAA" is for the phone's number, "CCCCCCCC" for the message's.
    explicit Template(std::string with_marks) : text_(std::move(with_marks)) {
        for (const auto& [mark, places] :
             {std::pair{"AAAAAAAA", &phone_at_}, {"CCCCCCCC", &number_at_}}) {
            for (std::size_t at = text_.find(mark); at != std::string::npos;
                 at = text_.find(mark, at + kDigits)) {
                places->push_back(at);
            }
        }
    }

    [[nodiscard]] const std::string& text() const { return text_; }

    // `to` holds text().
    void patch(char* to, std::uint32_t phone, std::uint32_t number) const {
        for (const std::size_t at : phone_at_) {
            put_digits(to + at, phone);
        }
        for (const std::size_t at : number_at_) {
            put_digits(to + at, number);
        }
    }
    [[nodiscard]] std::string filled(std::uint32_t phone, std::uint32_t number) const {
        std::string out = text_;
        patch(out.data(), phone, number);
        return out;
    }

  private:
    static constexpr std::size_t kDigits = 8;

    static void put_digits(char* at, std::uint32_t n) {
        for (std::size_t i = kDigits; i > 0; n /= 10) {
            at[--i] = static_cast<char>('0' + n % 10);
        }
    }

    std::string text_;
    std::vector<std::size_t> phone_at_;
    std::vector<std::size_t> number_at_;
};

}  // namespace pinhole::io
