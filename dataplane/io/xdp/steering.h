// SPDX-License-Identifier: BSD-3-Clause
// The XDP program of an af_xdp port: handed to DPDK's driver as a file, found again on the
// interface once the driver has attached it, and told which addresses and ports are SIP's. What a
// killed pinhole left attached is taken off first, and only that: a program that is not ours is
// never touched. Main thread; set_targets also the service thread.
#pragma once

#include "dataplane/io/result.h"
#include "dataplane/io/settings.h"
#include "dataplane/net/address.h"

#include <memory>
#include <span>
#include <string>
#include <vector>

namespace pinhole::io {

class XdpSteering {
  public:
    // Claims the interface for this process and clears the way. kBusy if another pinhole has it or
    // another program is attached.
    static Result<std::unique_ptr<XdpSteering>> prepare(const std::string& interface,
                                                        unsigned ifindex);
    ~XdpSteering();
    XdpSteering(const XdpSteering&) = delete;
    XdpSteering& operator=(const XdpSteering&) = delete;

    // For the driver's xdp_prog=; good while this lives.
    [[nodiscard]] const std::string& program_path() const { return path_; }
    // After the driver has set up its queues: finds the map by the attached program.
    Status attach();
    // Exactly these are taken from the kernel from now on.
    Status set_targets(std::span<const net::Endpoint> endpoints);

  private:
    XdpSteering() = default;

    std::string interface_;
    std::string path_;
    std::vector<net::Endpoint> targets_;
    [[maybe_unused]] unsigned ifindex_ = 0;
    // An abstract socket whose name says "this interface is mine"; goes with the process.
    [[maybe_unused]] int claim_ = -1;
    [[maybe_unused]] int object_ = -1;  // memfd with the program
    [[maybe_unused]] int map_ = -1;
};

}  // namespace pinhole::io
