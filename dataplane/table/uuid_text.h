// SPDX-License-Identifier: BSD-3-Clause
// A UUID's text (RFC 4122 §3) as the 16 bytes that it stands for, and back again letter for letter:
// its letters are all lower case, or all upper. Pure; any thread.
#pragma once

#include <cstddef>
#include <cstdint>

namespace pinhole::table {

inline constexpr std::size_t kUuidChars = 36;  // f81d4fae-7dec-11d0-a765-00a0c91e6bf6
inline constexpr std::size_t kUuidBytes = 16;

enum class HexCase : std::uint8_t { kLower, kUpper };

// Reads kUuidChars characters, and writes what they stand for if they are a UUID's. is_uuid() of
// the result tells whether they are.
void read_uuid(const char* text, char* bytes);
// `to` holds kUuidChars.
void write_uuid(const char* bytes, HexCase letters, char* to);
// Is it what write_uuid() would write?
[[nodiscard]] bool is_uuid(const char* bytes, HexCase letters, const char* text);

// The digits alone, 32 of them: 16 at once, and one by one for reference.
void uuid_digits(const char* bytes, HexCase letters, char* to);
void uuid_digits_scalar(const char* bytes, HexCase letters, char* to);

}  // namespace pinhole::table
