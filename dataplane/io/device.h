// SPDX-License-Identifier: BSD-3-Clause
// One DPDK device: created, configured with a queue pair a worker where it has that many, started,
// and left as found when closed. Opened, started and closed by the main thread; the plain facts in
// DeviceInfo may be read by any thread after start().
#pragma once

#include "dataplane/io/result.h"
#include "dataplane/io/settings.h"
#include "dataplane/net/address.h"
#include "dataplane/net/wire.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

struct rte_mempool;

namespace pinhole::io {

class XdpSteering;

using net::Mac;
// Index of a device in Settings::devices; neither a DPDK port id nor a net::PortIndex.
using DeviceIndex = std::uint16_t;

struct DeviceInfo {
    std::string name;  // as the configuration has it: "af_packet:eth0"
    DeviceKind kind = DeviceKind::kAfPacket;
    std::uint16_t ethdev = 0;  // DPDK's port id
    std::uint16_t queues = 0;  // RX and TX each; workers 0 to queues-1 are served
    int socket = -1;
    Mac mac{};
    std::uint16_t mtu = 1500;
    rte_mempool* rx_pool = nullptr;

    // The driver raises no checksum flags, and a partial checksum (the pseudo-header's sum) must be
    // taken for right.
    bool partial_checksums = false;
    bool rx_checksum = false;       // RTE_MBUF_F_RX_*_CKSUM_* flags mean something
    bool tx_ipv4_checksum = false;  // RTE_MBUF_F_TX_IP_CKSUM may be asked for
    bool tx_udp_checksum =
        false;                 // RTE_MBUF_F_TX_UDP_CKSUM, likewise (pseudo-header sum in the field)
    bool tx_segments = false;  // chained mbufs may be sent
    // Longest frame that may be sent in one piece whatever the MTU says (af_xdp: the pool's
    // element); 0: the MTU rules.
    std::uint16_t max_frame = 0;
};

struct DeviceStats {
    std::uint64_t rx_packets, tx_packets, rx_missed, rx_errors, tx_errors, rx_no_buffer;
};

class Device {
  public:
    // Creates and configures. `index` gives the DPDK names; nothing is received yet, except that
    // af_packet's ring fills.
    static Result<std::unique_ptr<Device>> open(const Settings& settings, DeviceIndex index);
    ~Device();
    Device(const Device&) = delete;
    Device& operator=(const Device&) = delete;

    Status start();
    void stop();

    [[nodiscard]] const DeviceInfo& info() const { return info_; }
    // The queue of this worker, or none if the device has fewer queues than there are workers.
    [[nodiscard]] std::optional<std::uint16_t> queue_for(unsigned worker) const {
        return worker < info_.queues
                   ? std::optional<std::uint16_t>(static_cast<std::uint16_t>(worker))
                   : std::nullopt;
    }
    // memif: whether the peer is there. af_packet: always up, ask netlink of the interface.
    [[nodiscard]] bool link_up() const;
    [[nodiscard]] DeviceStats stats() const;

    // af_xdp: which datagrams are taken from the kernel; all at once, may be called again whenever
    // addresses change. Nothing to do for other kinds. Service or main thread.
    Status steer(std::span<const net::Endpoint> endpoints);

  private:
    Device();

    Status create(const Settings& settings);
    Status take_facts(const Settings& settings);
    Status configure(const Settings& settings);
    Status set_up_queues(const Settings& settings);

    DeviceInfo info_;
    std::unique_ptr<XdpSteering> steering_;
    std::string interface_;      // of the kernel; af_packet and af_xdp
    std::string vdev_name_;      // what must be unplugged
    unsigned kernel_flags_ = 0;  // IFF_*, as found
    DeviceIndex index_ = 0;
    bool created_ = false;
    bool started_ = false;
};

}  // namespace pinhole::io
