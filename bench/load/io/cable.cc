// SPDX-License-Identifier: BSD-3-Clause
#include "bench/load/io/cable.h"

#include <cstring>

namespace pinhole::load {
namespace {

// How often a full queue is tried before a frame is given up: the other end may be off its core.
constexpr unsigned kTries = 10'000;

}  // namespace

io::Settings Cable::device_settings(io::DeviceSettings device, std::vector<unsigned> cores) {
    io::Settings settings;
    // pinhole's af_xdp port leaves to the kernel what is not for its few endpoints. Here every
    // address of every gateway is meant, so DPDK's own program is used, which takes all.
    if (device.kind == io::DeviceKind::kAfXdp) {
        device.kind = io::DeviceKind::kVdev;
        device.argument = "net_af_xdp0,iface=" + device.argument + ",start_queue=0,queue_count=1";
    }
    settings.devices.push_back(std::move(device));
    settings.cores = std::move(cores);
    return settings;
}

io::Result<std::unique_ptr<Cable>> Cable::open(const io::Settings& settings,
                                               io::DeviceIndex index) {
    auto device = io::Device::open(settings, index);
    if (!device) {
        return device.error();
    }
    std::unique_ptr<Cable> cable(new Cable);
    cable->device_ = device.take();
    const io::DeviceInfo& info = cable->device_->info();
    cable->partial_checksums_ =
        info.partial_checksums || settings.devices[index].argument.starts_with("net_af_xdp");
    if (io::Status started = cable->device_->start(); !started) {
        return started.error();
    }
    return cable;
}

Cable::~Cable() {
    for (rte_mbuf* buffer : buffers_) {
        rte_pktmbuf_free(buffer);
    }
}

bool Cable::fill(SendBatch& batch) {
    const auto places = batch.all();
    for (std::size_t i = 0; i < places.size(); ++i) {
        if (buffers_[i] == nullptr) {
            buffers_[i] = rte_pktmbuf_alloc(device_->info().rx_pool);
            if (buffers_[i] == nullptr) {
                return false;
            }
            places[i].payload = rte_pktmbuf_mtod_offset(buffers_[i], char*, net::kMaxHeaders);
        }
    }
    return true;
}

void Cable::flush(SendBatch& batch, const net::Mac& to) {
    const auto used = batch.used();
    if (used.empty()) {
        return;
    }
    net::HeaderSpec spec;
    spec.src_mac = mac();
    spec.dst_mac = to;
    std::array<rte_mbuf*, SendBatch::kPlaces> frames;
    for (std::size_t i = 0; i < used.size(); ++i) {
        rte_mbuf* frame = frames[i] = buffers_[i];
        buffers_[i] = nullptr;
        // Payloads stand where the longer headers end: IPv4's begin a little later.
        const std::size_t skip = net::kMaxHeaders - net::headers_len(used[i].flow.is_v4());
        frame->data_off = static_cast<std::uint16_t>(frame->data_off + skip);
        const std::size_t len = net::write_headers(
            spec, used[i].flow, rte_pktmbuf_mtod(frame, std::uint8_t*), used[i].len);
        frame->data_len = static_cast<std::uint16_t>(len);
        frame->pkt_len = static_cast<std::uint32_t>(len);
    }
    transmit(frames.data(), used.size());
    batch.clear();
    while (!fill(batch)) {
        // The driver still holds what it sends; it gives buffers back when it is polled.
        rte_eth_tx_burst(device_->info().ethdev, 0, nullptr, 0);
    }
}

void Cable::send(net::Bytes bytes) {
    rte_mbuf* frame = rte_pktmbuf_alloc(device_->info().rx_pool);
    if (frame == nullptr) {
        ++tx_dropped_;
        return;
    }
    std::memcpy(rte_pktmbuf_append(frame, static_cast<std::uint16_t>(bytes.size())), bytes.data(),
                bytes.size());
    transmit(&frame, 1);
}

void Cable::transmit(rte_mbuf** frames, std::size_t n) {
    std::size_t sent = 0;
    for (unsigned i = 0; i < kTries && sent < n; ++i) {
        sent += rte_eth_tx_burst(device_->info().ethdev, 0, frames + sent,
                                 static_cast<std::uint16_t>(n - sent));
    }
    if (sent < n) {
        tx_dropped_ += n - sent;
        rte_pktmbuf_free_bulk(frames + sent, static_cast<unsigned>(n - sent));
    }
}

}  // namespace pinhole::load
