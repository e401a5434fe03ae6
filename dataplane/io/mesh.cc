// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/io/mesh.h"

#include "dataplane/io/errors.h"
#include "dataplane/io/names.h"

#include <rte_errno.h>

#include <algorithm>
#include <array>
#include <string>

namespace pinhole::io {
namespace {

// Makes `n` rings of that name.
template <class T>
Status fill(std::vector<ValueRing<T>>& rings, const std::string& name, std::size_t n,
            unsigned slots, bool many_producers) {
    for (std::size_t i = 0; i < n; ++i) {
        auto ring = ValueRing<T>::create(name, slots, many_producers);
        if (!ring) {
            return ring.error();
        }
        rings.push_back(ring.take());
    }
    return {};
}

void drop_all(std::vector<ValueRing<rte_mbuf*>>& rings) {
    std::array<rte_mbuf*, 64> packets;
    for (auto& ring : rings) {
        while (const unsigned n = ring.take(packets.data(), packets.size())) {
            rte_pktmbuf_free_bulk(packets.data(), n);
        }
    }
}

}  // namespace

template <class T>
Result<ValueRing<T>> ValueRing<T>::create(const std::string& name, unsigned count,
                                          bool many_producers) {
    static_assert(sizeof(T) % 4 == 0);
    // Producers may share a core: with a plain ring one that is preempted within it would hold up
    // the workers behind it.
    const unsigned flags = RING_F_SC_DEQ | (many_producers ? RING_F_MP_RTS_ENQ : RING_F_SP_ENQ);
    ValueRing made;
    made.ring_.reset(
        rte_ring_create_elem(unique_name(name).c_str(), sizeof(T), count, SOCKET_ID_ANY, flags));
    if (made.ring_ == nullptr) {
        return system_error("cannot make the ring " + name, rte_errno);
    }
    return made;
}

Result<std::unique_ptr<Mesh>> Mesh::create(unsigned workers, std::size_t devices) {
    auto bell = Doorbell::create();
    if (!bell) {
        return bell.error();
    }
    std::unique_ptr<Mesh> mesh(new Mesh(workers, bell.take()));
    const std::array<Status, 6> made{
        fill(mesh->commands_, "ph_cmd", std::size_t{workers + 2} * workers, kCommandSlots, false),
        fill(mesh->pongs_, "ph_pong", workers, kPongSlots, false),
        fill(mesh->peer_pongs_, "ph_peer", workers, kPeerPongSlots, false),
        fill(mesh->inboxes_, "ph_in", workers, kInboxSlots, true),
        fill(mesh->to_kernel_, "ph_kern", devices, kKernelSlots, true),
        fill(mesh->unresolved_, "ph_neigh", 1, kKernelSlots, true),
    };
    for (const Status& status : made) {
        if (!status) {
            return status.error();
        }
    }
    return mesh;
}

bool Mesh::service_has_work() const {
    const auto holds = [](const auto& ring) { return !ring.empty(); };
    return std::any_of(to_kernel_.begin(), to_kernel_.end(), holds) ||
           std::any_of(unresolved_.begin(), unresolved_.end(), holds);
}

Mesh::~Mesh() {
    drop_all(inboxes_);
    drop_all(to_kernel_);
}

}  // namespace pinhole::io
