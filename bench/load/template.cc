// SPDX-License-Identifier: BSD-3-Clause
#include "bench/load/template.h"

#include <cstring>

namespace pinhole::load {
namespace {

void write_hundred(std::uint32_t value, char* out) {
    out[0] = static_cast<char>('0' + value / 10 % 10);
    out[1] = static_cast<char>('0' + value % 10);
}

}  // namespace

void write_digits(std::uint32_t value, char* out) {
    for (std::size_t i = kDigits; i-- > 0; value /= 10) {
        out[i] = static_cast<char>('0' + value % 10);
    }
}

bool read_digits(std::string_view text, std::uint32_t& value) {
    if (text.size() != kDigits || text.front() == '0') {
        return false;
    }
    value = 0;
    for (const char c : text) {
        if (c < '0' || c > '9') {
            return false;
        }
        value = value * 10 + static_cast<std::uint32_t>(c - '0');
    }
    return true;
}

Fields::Fields(std::uint32_t phone, std::uint32_t sequence, std::uint32_t number_behind) {
    write_digits(kFirstNumber + phone, phone_.data());
    write_digits(kFirstSequence + sequence, sequence_.data());
    std::memcpy(host_.data(), "10.100.100.100", kPrivateHost);
    write_hundred(number_behind / 10'000, host_.data() + 4);
    write_hundred(number_behind / 100, host_.data() + 8);
    write_hundred(number_behind, host_.data() + 12);
}

void Template::write(const Fields& fields, char* out) const {
    std::memcpy(out, text_.data(), text_.size());
    for (const Patch& patch : patches_) {
        switch (patch.place) {
            case Place::kPhone:
                std::memcpy(out + patch.at, fields.phone().data(), kDigits);
                break;
            case Place::kSequence:
                std::memcpy(out + patch.at, fields.sequence().data(), kDigits);
                break;
            case Place::kHost:
                std::memcpy(out + patch.at, fields.host().data(), kPrivateHost);
                break;
        }
    }
}

}  // namespace pinhole::load
