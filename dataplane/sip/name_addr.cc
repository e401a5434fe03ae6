// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/sip/name_addr.h"

#include "dataplane/sip/text.h"

namespace pinhole::sip {
namespace {

// Takes the display name off the front, up to the '<'. False if it can't be one; then `bracketed`
// may be unset.
bool take_display(std::string_view& text, NameAddr& out) {
    std::size_t at = 0;
    if (text.front() == '"') {
        for (at = 1; at < text.size() && text[at] != '"'; ++at) {
            at += text[at] == '\\' ? 1 : 0;
        }
        if (at >= text.size()) {
            return false;
        }
        out.display = text.substr(0, at + 1);
        text = trim_front(text.substr(at + 1));
        out.bracketed = !text.empty() && text.front() == '<';
        return out.bracketed;
    }
    while (at < text.size() && text[at] != '<' && text[at] != ';' && text[at] != '"') {
        ++at;
    }
    out.bracketed = at < text.size() && text[at] == '<';
    if (!out.bracketed) {
        return at == text.size() || text[at] == ';';
    }
    // Tokens by the grammar; real phones put any text there, and it is text alone to us.
    out.display = trim_back(text.substr(0, at));
    text.remove_prefix(at);
    for (const char c : out.display) {
        if (static_cast<unsigned char>(c) < ' ' && !is_lws(c)) {
            return false;
        }
    }
    return true;
}

// `likely` may be null.
bool take_uri(std::string_view text, const Uri* likely, Uri& out) {
    if (likely != nullptr && text == likely->text) {
        out = *likely;
        return true;
    }
    return parse_uri(text, out);
}

bool parse_bracketed(std::string_view text, const Uri* likely, NameAddr& out) {
    const std::size_t end = text.find('>');
    if (end == std::string_view::npos) {
        return false;
    }
    out.params = trim(text.substr(end + 1));
    // White space inside <> is wrong and harmless (RFC 4475 §3.1.2.11).
    return take_uri(trim(text.substr(1, end - 1)), likely, out.uri);
}

bool parse_bare(std::string_view text, const Uri* likely, NameAddr& out) {
    const std::size_t end = text.find(';');
    if (end != std::string_view::npos) {
        out.params = text.substr(end);
    }
    // '?' and ',' would be ambiguous: such a URI must stand in <> (RFC 3261 §20).
    const std::string_view uri = trim_back(text.substr(0, end));
    return uri.find_first_of("?,") == std::string_view::npos && take_uri(uri, likely, out.uri);
}

// All of them can be read; the first tag counts.
bool read_params(NameAddr& out) {
    bool has_tag = false;
    std::string_view rest = out.params;
    Param param;
    while (next_param(rest, param)) {
        if (!has_tag && equals_ci(param.name, "tag")) {
            has_tag = true;
            out.tag = param.value;
        }
    }
    return rest.empty();
}

bool parse(std::string_view element, bool star_allowed, const Uri* likely, NameAddr& out) {
    out = NameAddr{};
    std::string_view text = trim(element);
    out.text = text;
    if (text.empty()) {
        return false;
    }
    if (text == "*") {
        out.star = star_allowed;
        return star_allowed;
    }
    if (!take_display(text, out)) {
        return false;
    }
    return out.bracketed ? parse_bracketed(text, likely, out) : parse_bare(text, likely, out);
}

}  // namespace

bool NameAddr::param(std::string_view name, std::string_view& value) const {
    Param found;
    if (!find_param(params, name, found)) {
        return false;
    }
    value = found.value;
    return true;
}

bool parse_name_addr(std::string_view element, NameAddr& out, bool star_allowed) {
    return parse(element, star_allowed, nullptr, out) && read_params(out);
}

bool parse_name_addr_like(std::string_view element, const Uri& likely, NameAddr& out) {
    return parse(element, false, &likely, out) && read_params(out);
}

bool parse_address(std::string_view element, NameAddr& out, bool star_allowed) {
    return parse(element, star_allowed, nullptr, out);
}

void take_contact_param(const Param& param, ContactParams& into) {
    if (equals_ci(param.name, "expires")) {
        into.expires = parse_expires(param.value);
    } else if (equals_ci(param.name, "q")) {
        into.q = parse_q(param.value);
    } else if (equals_ci(param.name, "+sip.instance")) {
        into.instance = unquoted(param.value);
    } else if (equals_ci(param.name, "reg-id")) {
        Decimal number;
        const bool good = parse_decimal(param.value, 0x7fffffff, number) && !number.overflow;
        into.reg_id = good ? number.value : 0;
    } else if (equals_ci(param.name, "pub-gruu")) {
        into.pub_gruu = unquoted(param.value);
    }
}

ContactParams contact_params(const NameAddr& contact) {
    ContactParams out{};
    std::string_view rest = contact.params;
    Param param;
    while (next_param(rest, param)) {
        take_contact_param(param, out);
    }
    return out;
}

std::optional<std::uint16_t> parse_q(std::string_view text) {
    if (text.empty() || text.size() > 5 || (text[0] != '0' && text[0] != '1') ||
        (text.size() > 1 && text[1] != '.')) {
        return std::nullopt;
    }
    unsigned value = text[0] == '1' ? 1000 : 0;
    unsigned weight = 100;
    for (std::size_t i = 2; i < text.size(); ++i, weight /= 10) {
        if (!is(text[i], kDigit)) {
            return std::nullopt;
        }
        value += static_cast<unsigned>(text[i] - '0') * weight;
    }
    return value > 1000 ? std::nullopt : std::optional(static_cast<std::uint16_t>(value));
}

std::optional<std::uint32_t> parse_expires(std::string_view text) {
    Decimal number;
    if (!parse_decimal(text, 0xffffffff, number)) {
        return std::nullopt;
    }
    return number.value;
}

std::string_view unquoted(std::string_view text) {
    const bool quoted = text.size() >= 2 && text.front() == '"' && text.back() == '"';
    return quoted ? text.substr(1, text.size() - 2) : text;
}

}  // namespace pinhole::sip
