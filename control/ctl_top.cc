// SPDX-License-Identifier: BSD-3-Clause
#include "control/ctl_top.h"

#include "control/api/json.h"
#include "control/api/text.h"
#include "control/api/top.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <limits>
#include <string>
#include <thread>

namespace pinhole::ctl {
namespace {

constexpr std::size_t kUsualRows = 24;

bool take(const api::Client& client, api::Reading& reading) {
    const api::Answer status = client.status();
    const api::Answer cores = status.ok() ? client.cores() : status;
    if (!cores.ok()) {
        std::fprintf(stderr, "pinholectl: %s\n", api::printable(cores.problem).c_str());
        return false;
    }
    reading.status = status.body;
    reading.cores = cores.body;
    reading.at_s =
        std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
    return true;
}

std::size_t terminal_rows() {
    winsize size{};
    const bool known = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 0;
    return known ? size.ws_row : kUsualRows;
}

// From the top left over what is there, each line's rest and all below it cleared: no flicker.
std::string in_place(const std::string& page) {
    std::string out = "\033[H";
    for (const char c : page) {
        out += c == '\n' ? "\033[K\n" : std::string(1, c);
    }
    return out + "\033[J";
}

}  // namespace

int run_top(const api::Client& client, const TopOptions& options) {
    const bool on_terminal = isatty(STDOUT_FILENO) == 1 && !options.once && !options.json;
    api::Reading before;
    api::Reading after;
    if (!take(client, before)) {
        return 1;
    }
    for (bool first = true;; first = false) {
        // The first page soon, the others at leisure.
        const double wait_s = first && on_terminal ? 0.5 : options.interval_s;
        std::this_thread::sleep_for(std::chrono::duration<double>(wait_s));
        if (!take(client, after)) {
            return 1;
        }
        const nlohmann::json rates = api::top_rates(before, after);
        const std::size_t rows =
            on_terminal ? terminal_rows() : std::numeric_limits<std::size_t>::max();
        const std::string page = options.json ? api::dump(rates) : api::top_text(rates, rows);
        const std::string out = on_terminal ? (first ? "\033[2J" : "") + in_place(page) : page;
        if (std::fputs(out.c_str(), stdout) < 0 || std::fflush(stdout) != 0) {
            return 1;
        }
        if (options.once) {
            return 0;
        }
        before = after;
    }
}

}  // namespace pinhole::ctl
