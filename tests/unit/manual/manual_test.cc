// SPDX-License-Identifier: BSD-3-Clause
// The manual pages: every key of the schema and every option of a command line is there, and no
// text is taken for a request of roff.
#include "control/config/schema.h"
#include "control/manual/command_page.h"
#include "control/manual/config_page.h"
#include "control/manual/programs.h"
#include "control/manual/roff.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pinhole::manual {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(Roff, PrintsWhatARequestWouldBe) {
    EXPECT_EQ(escaped(".SH \"x\""), "\\&.SH \\(dqx\\(dq");
    EXPECT_EQ(escaped("'br"), "\\&\\(aqbr");
    EXPECT_EQ(escaped("a\\n-b\n.c"), "a\\en\\-b .c");
}

// The section's part of the page, from its heading to the next.
std::string section_of(const std::string& page, std::string_view heading) {
    const auto begin = page.find(".SH \"" + std::string(heading) + "\"\n");
    return begin == std::string::npos ? std::string{}
                                      : page.substr(begin, page.find("\n.SH", begin) - begin);
}

TEST(ConfigPage, HasEveryKeyOfTheSchemaInItsSection) {
    const std::string page = config_page("2026-01-31");
    for (const config::Property& property : config::properties()) {
        const std::string name(property.section);
        const std::string heading =
            property.section == config::kPortSection ? "[[" + name + "]]" : "[" + name + "]";
        const std::string section = section_of(page, heading);
        EXPECT_THAT(section, HasSubstr(".B \"" + escaped(property.name) + "\"\n")) << heading;
        EXPECT_THAT(section, HasSubstr(escaped(config::default_text(property)))) << property.name;
        for (const std::string_view choice : config::split_choices(property.choices)) {
            EXPECT_THAT(section, HasSubstr(escaped("\"" + std::string(choice) + "\"")));
        }
    }
}

TEST(CommandPage, HasWhatTheCommandLineHas) {
    CLI::App app{"Does things.", "thing"};
    std::string file = "/etc/thing";
    std::string aor;
    bool set = false;
    app.add_option("-f,--file", file, "What to read")->capture_default_str();
    app.add_flag("--secret", set, "Not for everybody")->group("");
    CLI::App* show = app.add_subcommand("show", "The one");
    show->add_option("aor", aor, "Whose")->required();
    show->add_flag("--all", set, "Even the old ones");
    const std::string page = command_page(app, {"thing", '8', "2026-01-31", "does things"},
                                          "It does.", {{"FILES", "/etc/thing"}});
    EXPECT_THAT(page, HasSubstr(".TH \"thing\" 8 2026-01-31 "));
    EXPECT_THAT(page, HasSubstr("\\-f,\\-\\-file"));
    EXPECT_THAT(page, HasSubstr("What to read. Default: /etc/thing."));
    EXPECT_THAT(page, HasSubstr(".SS \"show [options] aor\"\n"));
    EXPECT_THAT(page, HasSubstr(".B \"\\-\\-all\"\nEven the old ones.\n"));
    EXPECT_THAT(page, Not(HasSubstr("secret")));
    EXPECT_THAT(section_of(page, "FILES"), HasSubstr("/etc/thing"));
}

TEST(CommandPage, ManualFlagEndsTheProgramAsHelpDoes) {
    CLI::App app{"Does things.", "thing"};
    add_manual_flag(app, [](const CLI::App&) { return std::string("page\n"); });
    app.require_subcommand(1);
    app.add_subcommand("show", "The one");
    ::testing::internal::CaptureStdout();
    EXPECT_THROW(app.parse("--manual"), CLI::Success);
    EXPECT_EQ(::testing::internal::GetCapturedStdout(), "page\n");
}

}  // namespace
}  // namespace pinhole::manual
