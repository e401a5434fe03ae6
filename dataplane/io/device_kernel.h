// SPDX-License-Identifier: BSD-3-Clause
// The few facts of a kernel netdev that opening a port needs, by ioctl. Start-up only; all that
// changes afterwards comes by netlink.
#pragma once

#include "dataplane/io/device.h"
#include "dataplane/io/result.h"

#include <string>

namespace pinhole::io {

struct KernelInterface {
    unsigned ifindex = 0;
    unsigned mtu = 0;
    unsigned flags = 0;     // IFF_*
    unsigned channels = 1;  // receive queues, as ethtool -l counts them
    bool channels_combined = false;
    Mac mac{};
};

// kMissing with a sentence if there is none of that name.
Result<KernelInterface> kernel_interface(const std::string& name);

// Puts IFF_PROMISC back to what it was; drivers switch it off on their way up.
void restore_promiscuous(const std::string& name, unsigned flags);

Status set_mtu(const std::string& name, unsigned mtu);
Status set_mac(const std::string& name, const Mac& mac);
Status bring_up(const std::string& name);

}  // namespace pinhole::io
