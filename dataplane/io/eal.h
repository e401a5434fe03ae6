// SPDX-License-Identifier: BSD-3-Clause
// Starting and ending DPDK's environment. It starts once a process, in the main thread, before any
// other thread. With enough free hugepages it takes them (--in-memory: no files are left behind,
// but for dpdk-dumpcap), else it runs in ordinary memory (--no-huge), sized for our packet buffers.
// Nothing is printed: DPDK's log is kept in a bounded buffer.
#pragma once

#include "dataplane/io/result.h"
#include "dataplane/io/settings.h"

#include <sched.h>

#include <memory>
#include <string>
#include <vector>

namespace pinhole::io {

class Eal {
  public:
    // Lcore 0 is the calling (main) thread's; lcores 1 to `workers` are the workers', to be started
    // with rte_eal_remote_launch().
    // The main thread runs where restore_affinity() puts it.
    static Result<std::unique_ptr<Eal>> start(const Settings& settings);
    // Close all devices first.
    ~Eal();
    Eal(const Eal&) = delete;
    Eal& operator=(const Eal&) = delete;

    [[nodiscard]] unsigned worker_lcore(unsigned worker) const { return worker + 1; }
    // Runs `loop(argument)` on the worker's lcore; and waits until all of them have returned.
    Status launch(unsigned worker, int (*loop)(void*), void* argument) const;
    void wait_for_workers() const;
    // The NUMA node of the worker's core, or -1 if it floats over several.
    [[nodiscard]] int worker_socket(unsigned worker) const;
    [[nodiscard]] bool uses_hugepages() const { return hugepages_; }

    // The affinity the process was started with, less the workers' own cores if they are pinned and
    // any core remains. For control and service threads: call it in the thread itself.
    void restore_affinity() const;
    // All CPUs that the process may use, the workers' too: for work before they begin.
    void take_all_cpus() const;

  private:
    Eal() = default;

    cpu_set_t original_{};
    cpu_set_t others_{};
    bool hugepages_ = false;
    bool dumpcap_ = false;
    bool started_ = false;
};

// The arguments that start() gives to rte_eal_init, in order; apart for tests. `huge` says whether
// hugepages are taken.
Result<std::vector<std::string>> eal_arguments(const Settings& settings, const cpu_set_t& allowed,
                                               bool huge);

}  // namespace pinhole::io
