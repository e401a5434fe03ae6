// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/sip/params.h"

#include "dataplane/sip/text.h"

namespace pinhole::sip {
namespace {

// Length of the quoted string at the front, quotes counted; 0 if it doesn't end. What is escaped is
// skipped.
std::size_t quoted_length(std::string_view text) {
    for (std::size_t i = 1; i < text.size(); ++i) {
        if (text[i] == '\\') {
            ++i;
        } else if (text[i] == '"') {
            return i + 1;
        }
    }
    return 0;
}

std::size_t run_length(std::string_view text, std::uint16_t classes) {
    std::size_t i = 0;
    while (i < text.size() && is(text[i], classes)) {
        ++i;
    }
    return i;
}

// The value behind '='; false if it is a quoted string that doesn't end.
bool take_value(std::string_view& text, std::string_view& value) {
    const bool quoted = !text.empty() && text.front() == '"';
    const std::size_t len = quoted ? quoted_length(text) : run_length(text, kParamValue);
    value = text.substr(0, len);
    text.remove_prefix(len);
    return len != 0 || !quoted;
}

}  // namespace

bool next_param(std::string_view& rest, Param& out) {
    std::string_view text = trim_front(rest);
    if (text.empty()) {
        rest = text;
        return false;
    }
    if (text.front() != ';') {
        return false;
    }
    while (!text.empty() && text.front() == ';') {  // ";;" and a ';' at the end: real phones
        text = trim_front(text.substr(1));
    }
    if (text.empty()) {
        rest = text;
        return false;
    }
    const char* begin = text.data();
    const std::size_t name_length = run_length(text, kParamName);
    if (name_length == 0) {
        return false;
    }
    out.name = text.substr(0, name_length);
    const char* end = begin + name_length;
    text = trim_front(text.substr(name_length));
    out.value = {};
    out.has_value = !text.empty() && text.front() == '=';
    if (out.has_value) {
        text = trim_front(text.substr(1));
        if (!take_value(text, out.value)) {
            return false;
        }
        end = text.data();
        text = trim_front(text);
    }
    if (!text.empty() && text.front() != ';') {
        return false;
    }
    out.text = {begin, static_cast<std::size_t>(end - begin)};
    rest = text;
    return true;
}

bool find_param(std::string_view params, std::string_view name, Param& out) {
    while (next_param(params, out)) {
        if (equals_ci(out.name, name)) {
            return true;
        }
    }
    return false;
}

bool valid_params(std::string_view params) {
    Param ignored;
    while (next_param(params, ignored)) {
    }
    return params.empty();
}

bool next_element(std::string_view& rest, std::string_view& element) {
    const std::string_view text = trim_front(rest);
    if (text.empty()) {
        rest = text;
        return false;
    }
    const std::size_t comma = text.find(',');
    if (comma == std::string_view::npos) {  // nearly always
        element = trim_back(text);
        rest = {};
        return true;
    }
    element = text.substr(0, comma);
    if (element.find('"') == std::string_view::npos &&
        element.find('<') == std::string_view::npos) {
        element = trim_back(element);
        rest = text.substr(comma + 1);
        return true;
    }
    bool bracket = false;
    std::size_t i = 0;
    for (; i < text.size(); ++i) {
        const char c = text[i];
        if (c == '"' && !bracket) {
            const std::size_t len = quoted_length(text.substr(i));
            i = len == 0 ? text.size() - 1 : i + len - 1;  // one that never ends takes all
        } else if (c == '<') {
            bracket = true;
        } else if (c == '>') {
            bracket = false;
        } else if (c == ',' && !bracket) {
            break;
        }
    }
    element = trim_back(text.substr(0, i));
    rest = i < text.size() ? text.substr(i + 1) : std::string_view{};
    return true;
}

}  // namespace pinhole::sip
