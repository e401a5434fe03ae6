// SPDX-License-Identifier: BSD-3-Clause
// Text into a buffer of the caller's, which it never outgrows: what doesn't fit is not written and
// sets a flag that stays, so that a writer is checked once, at its end. Pure; one thread a Writer.
#pragma once

#include "dataplane/net/address.h"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace pinhole::sip {

class Writer {
  public:
    Writer(char* buffer, std::size_t capacity)
        : begin_(buffer), at_(buffer), end_(buffer + capacity) {}

    Writer& text(std::string_view s) {
        if (s.size() > room()) [[unlikely]] {
            overflow_ = true;
            at_ = end_;  // nothing more goes in: half a message is none
            return *this;
        }
        if (!s.empty()) {  // an empty view may point nowhere
            std::memcpy(at_, s.data(), s.size());
            at_ += s.size();
        }
        return *this;
    }
    Writer& character(char c) { return text({&c, 1}); }
    Writer& number(std::uint64_t value);
    // As a SIP host: IPv6 in brackets.
    Writer& host(const net::Address& address);
    // As Via's `received` has it: IPv6 without brackets (RFC 3261 §25.1, via-received).
    Writer& address(const net::Address& address);
    // A header's value from a message: each fold becomes one space, so that no line end comes
    // along. Of a plain message (Message::plain()) it is known that there is none.
    Writer& unfolded(std::string_view value, bool plain = false) {
        return plain ? text(value) : without_folds(value);
    }
    // Text of unknown origin (config, reason): what is a control character becomes a space.
    Writer& clean(std::string_view text);
    // Thousandths as a qvalue (RFC 3261 §25.1): "0.5" of 500, "1" of 1000 and more.
    Writer& qvalue(std::uint16_t thousandths);
    // Lower-case hex of bytes.
    Writer& hex(const void* bytes, std::size_t len);
    // "Name: value\r\n" of text that is ours and clean.
    Writer& header(std::string_view name, std::string_view value) {
        return text(name).text(": ").text(value).text("\r\n");
    }
    Writer& header(std::string_view name, std::uint64_t value) {
        return text(name).text(": ").number(value).text("\r\n");
    }

    void clear() {
        at_ = begin_;
        overflow_ = false;
    }

    [[nodiscard]] bool overflow() const { return overflow_; }
    [[nodiscard]] std::size_t size() const { return static_cast<std::size_t>(at_ - begin_); }
    [[nodiscard]] std::size_t room() const { return static_cast<std::size_t>(end_ - at_); }
    [[nodiscard]] std::string_view view() const { return {begin_, size()}; }

  private:
    Writer& without_folds(std::string_view value);
    // What `format` writes to where it is told, at most kMost bytes; it returns how many.
    template <std::size_t kMost, typename Format>
    Writer& formatted(Format format);

    char* begin_;
    char* at_;
    char* end_;
    bool overflow_ = false;
};

}  // namespace pinhole::sip
