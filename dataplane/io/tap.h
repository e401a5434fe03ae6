// SPDX-License-Identifier: BSD-3-Clause
// The netdev that stands in the kernel for a port whose packets the kernel never sees (pci, memif,
// vdev): it has the port's MAC, and carries whole Ethernet frames both ways. Belongs to the service
// thread; it goes when closed.
#pragma once

#include "dataplane/io/device.h"
#include "dataplane/io/result.h"

#include <cstddef>
#include <memory>
#include <span>
#include <string>

namespace pinhole::io {

class Tap {
  public:
    // Made, given the MAC and MTU, and brought up. An interface of that name that is no free TAP is
    // an error.
    static Result<std::unique_ptr<Tap>> open(const std::string& name, const Mac& mac, unsigned mtu);
    ~Tap();
    Tap(const Tap&) = delete;
    Tap& operator=(const Tap&) = delete;

    // Non-blocking; readable when the kernel has a frame to send.
    [[nodiscard]] int fd() const { return fd_; }
    [[nodiscard]] unsigned ifindex() const { return ifindex_; }
    [[nodiscard]] const std::string& name() const { return name_; }

    // One frame from the kernel; its length, or 0 if there is none (or it does not fit).
    [[nodiscard]] std::size_t read_frame(std::span<std::byte> out);
    // One frame to the kernel; false if the kernel would not take it.
    bool write_frame(std::span<const std::byte> frame);

  private:
    Tap() = default;

    int fd_ = -1;
    unsigned ifindex_ = 0;
    std::string name_;
};

}  // namespace pinhole::io
