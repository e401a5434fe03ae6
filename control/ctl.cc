// SPDX-License-Identifier: BSD-3-Clause
// pinholectl: asks the daemon over its control socket and prints the answer. Exit status: 0 done, 1
// it couldn't be done or there is no such binding, 2 wrong usage.
#include "control/api/client.h"
#include "control/api/json.h"
#include "control/api/text.h"
#include "control/config/config.h"
#include "control/ctl_capture.h"
#include "control/ctl_top.h"
#include "control/manual/programs.h"

#include <CLI/CLI.hpp>

#include <cstdio>
#include <functional>
#include <sstream>
#include <string>

namespace {

using pinhole::api::Answer;
using pinhole::api::Client;
using Printer = std::string (*)(const nlohmann::json&);

struct Options {
    std::string socket = pinhole::config::Control{}.socket;
    bool json = false;
    std::string prefix;
    std::size_t limit = 100;
    std::size_t gateways = 20;
    std::string aor;
    std::string contact;
    int stop_after_s = -1;
    bool cancel = false;
    pinhole::ctl::TopOptions top;
    pinhole::ctl::CaptureOptions capture;
};

std::string removed_text(const nlohmann::json& answer) {
    const auto count = answer.value("removed", std::uint64_t{0});
    return std::to_string(count) + (count == 1 ? " contact" : " contacts") + " removed\n";
}

std::string reloaded_text(const nlohmann::json& answer) {
    std::string text;
    for (const auto& warning : answer.value("warnings", nlohmann::json::array())) {
        text += "warning: " + pinhole::api::printable(warning.get<std::string>()) + "\n";
    }
    for (const auto& done : answer.value("reloaded", nlohmann::json::array())) {
        text += pinhole::api::printable(done.get<std::string>()) + "\n";
    }
    return text.empty() ? "there is nothing to reload\n" : text;
}

std::string drained_text(const nlohmann::json& answer) {
    return answer.value("draining", false) ? "draining: no new bindings are taken\n"
                                           : "new bindings are taken\n";
}

int print(const Answer& answer, bool as_json, Printer printer) {
    if (!answer.ok()) {
        if (as_json && answer.body.is_object()) {
            std::fputs(pinhole::api::dump(answer.body).c_str(), stdout);
        }
        std::istringstream lines(answer.problem);
        for (std::string line; std::getline(lines, line);) {
            std::fprintf(stderr, "pinholectl: %s\n", pinhole::api::printable(line).c_str());
        }
        return 1;
    }
    const std::string out = as_json ? pinhole::api::dump(answer.body) : printer(answer.body);
    const bool written = std::fputs(out.c_str(), stdout) >= 0 && std::fflush(stdout) == 0;
    return written ? 0 : 1;
}

// Its own loop, not one question and its answer.
CLI::App* add_top(CLI::App& app, pinhole::ctl::TopOptions& options) {
    CLI::App* top = app.add_subcommand("top", "Each core's load and rates, refreshed in place");
    top->add_option("--interval", options.interval_s, "Seconds between two looks")
        ->check(CLI::Range(0.2, 3600.0))
        ->capture_default_str();
    top->add_flag("--once", options.once, "Print one page, and end");
    return top;
}

CLI::App* add_capture(CLI::App& app, pinhole::ctl::CaptureOptions& options) {
    CLI::App* capture = app.add_subcommand(
        "capture", "Writes the packets that pass the ports, as pcapng for Wireshark");
    capture->add_option("file", options.file, "Where to; - is the standard output")->required();
    capture->add_option("--filter", options.filter,
                        "`host ADDRESS`, `port NUMBER`, `text WORD` (an AOR, a Call-ID): all hold");
    capture->add_option("--seconds", options.seconds, "Ends after so long")
        ->check(CLI::Range(1, 86'400))
        ->capture_default_str();
    capture->add_option("--megabytes", options.megabytes, "Ends before the file is larger")
        ->check(CLI::Range(1, 100'000))
        ->capture_default_str();
    return capture;
}

void add_commands(CLI::App& app, Options& options, std::function<Answer(const Client&)>& ask,
                  Printer& printer) {
    using namespace pinhole::api;
    app.require_subcommand(1);
    app.add_subcommand("status", "The daemon as a whole: contacts, pings, memory, ports")
        ->callback([&] {
            ask = [](const Client& client) { return client.status(); };
            printer = status_text;
        });
    app.add_subcommand("cores", "Each worker's figures since start")->callback([&] {
        ask = [](const Client& client) { return client.cores(); };
        printer = cores_text;
    });
    CLI::App* show = app.add_subcommand("show", "The contacts of one AOR, in full");
    show->add_option("aor", options.aor, "user@domain, with sip: or without")->required();
    show->callback([&] {
        ask = [&options](const Client& client) { return client.show(options.aor); };
        printer = show_text;
    });
    CLI::App* why = app.add_subcommand("why", "Why a phone rings or doesn't: what happened to it");
    why->add_option("aor", options.aor, "user@domain, with sip: or without")->required();
    why->callback([&] {
        ask = [&options](const Client& client) { return client.why(options.aor); };
        printer = why_text;
    });
    CLI::App* nat = app.add_subcommand(
        "nat", "The gateways before most phones, and how long mappings last there");
    nat->add_option("--limit", options.gateways, "At most so many gateways")
        ->check(CLI::Range(1, 1000))
        ->capture_default_str();
    nat->callback([&] {
        ask = [&options](const Client& client) { return client.nat(options.gateways); };
        printer = nat_text;
    });
    CLI::App* list =
        app.add_subcommand("list", "AORs and where they are reached, in no particular order");
    list->add_option("--prefix", options.prefix, "Only AORs that begin so");
    list->add_option("--limit", options.limit, "At most so many AORs")
        ->check(CLI::Range(1, 100'000'000))
        ->capture_default_str();
    list->callback([&] {
        ask = [&options](const Client& client) {
            return client.list(options.prefix, options.limit);
        };
        printer = list_text;
    });
    app.add_subcommand("reload",
                       "Read the configuration and its files again; if anything is wrong, nothing "
                       "changes")
        ->callback([&] {
            ask = [](const Client& client) { return client.reload(); };
            printer = reloaded_text;
        });
    CLI::App* drain = app.add_subcommand(
        "drain", "Take no new bindings (503) and be unready; calls, pings and refreshes go on");
    drain->add_option("--stop-after", options.stop_after_s, "Seconds after which pinhole ends")
        ->check(CLI::Range(0, 86'400));
    drain->add_flag("--cancel", options.cancel, "Take new bindings again");
    drain->callback([&] {
        ask = [&options](const Client& client) {
            return options.cancel ? client.end_drain() : client.drain(options.stop_after_s);
        };
        printer = drained_text;
    });
    CLI::App* remove =
        app.add_subcommand("remove", "Remove an AOR's contacts; the phones may register again");
    remove->add_option("aor", options.aor, "user@domain, with sip: or without")->required();
    remove->add_option("contact", options.contact,
                       "Only this one: its URI or its id, as show prints them");
    remove->callback([&] {
        ask = [&options](const Client& client) {
            return client.remove(options.aor, options.contact);
        };
        printer = removed_text;
    });
}

}  // namespace

int main(int argc, char** argv) {
    Options options;
    std::function<Answer(const Client&)> ask;
    Printer printer = nullptr;
    CLI::App app{"Looks into a running pinhole, and removes bindings.", "pinholectl"};
    app.set_version_flag("--version", "pinholectl " PINHOLE_VERSION);
    app.add_option("--socket", options.socket, "The daemon's [control] socket")
        ->capture_default_str();
    app.add_flag("--json", options.json, "Print the answer as JSON");
    app.fallthrough();
    try {
        add_commands(app, options, ask, printer);
        const CLI::App* top = add_top(app, options.top);
        const CLI::App* capture = add_capture(app, options.capture);
        pinhole::manual::add_manual_flag(app, pinhole::manual::pinholectl_page);
        app.parse(argc, argv);
        if (top->parsed()) {
            options.top.json = options.json;
            return pinhole::ctl::run_top(Client(options.socket), options.top);
        }
        if (capture->parsed()) {
            return pinhole::ctl::run_capture(Client(options.socket), options.capture);
        }
        return print(ask(Client(options.socket)), options.json, printer);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? 0 : 2;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "pinholectl: %s\n", error.what());
        return 1;
    }
}
