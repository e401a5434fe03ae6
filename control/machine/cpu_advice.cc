// SPDX-License-Identifier: BSD-3-Clause
#include "control/machine/cpu_advice.h"

#include <algorithm>
#include <charconv>
#include <fstream>

namespace pinhole::machine {
namespace {

constexpr std::size_t kMostCpus = 4'096;

bool contains(const std::vector<unsigned>& set, unsigned cpu) {
    return std::find(set.begin(), set.end(), cpu) != set.end();
}

std::string listed(const std::vector<unsigned>& cpus) {
    std::string text;
    for (const unsigned cpu : cpus) {
        text += (text.empty() ? "" : ",") + std::to_string(cpu);
    }
    return text;
}

std::string first_line(const std::string& path) {
    std::ifstream file(path);
    std::string line;
    std::getline(file, line);
    return line;
}

// A twin at rest takes nothing; one that is isolated and nobody's worker rests.
std::vector<unsigned> busy_twins(const std::vector<unsigned>& cores,
                                 const std::vector<unsigned>& isolated, const CpuFacts& facts) {
    std::vector<unsigned> twins;
    for (const unsigned core : cores) {
        for (const unsigned twin : read_cpu_list(facts.siblings(core))) {
            const bool rests = contains(isolated, twin) && !contains(cores, twin);
            if (twin != core && !rests && !contains(twins, twin)) {
                twins.push_back(twin);
            }
        }
    }
    return twins;
}

}  // namespace

std::vector<unsigned> read_cpu_list(std::string_view text) {
    std::vector<unsigned> cpus;
    const char* at = text.data();
    const char* const end = at + text.size();
    while (at != end) {
        unsigned first = 0;
        std::from_chars_result read = std::from_chars(at, end, first);
        unsigned last = first;
        if (read.ec == std::errc{} && read.ptr != end && *read.ptr == '-') {
            read = std::from_chars(read.ptr + 1, end, last);
        }
        if (read.ec != std::errc{}) {
            break;
        }
        for (unsigned cpu = first; cpu <= last && cpus.size() < kMostCpus; ++cpu) {
            cpus.push_back(cpu);
        }
        at = read.ptr != end && *read.ptr == ',' ? read.ptr + 1 : end;
    }
    return cpus;
}

std::optional<std::string> advise(const std::vector<unsigned>& cores, const CpuFacts& facts) {
    const std::vector<unsigned> isolated = read_cpu_list(facts.isolated);
    std::vector<unsigned> shared;
    std::copy_if(cores.begin(), cores.end(), std::back_inserter(shared),
                 [&](unsigned core) { return !contains(isolated, core); });
    const std::vector<unsigned> twins = busy_twins(cores, isolated, facts);
    std::string text;
    if (!shared.empty()) {
        text =
            "workers share CPU " + listed(shared) +
            " with whatever else the kernel runs there: " + "boot with isolcpus=" + listed(cores) +
            " nohz_full=" + listed(cores) + " rcu_nocbs=" + listed(cores);
    }
    if (!twins.empty()) {
        text += (text.empty() ? "" : "; and ") + std::string("CPU ") + listed(twins) +
                " is the hyper-twin of a worker's core and takes half of it away: choose "
                "[dataplane] cores of which no two are twins, and keep the twins idle (echo 0 > "
                "/sys/devices/system/cpu/cpu" +
                std::to_string(twins.front()) + "/online)";
    }
    return text.empty() ? std::nullopt : std::optional(text);
}

CpuFacts cpu_facts() {
    static const std::string kCpus = "/sys/devices/system/cpu/";
    return {first_line(kCpus + "isolated"), [](unsigned cpu) {
                return first_line(kCpus + "cpu" + std::to_string(cpu) +
                                  "/topology/thread_siblings_list");
            }};
}

}  // namespace pinhole::machine
