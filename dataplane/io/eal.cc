// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/io/eal.h"

#include "dataplane/edge/capacity.h"
#include "dataplane/io/device_check.h"
#include "dataplane/io/device_pools.h"
#include "dataplane/io/driver_log.h"
#include "dataplane/io/dumpcap.h"
#include "dataplane/io/errors.h"
#include "dataplane/io/memory.h"

#include <unistd.h>

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_launch.h>
#include <rte_lcore.h>
#include <rte_memory.h>

#include <algorithm>
#include <string>

namespace pinhole::io {
namespace {

// "(0-2,5)": EAL's way to write a set of CPUs.
std::string cpu_list(const cpu_set_t& set) {
    std::string list = "(";
    for (unsigned cpu = 0; cpu < RTE_MAX_LCORE; ++cpu) {
        if (!CPU_ISSET(cpu, &set)) {
            continue;
        }
        const unsigned first = cpu;
        while (cpu + 1 < RTE_MAX_LCORE && CPU_ISSET(cpu + 1, &set)) {
            ++cpu;
        }
        list.append(list.size() > 1 ? "," : "").append(std::to_string(first));
        if (cpu > first) {
            list.append("-").append(std::to_string(cpu));
        }
    }
    return list.append(")");
}

// The allowed CPUs less those of pinned workers, if that leaves any.
cpu_set_t cpus_for_others(const Settings& settings, const cpu_set_t& allowed) {
    cpu_set_t others = allowed;
    for (const unsigned core : settings.cores) {
        CPU_CLR(core, &others);
    }
    return CPU_COUNT(&others) > 0 ? others : allowed;
}

Status check_cores(const Settings& settings, const cpu_set_t& allowed) {
    if (settings.workers == 0 || settings.workers > edge::kMaxWorkers) {
        return Error{ErrorCode::kInvalid,
                     "[dataplane] workers must be 1 to " + std::to_string(edge::kMaxWorkers)};
    }
    if (!settings.cores.empty() && settings.cores.size() != settings.workers) {
        return Error{ErrorCode::kInvalid, "[dataplane] cores names " +
                                              std::to_string(settings.cores.size()) +
                                              " cores for " + std::to_string(settings.workers) +
                                              " workers: name one each, or leave it out"};
    }
    for (std::size_t i = 0; i < settings.cores.size(); ++i) {
        const unsigned core = settings.cores[i];
        const auto before = settings.cores.begin() + static_cast<std::ptrdiff_t>(i);
        if (std::find(settings.cores.begin(), before, core) != before) {
            return Error{ErrorCode::kInvalid, "[dataplane] cores names core " +
                                                  std::to_string(core) +
                                                  " twice: a worker wants one of its own"};
        }
        if (core >= RTE_MAX_LCORE || !CPU_ISSET(core, &allowed)) {
            return Error{ErrorCode::kInvalid,
                         "[dataplane] cores names core " + std::to_string(core) +
                             ", but this process may run on " + cpu_list(allowed) + " only"};
        }
    }
    return {};
}

std::string lcore_map(const Settings& settings, const cpu_set_t& allowed) {
    std::string map = "0@" + cpu_list(cpus_for_others(settings, allowed));
    for (unsigned worker = 0; worker < settings.workers; ++worker) {
        map.append(",").append(std::to_string(worker + 1)).append("@");
        map += settings.cores.empty() ? cpu_list(allowed) : std::to_string(settings.cores[worker]);
    }
    return map;
}

// Whether hugepages are taken; an error if they were demanded and are not there.
Result<bool> choose_hugepages(const Settings& settings) {
    const std::size_t needed = eal_bytes(settings);
    const std::size_t there = free_hugepage_bytes();
    constexpr std::size_t kPage = std::size_t{2} << 20;
    if (settings.dumpcap && (settings.hugepages == HugepageMode::kOff || there < needed)) {
        return Error{ErrorCode::kNoMemory,
                     "[dataplane] dumpcap: DPDK shares hugepages alone, and " +
                         std::to_string((needed + kPage - 1) / kPage) + " of 2 MB are wanted, " +
                         std::to_string(there / kPage) +
                         " are free: raise vm.nr_hugepages (sysctl) and leave hugepages = "
                         "\"auto\"; or use pinholectl capture, which needs none"};
    }
    if (settings.hugepages != HugepageMode::kOff && there >= needed) {
        return true;
    }
    if (settings.hugepages == HugepageMode::kOn) {
        return Error{ErrorCode::kNoMemory,
                     "hugepages = \"on\", but the packet buffers need " +
                         std::to_string((needed + kPage - 1) / kPage) + " hugepages of 2 MB and " +
                         std::to_string(there / kPage) +
                         " are free: raise vm.nr_hugepages (sysctl), or set hugepages = \"auto\""};
    }
    if (Status enough = check_available(needed, "the packet buffers"); !enough) {
        return enough.error();
    }
    return false;
}

Status init(std::vector<std::string> arguments) {
    std::vector<char*> argv;
    for (std::string& argument : arguments) {
        argv.push_back(argument.data());
    }
    capture_driver_log();
    forget_driver_words();
    int result = 0;
    {
        const StderrToDriverLog quiet;
        result = rte_eal_init(static_cast<int>(argv.size()), argv.data());
    }
    if (result < 0) {
        Error error = system_error("DPDK did not start", rte_errno);
        error.message += " (" + last_driver_words() + ")";
        return error;
    }
    return {};
}

}  // namespace

Result<std::vector<std::string>> eal_arguments(const Settings& settings, const cpu_set_t& allowed,
                                               bool huge) {
    if (Status cores = check_cores(settings, allowed); !cores) {
        return cores.error();
    }
    std::vector<std::string> arguments{"pinhole", "--no-telemetry", "--log-level=warning",
                                       "--file-prefix=" + eal_file_prefix(),
                                       "--lcores=" + lcore_map(settings, allowed)};
    if (huge) {
        if (!settings.dumpcap) {
            arguments.emplace_back("--in-memory");
        }
    } else {
        const std::size_t megabytes = (eal_bytes(settings) >> 20) + 1;
        arguments.insert(arguments.end(),
                         {"--no-huge", "--no-shconf", "-m", std::to_string(megabytes)});
    }
    bool pci = false;
    for (const DeviceSettings& device : settings.devices) {
        if (device.kind == DeviceKind::kPci) {
            pci = true;
            arguments.insert(arguments.end(), {"-a", pci_address(device.argument)});
        }
    }
    // With PCI the bus knows whether there is an IOMMU; without, only virtual addresses make sense.
    if (!pci) {
        arguments.insert(arguments.end(), {"--no-pci", "--iova-mode=va"});
    }
    return arguments;
}

Result<std::unique_ptr<Eal>> Eal::start(const Settings& settings) {
    std::unique_ptr<Eal> eal(new Eal);
    CPU_ZERO(&eal->original_);
    if (sched_getaffinity(0, sizeof eal->original_, &eal->original_) != 0) {
        return system_error("cannot read the CPU affinity", errno);
    }
    for (const DeviceSettings& device : settings.devices) {
        if (Status usable = check_device(device); !usable) {
            return usable.error();
        }
    }
    Result<bool> huge = choose_hugepages(settings);
    if (!huge) {
        return huge.error();
    }
    Result<std::vector<std::string>> arguments = eal_arguments(settings, eal->original_, *huge);
    if (!arguments) {
        return arguments.error();
    }
    if (settings.dumpcap) {
        remove_shared_files(false);
    }
    if (Status started = init(arguments.take()); !started) {
        return started.error();
    }
    eal->started_ = true;
    eal->dumpcap_ = settings.dumpcap;
    if (settings.dumpcap) {
        remove_shared_files(false);  // EAL's own directory is known now
        if (Status allowed = allow_dumpcap(); !allowed) {
            return allowed.error();
        }
    }
    eal->hugepages_ = *huge;
    eal->others_ = cpus_for_others(settings, eal->original_);
    eal->restore_affinity();
    return eal;
}

Eal::~Eal() {
    if (started_) {
        rte_eal_mp_wait_lcore();
        const std::string directory = rte_eal_get_runtime_dir();
        if (dumpcap_) {
            end_dumpcap();
        }
        rte_eal_cleanup();
        if (dumpcap_) {
            remove_shared_files(true);
        }
        // Nothing is in it, and EAL leaves it.
        rmdir(directory.c_str());
    }
}

int Eal::worker_socket(unsigned worker) const {
    const unsigned socket = rte_lcore_to_socket_id(worker_lcore(worker));
    return socket == static_cast<unsigned>(SOCKET_ID_ANY) ? -1 : static_cast<int>(socket);
}

void Eal::restore_affinity() const {
    sched_setaffinity(0, sizeof others_, &others_);
}

void Eal::take_all_cpus() const {
    sched_setaffinity(0, sizeof original_, &original_);
}

Status Eal::launch(unsigned worker, int (*loop)(void*), void* argument) const {
    const int failed = rte_eal_remote_launch(loop, argument, worker_lcore(worker));
    return failed == 0 ? Status{}
                       : system_error("cannot start worker " + std::to_string(worker), failed);
}

void Eal::wait_for_workers() const {
    rte_eal_mp_wait_lcore();
}

}  // namespace pinhole::io
