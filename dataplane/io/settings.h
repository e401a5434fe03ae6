// SPDX-License-Identifier: BSD-3-Clause
// What io is told at start: plain values, filled by main from the configuration (io never includes
// control).
#pragma once

#include "dataplane/edge/capacity.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace pinhole::io {

enum class HugepageMode : std::uint8_t { kAuto, kOn, kOff };
enum class DeviceKind : std::uint8_t { kAfPacket, kAfXdp, kPci, kMemif, kVdev };

// The kinds whose packets the kernel never sees: a TAP netdev stands for them there.
[[nodiscard]] constexpr bool needs_tap(DeviceKind kind) {
    return kind == DeviceKind::kPci || kind == DeviceKind::kMemif || kind == DeviceKind::kVdev;
}

struct DeviceSettings {
    DeviceKind kind = DeviceKind::kAfPacket;
    // Interface, PCI address, path of memif's socket, or DPDK's own vdev string
    // ("net_null0,size=64").
    std::string argument;
    // The TAP's name in the kernel, "ph<index>" if empty; only where needs_tap().
    std::string tap_name;
    bool memif_server = false;
    std::uint32_t memif_id = 0;

    // The same device: only one port may have it.
    [[nodiscard]] bool same_device(const DeviceSettings& other) const {
        return kind == other.kind && argument == other.argument &&
               memif_server == other.memif_server && memif_id == other.memif_id;
    }
};

struct Settings {
    unsigned workers = 1;
    std::vector<unsigned>
        cores;  // as many as workers, or empty: they float over what the process may use
    HugepageMode hugepages = HugepageMode::kAuto;
    bool dumpcap = false;  // other processes may look into the ports, by memory in files
    std::vector<DeviceSettings> devices;
};

inline constexpr unsigned kMaxDevices = 16;

// The longest message that is built, forwarded or reassembled, in one linear buffer (headers
// included).
inline constexpr std::size_t kMaxFrameBytes = edge::kMaxMessageBytes;

}  // namespace pinhole::io
