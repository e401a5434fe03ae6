// SPDX-License-Identifier: BSD-3-Clause
// pinhole, the daemon: reads its configuration and runs, or says what is wrong with it.
#include "control/config/load.h"
#include "control/daemon/daemon.h"
#include "control/manual/programs.h"

#include <CLI/CLI.hpp>

#include <cstdio>
#include <string>

namespace {

int check(const pinhole::config::Config& config, const std::string& file) {
    const auto files = pinhole::daemon::check_files(config);
    for (const std::string& warning : files.warnings) {
        std::fprintf(stderr, "warning: %s\n", warning.c_str());
    }
    for (const std::string& problem : files.problems) {
        std::fprintf(stderr, "%s\n", problem.c_str());
    }
    if (!files.problems.empty()) {
        return 1;
    }
    const auto complaints = pinhole::daemon::check_machine(config);
    for (const std::string& complaint : complaints) {
        std::fprintf(stderr, "%s: warning: %s\n", file.c_str(), complaint.c_str());
    }
    std::printf("%s: the configuration is good%s\n", file.c_str(),
                complaints.empty() ? "" : ", but this machine is not ready for it");
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app{"pinhole: a kernel-bypass SIP edge registrar", "pinhole"};
    std::string file = "/etc/pinhole/pinhole.toml";
    bool check_only = false;
    app.add_option("-c,--config", file, "the configuration")->capture_default_str();
    app.add_flag("--check", check_only, "validate the configuration and end");
    app.set_version_flag("--version", "pinhole " PINHOLE_VERSION);
    pinhole::manual::add_manual_flag(app, pinhole::manual::pinhole_page);
    CLI11_PARSE(app, argc, argv);

    const pinhole::config::Loaded loaded = pinhole::config::load_file(file);
    std::fputs(pinhole::config::describe(loaded.issues, file).c_str(), stderr);
    if (!loaded.ok()) {
        return 1;
    }
    return check_only ? check(loaded.config, file) : pinhole::daemon::run(loaded.config, file);
}
