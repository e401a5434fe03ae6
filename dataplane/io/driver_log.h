// SPDX-License-Identifier: BSD-3-Clause
// Keeps what EAL and the drivers log: the last few lines in a bounded buffer instead of on stderr,
// where they would mix with our own. What they say goes into our sentence if something fails. Any
// thread (a driver may log from a worker).
#pragma once

#include <string>
#include <string_view>

namespace pinhole::io {

// Takes DPDK's log over (and that of libbpf and libxdp where they are built in), once, before
// rte_eal_init.
void capture_driver_log();
void forget_driver_words();
void add_driver_words(std::string_view text);

// What is printed to stderr past every log while this lives goes to the same buffer. Start-up only:
// the main thread, with no other thread printing.
class StderrToDriverLog {
  public:
    StderrToDriverLog();
    ~StderrToDriverLog();
    StderrToDriverLog(const StderrToDriverLog&) = delete;
    StderrToDriverLog& operator=(const StderrToDriverLog&) = delete;

  private:
    int memory_ = -1;
    int stderr_ = -1;
};

}  // namespace pinhole::io
