// SPDX-License-Identifier: BSD-3-Clause
#include "control/config/load.h"

namespace pinhole::config {
namespace {

constexpr std::size_t kColumns = 80;
constexpr std::string_view kIndent = "    ";

// Breaks at spaces; a word that is longer than a line stands out.
void append_wrapped(std::string& out, std::string_view text) {
    std::size_t column = 0;
    while (!text.empty()) {
        const auto space = text.find(' ');
        const std::string_view word = text.substr(0, space);
        if (column == 0 || column + 1 + word.size() > kColumns) {
            out += column == 0 ? "" : "\n";
            out += kIndent;
            column = kIndent.size();
        } else {
            out += ' ';
            ++column;
        }
        out += word;
        column += word.size();
        text.remove_prefix(space == std::string_view::npos ? text.size() : space + 1);
    }
    out += '\n';
}

}  // namespace

std::string describe(const std::vector<Issue>& issues, std::string_view file) {
    std::string out;
    for (const Issue& issue : issues) {
        out += file;
        if (issue.line != 0) {
            out += ":" + std::to_string(issue.line) + ":" + std::to_string(issue.column);
        }
        out += issue.severity == Severity::kError ? ": error" : ": warning";
        out += issue.key.empty() ? "" : ": " + issue.key;
        out += '\n';
        append_wrapped(out, issue.message);
    }
    return out;
}

}  // namespace pinhole::config
