// SPDX-License-Identifier: BSD-3-Clause
// pinhole-load: plays a population of phones against a SIP registrar. Exit status: 0 if all went
// well; 1 if an answer was wrong or missing, or the play could not begin; 2 for wrong usage.
#include "bench/load/io/echo.h"
#include "bench/load/io/game.h"
#include "bench/load/options.h"
#include "bench/load/report.h"
#include "control/config/values.h"
#include "dataplane/io/eal.h"

#include <nlohmann/json.hpp>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <thread>

namespace {

using namespace pinhole;

volatile std::sig_atomic_t interrupted = 0;

int fail(const std::string& why) {
    std::fprintf(stderr, "pinhole-load: %s\n", why.c_str());
    return 1;
}

// Another one each time, so that no answer to an earlier run is taken for one to this.
std::string run_name() {
    char text[9];
    std::snprintf(text, sizeof text, "%04x%04x",
                  static_cast<unsigned>(std::time(nullptr)) & 0xffffU,
                  static_cast<unsigned>(getpid()) & 0xffffU);
    return text;
}

std::optional<io::DeviceSettings> device_of(const load::Options& options) {
    const auto device = config::read_device(options.port);
    if (!device.value) {
        fail("--port " + options.port + " " + device.reason);
        return std::nullopt;
    }
    io::DeviceSettings settings;
    // Both name the same kinds in the same order.
    settings.kind = static_cast<io::DeviceKind>(device.value->kind);
    settings.argument = device.value->argument;
    settings.memif_server = options.memif_server;
    settings.memif_id = options.memif_id;
    return settings;
}

bool write_json(const std::string& path, const nlohmann::json& json) {
    const std::string text = json.dump(2) + "\n";
    if (path == "-") {
        return std::fputs(text.c_str(), stdout) >= 0 && std::fflush(stdout) == 0;
    }
    std::ofstream file(path);
    file << text;
    return static_cast<bool>(file.flush());
}

// Prints while the game goes on.
void watch(load::Game& game, bool quiet) {
    using std::chrono::milliseconds;
    load::LiveLines lines;
    bool headed = false;
    auto next = std::chrono::steady_clock::now() + std::chrono::seconds(1);
    while (!game.over()) {
        std::this_thread::sleep_for(milliseconds(20));
        if (interrupted != 0) {
            game.stop();
        }
        if (quiet || std::chrono::steady_clock::now() < next) {
            continue;
        }
        next += std::chrono::seconds(1);
        if (const std::string line = lines.next(game.player(), game.now_ns()); !line.empty()) {
            if (!headed) {
                std::fprintf(stderr, "%s\n", load::LiveLines::heading().c_str());
                headed = true;
            }
            std::fprintf(stderr, "%s\n", line.c_str());
        }
    }
}

int report(const load::Game& game, const load::Cable& cable, const load::Options& options) {
    std::fputs(load::summary(game.player()).c_str(), stderr);
    const load::DeviceFigures device{cable.stats().rx_missed, cable.tx_dropped()};
    if (!options.json.empty() &&
        !write_json(options.json, load::to_json(game.player(), options.plan, device))) {
        return fail("cannot write " + options.json);
    }
    return load::went_well(game.player()) ? 0 : 1;
}

// Until somebody ends it.
int reflect(const io::Eal& eal, load::Cable& cable) {
    load::Echo echo(cable);
    if (const io::Status started = eal.launch(0, load::Echo::run, &echo); !started) {
        return fail(started.error().message);
    }
    while (interrupted == 0) {
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    echo.stop();
    eal.wait_for_workers();
    return 0;
}

int play(const load::Options& options, const io::DeviceSettings& device) {
    const io::Settings settings = load::Cable::device_settings(device, options.cores);
    auto eal = io::Eal::start(settings);
    if (!eal) {
        return fail(eal.error().message);
    }
    auto cable = load::Cable::open(settings);
    if (!cable) {
        return fail(cable.error().message);
    }
    if (options.plan.play == load::Play::kReflect) {
        return reflect(**eal, **cable);
    }
    load::Game game(**cable, options.plan,
                    {options.own, options.next_hop, options.next_hop_mac, options.patience_ns});
    if (const io::Status started = (*eal)->launch(0, load::Game::run, &game); !started) {
        return fail(started.error().message);
    }
    watch(game, options.quiet);
    (*eal)->wait_for_workers();
    if (!game.problem().empty()) {
        return fail(game.problem());
    }
    return report(game, **cable, options);
}

}  // namespace

int main(int argc, char** argv) {
    load::Options options;
    if (const auto status = load::read_options(argc, argv, options)) {
        return *status;
    }
    if (!options.subscribers.empty()) {
        return load::write_subscribers(options) ? 0 : fail("cannot write " + options.subscribers);
    }
    const auto device = device_of(options);
    if (!device) {
        return 2;
    }
    options.plan.run = run_name();
    for (const int signal : {SIGINT, SIGTERM}) {
        std::signal(signal, [](int) { interrupted = 1; });
    }
    return play(options, *device);
}
