// SPDX-License-Identifier: BSD-3-Clause
// The properties of the configuration describe themselves: where a key's value lives, what it may
// be and what it is for. The loader checks by this table, the messages quote it, and
// conf/pinhole.toml is tested against it. Defaults are config.h's initialisers, read through the
// same pointers. Pure; constant.
#pragma once

#include "control/config/config.h"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace pinhole::config {

// An enumeration by its underlying byte; the names stand in Property::choices, in the order of the
// enumerators.
struct Choice {
    std::uint8_t* value;
};

// Where a value lives. The alternative is the key's type; a list may be written as a single element
// too.
using Field = std::variant<bool*, std::uint32_t*, std::uint64_t*, std::string*, Choice, DeviceSpec*,
                           Listen*, std::vector<std::uint16_t>*, std::vector<std::uint32_t>*,
                           std::vector<std::string>*, std::vector<net::Address>*,
                           std::vector<Domain>*, std::vector<Peer>*>;

struct Property {
    std::string_view section;  // "port" for [[port]]
    std::string_view name;
    Field (*field)(Config&, Port&);  // the Port is used for [[port]] alone
    std::string_view help;           // one line for the operator
    std::int64_t min = 0;            // of an integer or of a list's elements
    std::int64_t max = 0;
    std::string_view choices = {};  // "auto | on | off"
};

inline constexpr std::string_view kPortSection = "port";

[[nodiscard]] std::span<const Property> properties();
// nullptr if there is none.
[[nodiscard]] const Property* find_property(std::string_view section, std::string_view name);
// In the order of the table, each once.
[[nodiscard]] std::vector<std::string_view> section_names();
[[nodiscard]] std::vector<std::string_view> key_names(std::string_view section);

[[nodiscard]] std::vector<std::string_view> split_choices(std::string_view choices);
// "an integer from 1 to 64", "one of "auto", "on", "off"".
[[nodiscard]] std::string expected(const Property& property);
// As it would be written in the file; `port` for keys of [[port]] alone.
[[nodiscard]] std::string value_text(const Property& property, const Config& config,
                                     const Port& port);
// The same of what the key has by default; empty for keys without a default, which must be there.
[[nodiscard]] std::string default_text(const Property& property);

}  // namespace pinhole::config
