// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/io/device_args.h"

#include "dataplane/io/device_check.h"
#include "dataplane/io/device_pools.h"

#include <unistd.h>

#include <cstdio>

namespace pinhole::io {
namespace {

constexpr unsigned kAfPacketFrames = 1024;  // a queue and direction: 16 MB of kernel memory
constexpr unsigned kMemifBuffer =
    2048;  // one fits in an mbuf of the port's pool; longer frames take several

std::string mac_text(const Mac& mac) {
    char text[18];
    std::snprintf(text, sizeof text, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2],
                  mac[3], mac[4], mac[5]);
    return text;
}

std::string host_name() {
    char name[256] = {};
    gethostname(name, sizeof name - 1);
    return name;
}

std::string memif_arguments(const DeviceSettings& settings) {
    return std::string("role=") + (settings.memif_server ? "server" : "client") +
           ",id=" + std::to_string(settings.memif_id) + ",socket=" + settings.argument +
           ",socket-abstract=no,bsize=" + std::to_string(kMemifBuffer) +
           ",mac=" + mac_text(stable_mac(settings));
}

}  // namespace

Mac stable_mac(const DeviceSettings& settings) {
    return stable_mac(settings, host_name());
}

Mac stable_mac(const DeviceSettings& settings, const std::string& host) {
    std::uint64_t hash = 0xcbf29ce484222325;  // FNV-1a
    const std::string all = host + "|" + device_name(settings) + "|" +
                            std::to_string(settings.memif_id) + (settings.memif_server ? "s" : "c");
    for (const char c : all) {
        hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
    }
    Mac mac{0x02};
    for (std::size_t i = 1; i < mac.size(); ++i) {
        mac[i] = static_cast<std::uint8_t>(hash >> (8 * i));
    }
    return mac;
}

DeviceArgs device_args(const DeviceSettings& settings, DeviceIndex index, unsigned queues,
                       const std::string& program) {
    const std::string number = std::to_string(index);
    const std::string& argument = settings.argument;
    switch (settings.kind) {
        case DeviceKind::kAfPacket:
            return {"net_af_packet" + number,
                    "iface=" + argument + ",qpairs=" + std::to_string(queues) +
                        ",framesz=" + std::to_string(kAfPacketFrame) +
                        ",blocksz=65536,framecnt=" + std::to_string(kAfPacketFrames)};
        case DeviceKind::kAfXdp:
            return {"net_af_xdp" + number, "iface=" + argument + ",start_queue=0,queue_count=" +
                                               std::to_string(queues) + ",xdp_prog=" + program};
        case DeviceKind::kPci:
            return {pci_address(argument), ""};
        case DeviceKind::kMemif:
            return {"net_memif" + number, memif_arguments(settings)};
        case DeviceKind::kVdev:
            break;
    }
    const std::size_t comma = argument.find(',');
    return {argument.substr(0, comma),
            comma == std::string::npos ? "" : argument.substr(comma + 1)};
}

}  // namespace pinhole::io
