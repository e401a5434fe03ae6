// SPDX-License-Identifier: BSD-3-Clause
#include "control/manual/roff.h"

namespace pinhole::manual {
namespace {

std::string quoted(std::string_view text) {
    return "\"" + escaped(text) + "\"";
}

}  // namespace

std::string escaped(std::string_view text) {
    std::string out;
    // A dot or an apostrophe begins a request only at the beginning of a line.
    if (!text.empty() && (text.front() == '.' || text.front() == '\'')) {
        out = "\\&";
    }
    for (const char c : text) {
        switch (c) {
            case '\\':
                out += "\\e";
                break;
            case '-':
                out += "\\-";
                break;
            case '"':
                out += "\\(dq";
                break;
            case '\'':
                out += "\\(aq";
                break;
            case '\n':
                out += ' ';
                break;
            default:
                out += c;
        }
    }
    return out;
}

Page::Page(const Title& title) {
    text_ = ".\\\" Generated; edit what it is made of, not this.\n.TH " + quoted(title.name) + " " +
            title.section + " " + std::string(title.date) + " \"pinhole " PINHOLE_VERSION "\"\n";
    section("NAME");
    text_ += escaped(title.name) + " \\- " + escaped(title.summary) + "\n";
}

Page& Page::line(std::string_view request, std::string_view argument) {
    text_.append(request).append(" ").append(quoted(argument)).append("\n");
    return *this;
}

Page& Page::section(std::string_view heading) {
    headed_ = true;
    return line(".SH", heading);
}

Page& Page::subsection(std::string_view heading) {
    headed_ = true;
    return line(".SS", heading);
}

void Page::begin() {
    text_ += headed_ ? "" : ".PP\n";
    headed_ = false;
}

Page& Page::paragraph(std::string_view text) {
    begin();
    text_ += escaped(text) + "\n";
    return *this;
}

Page& Page::item(std::string_view tag, std::string_view argument, std::string_view text) {
    headed_ = false;
    text_ += ".TP\n";
    if (argument.empty()) {
        line(".B", tag);
    } else {
        text_ += ".BI " + quoted(std::string(tag) + " ") + " " + quoted(argument) + "\n";
    }
    text_ += escaped(text) + "\n";
    return *this;
}

Page& Page::verbatim(std::string_view lines) {
    begin();
    text_ += ".in +4n\n.nf\n";
    while (!lines.empty()) {
        const auto end = lines.find('\n');
        text_ += escaped(lines.substr(0, end)) + "\n";
        lines.remove_prefix(end == std::string_view::npos ? lines.size() : end + 1);
    }
    text_ += ".fi\n.in\n";
    return *this;
}

}  // namespace pinhole::manual
