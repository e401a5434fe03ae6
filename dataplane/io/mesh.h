// SPDX-License-Identifier: BSD-3-Clause
// The rings between threads. Commands go over an SPSC ring for each pair of asker and owner;
// packets that another thread has made (pings, the kernel's frames) go into a worker's inbox. No
// ring is waited for: what doesn't fit is refused, and the asker counts it. What is put there for
// the service thread, which sleeps, rings its bell.
//
//   workers, control, service --commands--> worker --answers--> worker
//   control, service, workers --inbox-----> worker
//   workers --pongs, peer_pongs--> control     workers --to_kernel, unresolved--> service
#pragma once

#include "dataplane/edge/command.h"
#include "dataplane/io/device.h"
#include "dataplane/io/doorbell.h"
#include "dataplane/io/result.h"
#include "dataplane/net/address.h"

#include <rte_mbuf.h>
#include <rte_ring.h>
#include <rte_ring_elem.h>

#include <memory>
#include <utility>
#include <vector>

namespace pinhole::io {

// What a packet in an inbox is; kept in mbuf->hash.usr. mbuf->port is a DeviceIndex.
enum class ParcelKind : std::uint32_t {
    kPing,         // payload at the data pointer, its flow in the headroom (parcel_flow)
    kPingFrame,    // the same with its headers, a whole frame to be sent as it is
    kPeerCheck,    // a payload likewise, to a core peer
    kFrame,        // a whole frame of another worker that has no queue on the device
    kKernelFrame,  // a whole frame that the kernel sends by its TAP
    kReceived,     // a whole frame that the kernel had for us: to be worked on as if the device had
                   // got it
};

// The flow of a payload lies at the very beginning of the buffer, before the room for headers.
inline net::Flow* parcel_flow(rte_mbuf* mbuf) {
    return static_cast<net::Flow*>(mbuf->buf_addr);
}

struct Unresolved {
    net::Address next_hop;
    std::uint32_t ifindex = 0;
    std::uint32_t reserved = 0;
};

// A ring of values. SPSC unless made for several producers.
template <class T>
class ValueRing {
  public:
    static Result<ValueRing> create(const std::string& name, unsigned count, bool many_producers);

    unsigned put(const T* values, unsigned n) {
        return rte_ring_enqueue_burst_elem(ring_.get(), values, sizeof(T), n, nullptr);
    }
    unsigned take(T* values, unsigned n) {
        return rte_ring_dequeue_burst_elem(ring_.get(), values, sizeof(T), n, nullptr);
    }
    [[nodiscard]] bool empty() const { return rte_ring_empty(ring_.get()) != 0; }
    [[nodiscard]] unsigned count() const { return rte_ring_count(ring_.get()); }

  private:
    struct Freer {
        void operator()(rte_ring* ring) const { rte_ring_free(ring); }
    };
    std::unique_ptr<rte_ring, Freer> ring_;
};

class Mesh {
  public:
    // A command ring holds more than a worker can have under way, so that an answer always finds
    // room.
    static constexpr unsigned kCommandSlots = 4096;
    static constexpr unsigned kInboxSlots = 8192;
    static constexpr unsigned kPongSlots = 16384;
    static constexpr unsigned kPeerPongSlots = 1024;
    static constexpr unsigned kKernelSlots = 2048;

    static Result<std::unique_ptr<Mesh>> create(unsigned workers, std::size_t devices);
    ~Mesh();  // frees the packets that are still under way
    Mesh(const Mesh&) = delete;
    Mesh& operator=(const Mesh&) = delete;

    [[nodiscard]] unsigned workers() const { return workers_; }
    // Their numbers as askers, behind the workers'.
    [[nodiscard]] unsigned control() const { return workers_; }
    [[nodiscard]] unsigned service() const { return workers_ + 1; }

    [[nodiscard]] ValueRing<edge::Command>& commands(unsigned from, unsigned to) {
        return commands_[from * workers_ + to];
    }
    [[nodiscard]] ValueRing<edge::PongNotice>& pongs(unsigned worker) { return pongs_[worker]; }
    [[nodiscard]] ValueRing<edge::PeerPongNotice>& peer_pongs(unsigned worker) {
        return peer_pongs_[worker];
    }
    [[nodiscard]] ValueRing<rte_mbuf*>& inbox(unsigned worker) { return inboxes_[worker]; }
    // From any worker to the service thread; false: refused, for it is full.
    [[nodiscard]] bool give_kernel(DeviceIndex device, rte_mbuf* frame) {
        return for_service(to_kernel_[device], frame);
    }
    // Nothing is said when it is full: then enough has been asked for already.
    void ask_for(const Unresolved& next_hop) { for_service(unresolved_[0], next_hop); }

    // The service thread's.
    [[nodiscard]] ValueRing<rte_mbuf*>& to_kernel(DeviceIndex device) { return to_kernel_[device]; }
    [[nodiscard]] ValueRing<Unresolved>& unresolved() { return unresolved_[0]; }
    [[nodiscard]] Doorbell& bell() { return bell_; }
    [[nodiscard]] bool service_has_work() const;

  private:
    Mesh(unsigned workers, Doorbell bell) : workers_(workers), bell_(std::move(bell)) {}

    template <class T>
    bool for_service(ValueRing<T>& ring, const T& value) {
        const bool put = ring.put(&value, 1) != 0;
        bell_.ring();
        return put;
    }

    unsigned workers_;
    Doorbell bell_;
    std::vector<ValueRing<edge::Command>> commands_;
    std::vector<ValueRing<edge::PongNotice>> pongs_;
    std::vector<ValueRing<edge::PeerPongNotice>> peer_pongs_;
    std::vector<ValueRing<rte_mbuf*>> inboxes_;
    std::vector<ValueRing<rte_mbuf*>> to_kernel_;
    std::vector<ValueRing<Unresolved>> unresolved_;
};

}  // namespace pinhole::io
