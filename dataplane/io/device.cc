// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/io/device.h"

#include "dataplane/io/device_args.h"
#include "dataplane/io/device_check.h"
#include "dataplane/io/device_kernel.h"
#include "dataplane/io/device_pools.h"
#include "dataplane/io/driver_log.h"
#include "dataplane/io/errors.h"
#include "dataplane/io/xdp/steering.h"

#include <rte_dev.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>

#include <algorithm>

namespace pinhole::io {
namespace {

constexpr unsigned kMaxAfPacketQueues = 16;  // the driver's
constexpr std::uint16_t kDescriptors = 1024;
constexpr std::uint16_t kXdpDescriptors = 2048;

bool is_kernel_interface(DeviceKind kind) {
    return kind == DeviceKind::kAfPacket || kind == DeviceKind::kAfXdp;
}

// The driver's refusal, with its own words.
Error refused(const std::string& name, const char* what, int number) {
    Error error = system_error(name + ": " + what, number);
    if (const std::string words = last_driver_words(); !words.empty()) {
        error.message += " (" + words + ")";
    }
    return error;
}

// A queue without a socket would pass its packets to the kernel, so every queue of the device must
// have a worker. The driver can only do with several queues if they are combined ones (a veth's are
// not).
Result<unsigned> xdp_queues(const std::string& name, const KernelInterface& interface,
                            const std::string& ifname, unsigned workers) {
    if (interface.channels <= workers && (interface.channels == 1 || interface.channels_combined)) {
        return interface.channels;
    }
    const std::string there =
        name + ": " + ifname + " has " + std::to_string(interface.channels) + " receive queues";
    if (!interface.channels_combined) {
        return Error{ErrorCode::kUnsupported,
                     there + " that are not combined, and af_xdp can serve one only: create " +
                         ifname + " with one, or use af_packet:" + ifname};
    }
    const std::string wanted = std::to_string(workers);
    return Error{ErrorCode::kUnsupported,
                 there + " and there are only " + wanted +
                     " workers, so packets would pass by: run `ethtool -L " + ifname +
                     " combined " + wanted + "`, or raise [dataplane] workers"};
}

}  // namespace

Device::Device() = default;

Result<std::unique_ptr<Device>> Device::open(const Settings& settings, DeviceIndex index) {
    std::unique_ptr<Device> device(new Device);
    const DeviceSettings& own = settings.devices[index];
    device->info_.name = device_name(own);
    device->info_.kind = own.kind;
    device->index_ = index;
    if (Status usable = check_device(own); !usable) {
        return usable.error();
    }
    forget_driver_words();
    for (Status (Device::*step)(const Settings&) :
         {&Device::create, &Device::take_facts, &Device::configure, &Device::set_up_queues}) {
        if (Status done = (device.get()->*step)(settings); !done) {
            return done.error();
        }
    }
    return device;
}

Status Device::create(const Settings& settings) {
    const DeviceSettings& own = settings.devices[index_];
    unsigned queues = std::min(settings.workers, kMaxAfPacketQueues);
    if (is_kernel_interface(own.kind)) {
        Result<KernelInterface> interface = kernel_interface(own.argument);
        if (!interface) {
            return interface.error();
        }
        interface_ = own.argument;
        kernel_flags_ = interface->flags;
        info_.mtu = static_cast<std::uint16_t>(std::min(interface->mtu, 65535U));
        if (own.kind == DeviceKind::kAfXdp) {
            Result<unsigned> wanted =
                xdp_queues(info_.name, *interface, own.argument, settings.workers);
            if (!wanted) {
                return wanted.error();
            }
            queues = *wanted;
            Result<std::unique_ptr<XdpSteering>> steering =
                XdpSteering::prepare(own.argument, interface->ifindex);
            if (!steering) {
                return steering.error();
            }
            steering_ = steering.take();
        }
    }
    const std::string program = steering_ != nullptr ? steering_->program_path() : "";
    const DeviceArgs args = device_args(own, index_, queues, program);
    // A PCI device was probed when EAL started.
    if (own.kind != DeviceKind::kPci) {
        if (const int result =
                rte_eal_hotplug_add("vdev", args.name.c_str(), args.arguments.c_str());
            result != 0) {
            return refused(info_.name, "DPDK cannot make this device", result);
        }
        vdev_name_ = args.name;
    }
    if (const int result = rte_eth_dev_get_port_by_name(args.name.c_str(), &info_.ethdev);
        result != 0) {
        return refused(info_.name, "no DPDK driver took this device", result);
    }
    created_ = true;
    return {};
}

Status Device::take_facts(const Settings& settings) {
    rte_eth_dev_info facts;
    if (const int result = rte_eth_dev_info_get(info_.ethdev, &facts); result != 0) {
        return refused(info_.name, "the driver does not say what it can", result);
    }
    const unsigned most = std::min<unsigned>(facts.max_rx_queues, facts.max_tx_queues);
    info_.queues = static_cast<std::uint16_t>(std::min(settings.workers, most));
    if (info_.queues == 0) {
        return Error{ErrorCode::kUnsupported, info_.name + " has no queue to receive and send by"};
    }
    rte_ether_addr mac{};
    rte_eth_macaddr_get(info_.ethdev, &mac);
    std::copy(std::begin(mac.addr_bytes), std::end(mac.addr_bytes), info_.mac.begin());
    if (info_.mac == Mac{}) {
        info_.mac = stable_mac(settings.devices[index_]);  // net_ring has none
    }
    info_.socket = rte_eth_dev_socket_id(info_.ethdev);
    if (!is_kernel_interface(info_.kind)) {
        rte_eth_dev_get_mtu(info_.ethdev, &info_.mtu);
    }
    info_.partial_checksums = is_kernel_interface(info_.kind);
    info_.rx_checksum = (facts.rx_offload_capa & RTE_ETH_RX_OFFLOAD_UDP_CKSUM) != 0;
    info_.tx_ipv4_checksum = (facts.tx_offload_capa & RTE_ETH_TX_OFFLOAD_IPV4_CKSUM) != 0;
    info_.tx_udp_checksum = (facts.tx_offload_capa & RTE_ETH_TX_OFFLOAD_UDP_CKSUM) != 0;
    // The af_xdp driver sends the first segment and forgets the rest.
    info_.tx_segments = info_.kind != DeviceKind::kAfXdp &&
                        (facts.tx_offload_capa & RTE_ETH_TX_OFFLOAD_MULTI_SEGS) != 0;
    return {};
}

Status Device::configure(const Settings& /*settings*/) {
    rte_eth_dev_info facts;
    rte_eth_dev_info_get(info_.ethdev, &facts);
    rte_eth_conf conf{};
    if (!is_kernel_interface(info_.kind)) {
        conf.rxmode.mtu = info_.mtu;
    }
    conf.rxmode.offloads =
        facts.rx_offload_capa &
        (RTE_ETH_RX_OFFLOAD_IPV4_CKSUM | RTE_ETH_RX_OFFLOAD_UDP_CKSUM | RTE_ETH_RX_OFFLOAD_SCATTER);
    conf.txmode.offloads =
        facts.tx_offload_capa & (RTE_ETH_TX_OFFLOAD_IPV4_CKSUM | RTE_ETH_TX_OFFLOAD_UDP_CKSUM |
                                 RTE_ETH_TX_OFFLOAD_MULTI_SEGS);
    const std::uint64_t hashes =
        facts.flow_type_rss_offloads & (RTE_ETH_RSS_IP | RTE_ETH_RSS_UDP | RTE_ETH_RSS_TCP);
    if (info_.queues > 1 && hashes != 0) {
        conf.rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
        conf.rx_adv_conf.rss_conf.rss_hf = hashes;
    }
    if (const int result = rte_eth_dev_configure(info_.ethdev, info_.queues, info_.queues, &conf);
        result != 0) {
        return refused(info_.name, "the driver refuses its configuration", result);
    }
    return {};
}

Status Device::set_up_queues(const Settings& /*settings*/) {
    // Queues there are, not workers: a device with one queue needs buffers for one.
    Result<rte_mempool*> pool =
        create_pool("rx", rx_pool_plan(info_.kind, info_.queues), info_.socket);
    if (!pool) {
        return Error{pool.error().code, info_.name + ": " + pool.error().message};
    }
    info_.rx_pool = *pool;
    if (info_.kind == DeviceKind::kAfXdp) {
        info_.max_frame =
            static_cast<std::uint16_t>(rte_pktmbuf_data_room_size(*pool) - RTE_PKTMBUF_HEADROOM);
    }
    const std::uint16_t wanted = info_.kind == DeviceKind::kAfXdp ? kXdpDescriptors : kDescriptors;
    std::uint16_t rx = wanted;
    std::uint16_t tx = wanted;
    rte_eth_dev_adjust_nb_rx_tx_desc(info_.ethdev, &rx, &tx);
    const auto socket = static_cast<unsigned>(info_.socket);
    for (std::uint16_t queue = 0; queue < info_.queues; ++queue) {
        int result = rte_eth_rx_queue_setup(info_.ethdev, queue, rx, socket, nullptr, *pool);
        result =
            result != 0 ? result : rte_eth_tx_queue_setup(info_.ethdev, queue, tx, socket, nullptr);
        if (result != 0) {
            return refused(info_.name, "the driver refuses its queues", result);
        }
    }
    return steering_ != nullptr ? steering_->attach() : Status();
}

Status Device::start() {
    forget_driver_words();
    const int result = rte_eth_dev_start(info_.ethdev);
    if (!interface_.empty()) {
        restore_promiscuous(interface_, kernel_flags_);
    }
    if (result != 0 && info_.kind == DeviceKind::kMemif) {
        // Only a client has anything to start: it connects, once.
        return Error{ErrorCode::kMissing,
                     info_.name +
                         ": no process serves this socket: start the other end first, or write "
                         "memif_role = \"server\" here and let it be the client"};
    }
    if (result != 0) {
        return refused(info_.name, "the device does not start", result);
    }
    started_ = true;
    // ND and VRRP come by multicast; the kernel behind the TAP picks what is its own.
    if (needs_tap(info_.kind) && rte_eth_allmulticast_enable(info_.ethdev) != 0) {
        rte_eth_promiscuous_enable(info_.ethdev);
    }
    return {};
}

void Device::stop() {
    if (started_) {
        rte_eth_dev_stop(info_.ethdev);
        started_ = false;
    }
}

Device::~Device() {
    stop();
    if (created_) {
        rte_eth_dev_close(info_.ethdev);
    }
    if (!vdev_name_.empty()) {
        rte_eal_hotplug_remove("vdev", vdev_name_.c_str());
    }
    if (!interface_.empty()) {
        restore_promiscuous(interface_, kernel_flags_);
    }
    rte_mempool_free(info_.rx_pool);
}

bool Device::link_up() const {
    rte_eth_link link{};
    return rte_eth_link_get_nowait(info_.ethdev, &link) == 0 && link.link_status == RTE_ETH_LINK_UP;
}

DeviceStats Device::stats() const {
    rte_eth_stats s{};
    rte_eth_stats_get(info_.ethdev, &s);
    return {s.ipackets, s.opackets, s.imissed, s.ierrors, s.oerrors, s.rx_nombuf};
}

Status Device::steer(std::span<const net::Endpoint> endpoints) {
    return steering_ != nullptr ? steering_->set_targets(endpoints) : Status();
}

}  // namespace pinhole::io
