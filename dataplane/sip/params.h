// SPDX-License-Identifier: BSD-3-Clause
// Lists of parameters (";name=value;name") and lists of values (comma separated), as RFC 3261
// §7.3.1 has them: quoted strings and <> are kept whole, white space and folds around separators
// are skipped. Pure; any thread; views only.
#pragma once

#include <cstdint>
#include <string_view>

namespace pinhole::sip {

struct Param {
    std::string_view name;
    std::string_view value;  // raw: a quoted string with its quotes
    bool has_value;          // there was a '='
    std::string_view text;   // the whole, from the name on, without ';' and outer white space
};

// Takes the first parameter off `rest`, which begins with ';' or is empty (white space aside).
// False at the end and where no parameter can be read; then rest is empty in the first case and not
// in the second.
[[nodiscard]] bool next_param(std::string_view& rest, Param& out);
// The first parameter of that name (any case); false if there is none, or if the text breaks before
// it.
[[nodiscard]] bool find_param(std::string_view params, std::string_view name, Param& out);
// Every parameter can be read, to the end.
[[nodiscard]] bool valid_params(std::string_view params);

// Takes the first element off a comma separated list; trimmed, may be empty ("a,,b"). False at the
// end. Never call it on headers whose grammar has commas of its own (Date, WWW-Authenticate,
// Authorization).
[[nodiscard]] bool next_element(std::string_view& rest, std::string_view& element);

}  // namespace pinhole::sip
