// SPDX-License-Identifier: BSD-3-Clause
#include "control/manual/programs.h"

#include "control/manual/command_page.h"

#include <cstdio>

namespace pinhole::manual {
namespace {

constexpr std::string_view kPinhole =
    "pinhole stands at the edge of a carrier's network. It holds the registrations of phones "
    "behind NAT gateways, keeps their pinholes open with pings, and forwards calls through them. "
    "It runs in the foreground until SIGTERM or SIGINT; systemd or another supervisor starts it "
    "again if it fails. Packets that are not SIP for one of its addresses stay the kernel's.";

constexpr std::string_view kPinholectl =
    "pinholectl asks a running pinhole(8) over its control socket, which those in the socket's "
    "group may open. What it prints is for people; with --json it is the daemon's own answer.";

constexpr std::string_view kPinholeLoad =
    "pinhole-load measures a SIP registrar. It speaks from a network interface of its own, past "
    "the "
    "kernel, plays phones behind gateways that forget their mappings, and the core that calls "
    "them, "
    "and counts every answer, every loss and every wrong answer.";

}  // namespace

std::string pinhole_page(const CLI::App& app) {
    return command_page(
        app, {"pinhole", '8', today(), "kernel-bypass SIP edge registrar"}, kPinhole,
        {{"SIGNALS",
          "SIGTERM and SIGINT end pinhole. SIGHUP has it read again what `pinholectl reload` "
          "does."},
         {"FILES",
          "/etc/pinhole/pinhole.toml is the configuration. /run/pinhole/control.sock is where "
          "pinholectl(1) finds the daemon. /var/lib/pinhole has what outlives a restart."},
         {"EXIT STATUS",
          "0 after SIGTERM or SIGINT, or if the configuration is good (--check); 1 if it could not "
          "start, or the configuration is bad: it says why."},
         {"SEE ALSO", "pinholectl(1), pinhole.toml(5), systemd.service(5)"}});
}

std::string pinholectl_page(const CLI::App& app) {
    return command_page(
        app, {"pinholectl", '1', today(), "look into a running pinhole, and change it"},
        kPinholectl,
        {{"EXIT STATUS",
          "0 done; 1 it could not be done, or there is no such binding; 2 wrong usage."},
         {"SEE ALSO", "pinhole(8), pinhole.toml(5)"}});
}

std::string pinhole_load_page(const CLI::App& app) {
    return command_page(
        app, {"pinhole-load", '1', today(), "play a population of phones behind NAT"}, kPinholeLoad,
        {{"EXIT STATUS",
          "0 all went well; 1 something was answered wrongly or nothing at all, or "
          "it could not begin; 2 wrong usage."},
         {"SEE ALSO", "pinhole(8)"}});
}

void add_manual_flag(CLI::App& app, std::string (*page)(const CLI::App&)) {
    app.add_flag_callback(
           "--manual",
           [&app, page] {
               std::fputs(page(app).c_str(), stdout);
               throw CLI::Success();
           },
           "Print the manual page")
        ->trigger_on_parse()
        ->group("");
}

}  // namespace pinhole::manual
