// SPDX-License-Identifier: BSD-3-Clause
#include "control/manual/config_page.h"

#include "control/config/schema.h"
#include "control/manual/roff.h"

namespace pinhole::manual {
namespace {

std::string upper_first(std::string text) {
    if (!text.empty() && text[0] >= 'a' && text[0] <= 'z') {
        text[0] = static_cast<char>(text[0] - 'a' + 'A');
    }
    return text;
}

// Keys like af_packet:IF and names of RFCs stay as they are; all else begins as a sentence does.
std::string sentence(std::string_view help) {
    const bool name = help.substr(0, help.find(' ')).find_first_of("_:") != std::string_view::npos;
    std::string text = name ? std::string(help) : upper_first(std::string(help));
    return text + ".";
}

std::string told(const config::Property& property) {
    std::string text = sentence(property.help) + " " + upper_first(config::expected(property));
    const std::string unless_told = config::default_text(property);
    return text + (unless_told.empty() ? "." : "; default: " + unless_told + ".");
}

std::string heading(std::string_view section) {
    return section == config::kPortSection ? "[[" + std::string(section) + "]]"
                                           : "[" + std::string(section) + "]";
}

constexpr std::string_view kExample =
    "[[port]]\n"
    "device = \"af_packet:eth0\"\n"
    "\n"
    "[registrar]\n"
    "domains = [\"example.com\"]\n"
    "\n"
    "[auth]\n"
    "mode = \"digest\"\n"
    "realm = \"example.com\"\n"
    "subscribers = \"/etc/pinhole/subscribers\"\n"
    "\n"
    "[core]\n"
    "peers = [\"203.0.113.10\"]\n";

}  // namespace

std::string config_page(std::string_view date) {
    Page page({"pinhole.toml", '5', date, "configuration of pinhole"});
    page.section("DESCRIPTION")
        .paragraph(
            "The configuration of pinhole(8) is a TOML file, /etc/pinhole/pinhole.toml unless "
            "another is named. A key that is left out has its default; a key that pinhole doesn't "
            "know is an error. `pinhole --check` tells all mistakes at once, each with its line. "
            "The file that comes with pinhole has every key with its default, and says more of "
            "each.");
    for (const std::string_view section : config::section_names()) {
        page.section(heading(section));
        if (section == config::kPortSection) {
            page.paragraph("A device that SIP comes by; the section is repeated for more.");
        }
        for (const std::string_view key : config::key_names(section)) {
            page.item(key, {}, told(*config::find_property(section, key)));
        }
    }
    page.section("EXAMPLE").verbatim(kExample);
    page.section("SEE ALSO").paragraph("pinhole(8), pinholectl(1)");
    return page.text();
}

}  // namespace pinhole::manual
