// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/io/kernel_path.h"

#include "dataplane/net/build.h"

#include <algorithm>

namespace pinhole::io {
namespace {

constexpr unsigned kPacketsAMove = 256;

std::span<std::byte> room_of(rte_mbuf* mbuf, std::size_t offset) {
    return {rte_pktmbuf_mtod_offset(mbuf, std::byte*, offset), rte_pktmbuf_tailroom(mbuf) - offset};
}

}  // namespace

KernelPath::KernelPath(Ports& ports, Mesh& mesh) : ports_(ports), mesh_(mesh) {}

Status KernelPath::follow(const edge::Surroundings& around) {
    std::vector<net::Endpoint> silenced;
    std::vector<net::Endpoint> listened;
    for (const LogicalPort& port : ports_.ports()) {
        // Behind a TAP too, where the kernel gets no SIP: for the ICMP errors.
        auto& endpoints = is_af_xdp(port.device) ? listened : silenced;
        const auto& own = around.ports[port.index].endpoints;
        endpoints.insert(endpoints.end(), own.begin(), own.end());
    }
    std::erase_if(silenced, [&](const net::Endpoint& endpoint) {
        return std::find(listened.begin(), listened.end(), endpoint) != listened.end();
    });
    // An address may pass from one set to the other.
    silent_.keep(silenced);
    listening_.keep(listened);
    // What can't be had at one address or port costs the others nothing.
    Status first_failure = silent_.set(silenced);
    const auto note = [&](Status done) {
        if (first_failure && !done) {
            first_failure = std::move(done);
        }
    };
    note(listening_.set(listened));
    for (const LogicalPort& port : ports_.ports()) {
        note(ports_.device(port.device).steer(around.ports[port.index].endpoints));
    }
    return first_failure;
}

bool KernelPath::is_af_xdp(DeviceIndex device) const {
    return ports_.device(device).info().kind == DeviceKind::kAfXdp;
}

void KernelPath::add_polls(std::vector<pollfd>& polls) const {
    for (DeviceIndex d = 0; d < ports_.device_count(); ++d) {
        if (const Tap* tap = ports_.tap(d)) {
            polls.push_back({tap->fd(), POLLIN, 0});
        }
    }
    for (std::size_t i = 0; i < listening_.size(); ++i) {
        polls.push_back({listening_.fd(i), POLLIN, 0});
    }
    for (std::size_t i = 0; i < silent_.size(); ++i) {
        polls.push_back({silent_.fd(i), 0, 0});  // POLLERR is not asked for: it comes
    }
}

bool KernelPath::move() {
    bool moved = false;
    for (DeviceIndex d = 0; d < ports_.device_count(); ++d) {
        if (Tap* tap = ports_.tap(d)) {
            moved |= to_kernel(d, *tap);
            moved |= from_kernel(d, *tap);
        }
    }
    for (std::size_t socket = 0; socket < listening_.size(); ++socket) {
        for (unsigned i = 0; i < kPacketsAMove && read_socket(socket); ++i) {
            moved = true;
        }
    }
    return moved;
}

bool KernelPath::to_kernel(DeviceIndex device, Tap& tap) {
    std::array<rte_mbuf*, kPacketsAMove> frames;
    const unsigned n = mesh_.to_kernel(device).take(frames.data(), frames.size());
    for (unsigned i = 0; i < n; ++i) {
        // One that the kernel does not take is lost as on any full link.
        (void)tap.write_frame({rte_pktmbuf_mtod(frames[i], const std::byte*), frames[i]->data_len});
    }
    rte_pktmbuf_free_bulk(frames.data(), n);
    return n != 0;
}

bool KernelPath::from_kernel(DeviceIndex device, Tap& tap) {
    for (unsigned i = 0; i < kPacketsAMove; ++i) {
        rte_mbuf* mbuf = rte_pktmbuf_alloc(ports_.big_pool());
        if (mbuf == nullptr) {
            return i != 0;
        }
        const std::size_t len = tap.read_frame(room_of(mbuf, 0));
        if (len == 0) {
            rte_pktmbuf_free(mbuf);
            return i != 0;
        }
        rte_pktmbuf_append(mbuf, static_cast<std::uint16_t>(len));
        hand_in(mbuf, device, ParcelKind::kKernelFrame);
    }
    return true;
}

// Reads a datagram that the kernel put together from fragments, and dresses it as the frame that it
// would have been. False when there is none.
bool KernelPath::read_socket(std::size_t socket) {
    rte_mbuf* mbuf = rte_pktmbuf_alloc(ports_.big_pool());
    if (mbuf == nullptr) {
        return false;
    }
    // The headers' length is known with the family; the payload waits behind the longest.
    const auto got = listening_.read_datagram(socket, room_of(mbuf, net::kMaxHeaders));
    // What came by another kind of port has been seen there already.
    const auto port = got.has_value() ? ports_.port_of_ifindex(got->ifindex) : std::nullopt;
    if (!port.has_value() || got->truncated || !is_af_xdp(ports_.ports()[*port].device)) {
        rte_pktmbuf_free(mbuf);
        return got.has_value();
    }
    net::Flow flow;  // as a packet of theirs: from them to us
    flow.ours = got->from.address;
    flow.our_udp_port = got->from.udp_port;
    flow.theirs = got->to.address;
    flow.their_udp_port = got->to.udp_port;
    const std::size_t headers = net::headers_len(flow.is_v4());
    rte_pktmbuf_append(mbuf, static_cast<std::uint16_t>(net::kMaxHeaders + got->length));
    auto* frame = reinterpret_cast<std::uint8_t*>(
        rte_pktmbuf_adj(mbuf, static_cast<std::uint16_t>(net::kMaxHeaders - headers)));
    if (net::write_headers({}, flow, frame, got->length) == 0) {
        rte_pktmbuf_free(mbuf);
        return true;
    }
    hand_in(mbuf, ports_.ports()[*port].device, ParcelKind::kReceived);
    return true;
}

void KernelPath::hand_in(rte_mbuf* mbuf, DeviceIndex device, ParcelKind kind) {
    mbuf->port = device;
    mbuf->hash.usr = static_cast<std::uint32_t>(kind);
    // The first worker has a queue on every device.
    if (mesh_.inbox(0).put(&mbuf, 1) == 0) {
        rte_pktmbuf_free(mbuf);
    }
}

}  // namespace pinhole::io
