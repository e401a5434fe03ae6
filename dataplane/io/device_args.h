// SPDX-License-Identifier: BSD-3-Clause
// DPDK's device strings for our kinds of port. Pure.
#pragma once

#include "dataplane/io/device.h"
#include "dataplane/io/settings.h"

#include <string>

namespace pinhole::io {

struct DeviceArgs {
    std::string name;       // "net_af_packet0"; for pci the address
    std::string arguments;  // "iface=eth0,qpairs=2"
};

// `queues` is what af_packet and af_xdp are asked for; `program` the XDP program's file.
DeviceArgs device_args(const DeviceSettings& settings, DeviceIndex index, unsigned queues,
                       const std::string& program);

// A locally administered MAC that stays the same over restarts, so that neighbours' tables stay
// right.
Mac stable_mac(const DeviceSettings& settings);
Mac stable_mac(const DeviceSettings& settings, const std::string& host);

}  // namespace pinhole::io
