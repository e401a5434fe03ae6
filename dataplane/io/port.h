// SPDX-License-Identifier: BSD-3-Clause
// All ports of the process. A logical port (net::PortIndex, what a Flow names) is a device and,
// later, a VLAN on it; so the two are kept apart from the index on, and neither is DPDK's port id.
// Opened and closed by the main thread.
#pragma once

#include "dataplane/io/device.h"
#include "dataplane/io/tap.h"
#include "dataplane/net/flow.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

struct rte_mempool;

namespace pinhole::io {

struct LogicalPort {
    net::PortIndex index = 0;
    DeviceIndex device = 0;
    // The kernel's netdev whose addresses, routes and neighbours are this port's: the interface
    // itself, or the TAP.
    unsigned ifindex = 0;
    std::string interface;
};

class Ports {
  public:
    // Opens every device, and its TAP where it needs one; one logical port a device. All or
    // nothing.
    static Result<std::unique_ptr<Ports>> open(const Settings& settings);
    // Stops and closes; the kernel's interfaces are left as found, TAPs go.
    ~Ports();
    Ports(const Ports&) = delete;
    Ports& operator=(const Ports&) = delete;

    Status start();
    void stop();

    [[nodiscard]] const std::vector<LogicalPort>& ports() const { return ports_; }
    [[nodiscard]] std::size_t device_count() const { return devices_.size(); }
    [[nodiscard]] Device& device(DeviceIndex index) { return *devices_[index]; }
    [[nodiscard]] const Device& device(DeviceIndex index) const { return *devices_[index]; }
    // The TAP of a device, or nullptr if the kernel has the interface itself.
    [[nodiscard]] Tap* tap(DeviceIndex index) { return taps_[index].get(); }
    // The port whose kernel netdev this is.
    [[nodiscard]] std::optional<net::PortIndex> port_of_ifindex(unsigned ifindex) const;

    // Linear buffers of kMaxFrameBytes or more for what is built or reassembled; shared by all
    // workers and threads.
    [[nodiscard]] rte_mempool* big_pool() const { return big_pool_; }

  private:
    Ports() = default;
    Status add(const Settings& settings, DeviceIndex index);

    std::vector<std::unique_ptr<Device>> devices_;
    std::vector<std::unique_ptr<Tap>> taps_;
    std::vector<LogicalPort> ports_;
    rte_mempool* big_pool_ = nullptr;
};

}  // namespace pinhole::io
