// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/io/port.h"

#include "dataplane/io/device_check.h"
#include "dataplane/io/device_pools.h"

#include <net/if.h>

#include <rte_mempool.h>

namespace pinhole::io {

Result<std::unique_ptr<Ports>> Ports::open(const Settings& settings) {
    std::unique_ptr<Ports> ports(new Ports);
    if (settings.devices.empty() || settings.devices.size() > kMaxDevices) {
        return Error{ErrorCode::kInvalid, "1 to " + std::to_string(kMaxDevices) +
                                              " [[port]] sections are wanted, there are " +
                                              std::to_string(settings.devices.size())};
    }
    Result<rte_mempool*> big = create_pool("big", big_pool_plan(settings.workers), -1);
    if (!big) {
        return big.error();
    }
    ports->big_pool_ = *big;
    for (DeviceIndex index = 0; index < settings.devices.size(); ++index) {
        if (Status added = ports->add(settings, index); !added) {
            return added.error();
        }
    }
    return ports;
}

Status Ports::add(const Settings& settings, DeviceIndex index) {
    const DeviceSettings& own = settings.devices[index];
    for (DeviceIndex i = 0; i < index; ++i) {
        if (settings.devices[i].same_device(own)) {
            return Error{ErrorCode::kInvalid,
                         device_name(own) + " is given to two [[port]] sections: take one out"};
        }
    }
    Result<std::unique_ptr<Device>> device = Device::open(settings, index);
    if (!device) {
        return device.error();
    }
    devices_.push_back(device.take());
    taps_.emplace_back();
    LogicalPort port{static_cast<net::PortIndex>(ports_.size()), index, 0, own.argument};
    if (needs_tap(own.kind)) {
        const DeviceInfo& info = devices_.back()->info();
        port.interface = own.tap_name.empty() ? "ph" + std::to_string(index) : own.tap_name;
        Result<std::unique_ptr<Tap>> tap = Tap::open(port.interface, info.mac, info.mtu);
        if (!tap) {
            return Error{tap.error().code, info.name + ": " + tap.error().message};
        }
        taps_.back() = tap.take();
    }
    port.ifindex = if_nametoindex(port.interface.c_str());
    ports_.push_back(port);
    return {};
}

Ports::~Ports() {
    stop();
    taps_.clear();
    devices_.clear();
    rte_mempool_free(big_pool_);
}

Status Ports::start() {
    for (const auto& device : devices_) {
        if (Status started = device->start(); !started) {
            return started;
        }
    }
    return {};
}

void Ports::stop() {
    for (const auto& device : devices_) {
        device->stop();
    }
}

std::optional<net::PortIndex> Ports::port_of_ifindex(unsigned ifindex) const {
    for (const LogicalPort& port : ports_) {
        if (port.ifindex == ifindex) {
            return port.index;
        }
    }
    return std::nullopt;
}

}  // namespace pinhole::io
