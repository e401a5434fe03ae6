// SPDX-License-Identifier: BSD-3-Clause
#include "control/ctl_capture.h"

#include "control/escape/escape.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <string_view>
#include <system_error>
#include <thread>

namespace pinhole::ctl {
namespace {

using std::chrono::steady_clock;

// The daemon holds 2,047 packets: at 40,000 a second none is missed.
constexpr std::chrono::milliseconds kEvery{50};

volatile std::sig_atomic_t asked_to_end = 0;

void complain(const std::string& sentence) {
    std::fprintf(stderr, "pinholectl: %s\n", escape::printable(sentence).c_str());
}

// Readable by its owner alone: packets hold what calls and passwords are made of.
int open_file(const std::string& path) {
    return path == "-" ? STDOUT_FILENO
                       : ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
}

bool write_all(int file, std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t written = ::write(file, bytes.data(), bytes.size());
        if (written < 0 && errno != EINTR) {
            return false;
        }
        bytes.remove_prefix(written > 0 ? static_cast<std::size_t>(written) : 0);
    }
    return true;
}

struct Outcome {
    std::uint64_t bytes = 0;
    std::uint64_t missed = 0;
    std::string problem;
};

Outcome copy(const api::Client& client, std::uint64_t id, int file, const CaptureOptions& options) {
    const auto end = steady_clock::now() + std::chrono::seconds(options.seconds);
    const std::uint64_t most = options.megabytes * 1'000'000;
    Outcome outcome;
    for (bool over = false; !over;) {
        std::this_thread::sleep_for(kEvery);
        over = asked_to_end != 0 || steady_clock::now() >= end;
        const api::Client::Chunk chunk = client.capture_take(id);
        outcome.missed = chunk.missed;
        if (!chunk.problem.empty()) {
            outcome.problem = chunk.problem;
            return outcome;
        }
        // Whole blocks, so the file ends well before the one that is too much.
        if (outcome.bytes + chunk.bytes.size() > most) {
            return outcome;
        }
        if (!write_all(file, chunk.bytes)) {
            outcome.problem =
                "can't write " + options.file + ": " + std::generic_category().message(errno);
            return outcome;
        }
        outcome.bytes += chunk.bytes.size();
    }
    return outcome;
}

}  // namespace

int run_capture(const api::Client& client, const CaptureOptions& options) {
    const int file = open_file(options.file);
    if (file < 0) {
        complain("can't open " + options.file + ": " + std::generic_category().message(errno));
        return 1;
    }
    for (const int signal : {SIGINT, SIGTERM}) {
        std::signal(signal, [](int) { asked_to_end = 1; });
    }
    std::signal(SIGPIPE, SIG_IGN);
    const api::Answer started = client.capture_start(options.filter);
    if (!started.ok()) {
        complain(started.problem);
        return 1;
    }
    const std::uint64_t id = started.body.value("id", std::uint64_t{0});
    const Outcome outcome = copy(client, id, file, options);
    (void)client.capture_stop(id);
    std::fprintf(stderr, "pinholectl: %llu bytes, %llu packets missed\n",
                 static_cast<unsigned long long>(outcome.bytes),
                 static_cast<unsigned long long>(outcome.missed));
    if (!outcome.problem.empty()) {
        complain(outcome.problem);
    }
    return outcome.problem.empty() ? 0 : 1;
}

}  // namespace pinhole::ctl
