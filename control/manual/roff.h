// SPDX-License-Identifier: BSD-3-Clause
// Text as roff, the language of manual pages (man(7)): escaped, so that no word of it is taken for
// a request, and the few requests that our pages use. Pure.
#pragma once

#include <string>
#include <string_view>

namespace pinhole::manual {

// The head of every page. `date` is an ISO date.
struct Title {
    std::string_view name;  // "pinhole.toml"
    char section = '8';
    std::string_view date;
    std::string_view summary;  // a line, for whatis(1)
};

class Page {
  public:
    explicit Page(const Title& title);

    Page& section(std::string_view heading);
    Page& subsection(std::string_view heading);
    // A paragraph of running text.
    Page& paragraph(std::string_view text);
    // A tagged paragraph: the tag in bold, an argument behind it in italics.
    Page& item(std::string_view tag, std::string_view argument, std::string_view text);
    // Lines that stay as they are.
    Page& verbatim(std::string_view lines);
    [[nodiscard]] const std::string& text() const { return text_; }

  private:
    Page& line(std::string_view request, std::string_view argument);

    // Begins a paragraph, unless a heading has.
    void begin();

    std::string text_;
    bool headed_ = false;  // the last line is a heading
};

// Whatever `text` is, it is printed and nothing else; line feeds become spaces.
[[nodiscard]] std::string escaped(std::string_view text);

}  // namespace pinhole::manual
