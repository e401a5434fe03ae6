// SPDX-License-Identifier: BSD-3-Clause
#include "control/manual/command_page.h"

#include <array>
#include <cstdlib>
#include <ctime>

namespace pinhole::manual {
namespace {

std::string ended(std::string text) {
    return text.empty() || text.back() == '.' ? text : text + ".";
}

bool shown(const CLI::Option& option) {
    return !option.get_group().empty();
}

bool is_flag(const CLI::Option& option) {
    return option.get_expected_max() == 0;
}

std::string argument(const CLI::Option& option) {
    return is_flag(option) ? std::string{} : option.get_type_name();
}

void describe(Page& page, const CLI::Option& option) {
    if (!shown(option)) {
        return;
    }
    std::string text = ended(option.get_description());
    if (!is_flag(option) && !option.get_default_str().empty()) {
        text += " Default: " + option.get_default_str() + ".";
    }
    page.item(option.get_positional() ? option.get_name(true) : option.get_name(false, true),
              option.get_positional() ? "" : argument(option), text);
}

// "[options] aor [contact]"
std::string synopsis(const CLI::App& app) {
    bool options = false;
    std::string positionals;
    for (const CLI::Option* option : app.get_options()) {
        if (option->get_positional()) {
            const std::string name = option->get_name(true);
            positionals += option->get_required() ? " " + name : " [" + name + "]";
        } else {
            options = options || (shown(*option) && option->get_name() != "--help");
        }
    }
    return app.get_name() + (options ? " [options]" : "") + positionals;
}

}  // namespace

std::string command_page(const CLI::App& app, const Title& title, std::string_view description,
                         const std::vector<Words>& words) {
    const auto commands = app.get_subcommands([](const CLI::App*) { return true; });
    Page page(title);
    page.section("SYNOPSIS")
        .paragraph(std::string(title.name) + " [options]" + (commands.empty() ? "" : " command"));
    page.section("DESCRIPTION").paragraph(description);
    page.section("OPTIONS");
    for (const CLI::Option* option : app.get_options()) {
        describe(page, *option);
    }
    if (!commands.empty()) {
        page.section("COMMANDS");
    }
    for (const CLI::App* command : commands) {
        page.subsection(synopsis(*command)).paragraph(ended(command->get_description()));
        for (const CLI::Option* option : command->get_options()) {
            if (option->get_name() != "--help") {
                describe(page, *option);
            }
        }
    }
    for (const Words& other : words) {
        page.section(other.heading).paragraph(other.text);
    }
    return page.text();
}

std::string today() {
    const char* const given = std::getenv("SOURCE_DATE_EPOCH");
    const std::time_t now =
        given != nullptr ? std::strtoll(given, nullptr, 10) : std::time(nullptr);
    std::tm utc{};
    gmtime_r(&now, &utc);
    std::array<char, sizeof "9999-12-31"> text{};
    const std::size_t length = std::strftime(text.data(), text.size(), "%Y-%m-%d", &utc);
    return {text.data(), length};
}

}  // namespace pinhole::manual
