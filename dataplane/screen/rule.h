// SPDX-License-Identifier: BSD-3-Clause
// One of the operator's screening rules: what is looked at, for which pattern, and what comes of a
// hit. Plain values, as the file has them; rule_file.h reads them, rule_set.h compiles them. Pure.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace pinhole::screen {

enum class Field : std::uint8_t {
    kUserAgent,
    kFrom,
    kTo,
    kContact,
    kRequestUri,
    kCallId,
    kAny,  // the whole datagram, also one that is no SIP message
    kCount
};
inline constexpr std::size_t kFieldCount = static_cast<std::size_t>(Field::kCount);
inline constexpr std::array<std::string_view, kFieldCount> kFieldNames{
    "user-agent", "from", "to", "contact", "ruri", "call-id", "any"};

enum class Action : std::uint8_t {
    kDrop,       // comes to nothing
    kReject,     // is refused with the rule's code
    kTarpit,     // comes to nothing, as does all else of its source and Call-ID for a while
    kCountOnly,  // goes on, counted
};

// Bounds of what an operator may ask for: a set compiles in seconds and stays in the cache.
inline constexpr std::size_t kMaxRules = 256;
inline constexpr std::size_t kMaxPatternBytes = 512;
inline constexpr std::size_t kMaxNameBytes = 64;

struct Rule {
    std::uint8_t fields = 0;  // a bit a Field
    std::string pattern;
    bool caseless = false;   // flag i
    bool dot_all = false;    // flag s: a dot matches line ends too
    bool multiline = false;  // flag m: ^ and $ match at every line
    Action action = Action::kDrop;
    std::uint16_t code = 0;  // of kReject: 400 to 699
    std::string name;        // of [a-z0-9_-]: the metric's label
    std::uint32_t line = 0;  // in the file, from 1

    [[nodiscard]] bool looks_at(Field field) const {
        return (fields >> static_cast<unsigned>(field) & 1) != 0;
    }
};

// What is wrong with a line, or, as a warning, what is odd about it.
struct Complaint {
    std::uint32_t line = 0;  // 0: about the whole
    bool is_warning = false;
    std::string text;
};
using Complaints = std::vector<Complaint>;

}  // namespace pinhole::screen
