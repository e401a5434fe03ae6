// SPDX-License-Identifier: BSD-3-Clause
// Looks at the ground before DPDK does, so that what is missing is said in one sentence that names
// it. Any time.
#pragma once

#include "dataplane/io/result.h"
#include "dataplane/io/settings.h"

#include <string>

namespace pinhole::io {

// Interface there, capability there, PCI function there and bound to a driver that DPDK can use,
// and so on.
Status check_device(const DeviceSettings& settings);

// "af_packet:eth0", as the configuration writes it.
[[nodiscard]] std::string device_name(const DeviceSettings& settings);

// "0000:03:00.0" of "03:00.0"; what else it may be stays as it is.
[[nodiscard]] std::string pci_address(const std::string& argument);

}  // namespace pinhole::io
