// SPDX-License-Identifier: BSD-3-Clause
// Reads the text of a rules file (conf/screen.rules explains it):
//
//     FIELD[,FIELD...]  /PATTERN/[FLAGS]  ACTION  NAME
//
// All mistakes are found at once, one a line. What Hyperscan thinks of a pattern is for rule_set.h
// to say. Pure.
#pragma once

#include "dataplane/screen/rule.h"

#include <string_view>
#include <vector>

namespace pinhole::screen {

struct RuleFile {
    std::vector<Rule> rules;  // in the file's order; only to be used without complaints
    Complaints complaints;
};

[[nodiscard]] RuleFile read_rules(std::string_view text);

}  // namespace pinhole::screen
