// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/screen/rule_file.h"

#include <algorithm>
#include <charconv>

namespace pinhole::screen {
namespace {

constexpr std::string_view kBlanks = " \t";
constexpr std::string_view kForm = "a rule is FIELD /PATTERN/FLAGS ACTION NAME";

std::string quoted(std::string_view text) {
    return "\"" + std::string(text) + "\"";
}

// Whatever stands there, fit for a terminal.
bool is_printable(std::string_view line) {
    return std::all_of(line.begin(), line.end(), [](char c) {
        return (static_cast<unsigned char>(c) >= ' ' && c != 0x7f) || c == '\t';
    });
}

class Words {
  public:
    explicit Words(std::string_view line) : rest_(line) { skip_blanks(); }

    // Empty at the end, and from a # that begins a word on.
    std::string_view next() {
        const std::string_view word = rest_.substr(0, rest_.find_first_of(kBlanks));
        if (!word.empty() && word.front() == '#') {
            rest_ = {};
            return {};
        }
        take(word.size());
        return word;
    }
    [[nodiscard]] std::string_view rest() const { return rest_; }
    void take(std::size_t bytes) {
        rest_.remove_prefix(bytes);
        skip_blanks();
    }

  private:
    void skip_blanks() {
        rest_.remove_prefix(std::min(rest_.find_first_not_of(kBlanks), rest_.size()));
    }

    std::string_view rest_;
};

// Each step returns what is wrong, or nothing.
using Problem = std::string;

Problem read_fields(std::string_view word, Rule& rule) {
    for (;;) {
        const std::size_t comma = word.find(',');
        const std::string_view name = word.substr(0, comma);
        const auto known = std::find(kFieldNames.begin(), kFieldNames.end(), name);
        if (known == kFieldNames.end()) {
            std::string text = quoted(name) + " is no field. There are:";
            for (const std::string_view field : kFieldNames) {
                text += " " + std::string(field);
            }
            return text;
        }
        rule.fields = static_cast<std::uint8_t>(rule.fields | 1U << (known - kFieldNames.begin()));
        if (comma == std::string_view::npos) {
            return {};
        }
        word.remove_prefix(comma + 1);
    }
}

Problem read_flags(std::string_view flags, Rule& rule) {
    for (const char flag : flags) {
        switch (flag) {
            case 'i':
                rule.caseless = true;
                break;
            case 's':
                rule.dot_all = true;
                break;
            case 'm':
                rule.multiline = true;
                break;
            default:
                return quoted({&flag, 1}) + " is no flag. There are: i s m";
        }
    }
    return {};
}

// "/friendly-scanner/i": up to the next slash that no backslash escapes.
Problem read_pattern(Words& words, Rule& rule) {
    const std::string_view rest = words.rest();
    if (rest.empty() || rest.front() != '/') {
        return "the field is not followed by a /PATTERN/: " + std::string(kForm);
    }
    std::size_t end = 1;
    while (end < rest.size() && rest[end] != '/') {
        end += rest[end] == '\\' ? 2 : 1;
    }
    if (end >= rest.size()) {
        return "the pattern has no closing slash; one within it is written \\/";
    }
    const std::string_view pattern = rest.substr(1, end - 1);
    const std::string_view behind = rest.substr(end + 1);
    const std::string_view flags = behind.substr(0, behind.find_first_of(kBlanks));
    if (pattern.empty()) {
        return "the pattern is empty";
    }
    if (pattern.size() > kMaxPatternBytes) {
        return "the pattern has " + std::to_string(pattern.size()) + " bytes, but at most " +
               std::to_string(kMaxPatternBytes) + " are taken";
    }
    rule.pattern = pattern;
    words.take(end + 1 + flags.size());
    return read_flags(flags, rule);
}

Problem read_code(std::string_view word, Rule& rule) {
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), rule.code);
    if (error != std::errc{} || end != word.data() + word.size() || rule.code < 400 ||
        rule.code > 699) {
        return "reject is followed by a status code from 400 to 699, not by " + quoted(word);
    }
    if (rule.code == 401 || rule.code == 407) {
        return "reject " + std::string(word) + " would have to bring a challenge: take 403";
    }
    return {};
}

Problem read_action(Words& words, Rule& rule) {
    const std::string_view word = words.next();
    if (word == "reject") {
        rule.action = Action::kReject;
        return read_code(words.next(), rule);
    }
    if (word == "drop") {
        rule.action = Action::kDrop;
    } else if (word == "tarpit") {
        rule.action = Action::kTarpit;
    } else if (word == "count") {
        rule.action = Action::kCountOnly;
    } else {
        return quoted(word) + " is no action. There are: drop, reject CODE, tarpit, count";
    }
    return {};
}

Problem read_name(std::string_view word, Rule& rule) {
    const bool good = std::all_of(word.begin(), word.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
    });
    if (word.empty()) {
        return "the name is missing: " + std::string(kForm);
    }
    if (!good || word.size() > kMaxNameBytes) {
        return quoted(word) + " is no name: at most " + std::to_string(kMaxNameBytes) +
               " of a-z, 0-9, _ and -";
    }
    rule.name = word;
    return {};
}

Problem read_rule(std::string_view line, Rule& rule) {
    if (!is_printable(line)) {
        return "the line has a control character; in a pattern it is written \\x00";
    }
    Words words(line);
    for (const auto step : {+[](Words& w, Rule& r) { return read_fields(w.next(), r); },
                            +[](Words& w, Rule& r) { return read_pattern(w, r); },
                            +[](Words& w, Rule& r) { return read_action(w, r); },
                            +[](Words& w, Rule& r) { return read_name(w.next(), r); }}) {
        if (Problem problem = step(words, rule); !problem.empty()) {
            return problem;
        }
    }
    const std::string_view more = words.next();
    return more.empty() ? Problem{} : quoted(more) + " stands behind the name: " + Problem(kForm);
}

bool is_blank(std::string_view line) {
    const std::size_t first = line.find_first_not_of(kBlanks);
    return first == std::string_view::npos || line[first] == '#';
}

void add(RuleFile& file, Rule rule) {
    const auto same = std::find_if(file.rules.begin(), file.rules.end(),
                                   [&](const Rule& known) { return known.name == rule.name; });
    if (same != file.rules.end()) {
        file.complaints.push_back({rule.line, false,
                                   quoted(rule.name) + " is the name of the rule in line " +
                                       std::to_string(same->line) + " already"});
    } else if (file.rules.size() == kMaxRules) {
        file.complaints.push_back({rule.line, false,
                                   "one rule too many: at most " + std::to_string(kMaxRules) +
                                       " are taken; put patterns together as /one|other/"});
    } else {
        file.rules.push_back(std::move(rule));
    }
}

}  // namespace

RuleFile read_rules(std::string_view text) {
    RuleFile file;
    for (std::uint32_t number = 1; !text.empty(); ++number) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        std::string_view line = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        if (!line.empty() && line.back() == '\r') {
            line.remove_suffix(1);
        }
        if (is_blank(line)) {
            continue;
        }
        Rule rule;
        rule.line = number;
        if (Problem problem = read_rule(line, rule); !problem.empty()) {
            file.complaints.push_back({number, false, std::move(problem)});
        } else {
            add(file, std::move(rule));
        }
    }
    return file;
}

}  // namespace pinhole::screen
