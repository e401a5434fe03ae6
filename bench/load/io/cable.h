// SPDX-License-Identifier: BSD-3-Clause
// The device through which the load sends and receives: one of pinhole's own kinds of port, without
// its kernel path. Bursts, headers, checksums. Opened by the main thread, used by one lcore.
#pragma once

#include "bench/load/send_batch.h"
#include "dataplane/io/device.h"
#include "dataplane/net/build.h"

#include <rte_ethdev.h>
#include <rte_mbuf.h>

#include <array>
#include <memory>
#include <span>

namespace pinhole::load {

class Cable {
  public:
    static constexpr std::uint16_t kBurst = 32;

    // All frames of an af_xdp port are taken, not SIP alone.
    static io::Settings device_settings(io::DeviceSettings device, std::vector<unsigned> cores);
    static io::Result<std::unique_ptr<Cable>> open(const io::Settings& settings,
                                                   io::DeviceIndex index = 0);
    ~Cable();
    Cable(const Cable&) = delete;
    Cable& operator=(const Cable&) = delete;

    [[nodiscard]] const net::Mac& mac() const { return device_->info().mac; }
    [[nodiscard]] bool link_up() const { return device_->link_up(); }
    // A sum that a sender on this host left for a device to finish may be taken.
    [[nodiscard]] bool partial_checksums() const { return partial_checksums_; }
    [[nodiscard]] io::DeviceStats stats() const { return device_->stats(); }
    [[nodiscard]] std::uint64_t tx_dropped() const { return tx_dropped_; }

    // Buffers for all places; false if there are too few.
    [[nodiscard]] bool fill(SendBatch& batch);
    // Sends what is in the batch to this MAC, and fills its places anew.
    void flush(SendBatch& batch, const net::Mac& to);
    // One frame as it is.
    void send(net::Bytes frame);

    // A burst that came: `fn(net::Bytes)` for each frame. Returns how many there were.
    template <class Fn>
    std::uint16_t receive(Fn&& fn) {
        std::array<rte_mbuf*, kBurst> frames;
        const std::uint16_t n =
            rte_eth_rx_burst(device_->info().ethdev, 0, frames.data(), frames.size());
        for (std::uint16_t i = 0; i < n; ++i) {
            rte_prefetch0(rte_pktmbuf_mtod(frames[i], const void*));
        }
        for (std::uint16_t i = 0; i < n; ++i) {
            fn(net::Bytes{rte_pktmbuf_mtod(frames[i], const std::uint8_t*), frames[i]->data_len});
        }
        rte_pktmbuf_free_bulk(frames.data(), n);
        return n;
    }

    // A burst that came: each frame goes back as it is if `fn(std::span<std::uint8_t>)` says so.
    template <class Fn>
    void bounce(Fn&& fn) {
        std::array<rte_mbuf*, kBurst> frames;
        const std::uint16_t n =
            rte_eth_rx_burst(device_->info().ethdev, 0, frames.data(), frames.size());
        std::size_t back = 0;
        for (std::uint16_t i = 0; i < n; ++i) {
            rte_mbuf* frame = frames[i];
            if (fn(std::span{rte_pktmbuf_mtod(frame, std::uint8_t*), frame->data_len})) {
                frames[back++] = frame;
            } else {
                rte_pktmbuf_free(frame);
            }
        }
        transmit(frames.data(), back);
    }

  private:
    Cable() = default;
    void transmit(rte_mbuf** frames, std::size_t n);

    std::unique_ptr<io::Device> device_;
    std::array<rte_mbuf*, SendBatch::kPlaces> buffers_{};
    bool partial_checksums_ = false;
    std::uint64_t tx_dropped_ = 0;
};

}  // namespace pinhole::load
