// SPDX-License-Identifier: BSD-3-Clause
#include "tests/eal/io/edge.h"

#include "dataplane/net/build.h"
#include "dataplane/net/checksum.h"
#include "dataplane/net/fragment.h"
#include "dataplane/table/heap_memory.h"

#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <utility>

namespace pinhole::io {
namespace {

constexpr std::uint32_t kEpoch_s = 1'700'000'000;

template <class T>
T must(Result<T> result) {
    if (!result) {
        std::fprintf(stderr, "edge: %s\n", result.error().message.c_str());
        std::exit(1);
    }
    return result.take();
}

// The table and the heap under it, which goes after it.
struct HeapTable {
    table::HeapMemory memory;
    std::unique_ptr<table::BindingTable> table;
};

std::shared_ptr<table::BindingTable> heap_table(std::uint32_t max_contacts, unsigned shards,
                                                Qsbr& qsbr) {
    auto made = std::make_shared<HeapTable>();
    const std::array<std::byte, table::KeyedHash::kSeedBytes> seed{std::byte{7}};
    const std::vector<table::ShardMemory> shard_memory(shards, made->memory.shard());
    made->table = table::BindingTable::make({.max_contacts = max_contacts,
                                             .hash = table::KeyedHash(seed),
                                             .reclaimer = {Qsbr::start_fn, Qsbr::passed_fn, &qsbr},
                                             .arrays = made->memory.arrays(),
                                             .shards = shard_memory});
    return {made, made->table.get()};
}

}  // namespace

tokens::Keys test_keys() {
    const tokens::MasterKey key{1, {1, 2, 3}};
    return tokens::Keys({&key, 1});
}

net::Flow to_edge(const net::Address& from, std::uint16_t port) {
    net::Flow flow;
    flow.ours = from;
    flow.our_udp_port = port;
    flow.theirs = from.is_v4() ? kEdge : kEdge6;
    flow.their_udp_port = kSip;
    return flow;
}

net::Flow at_edge(const net::Address& from, std::uint16_t port, net::PortIndex index) {
    net::Flow flow;
    flow.ours = from.is_v4() ? kEdge : kEdge6;
    flow.our_udp_port = kSip;
    flow.theirs = from;
    flow.their_udp_port = port;
    flow.port = index;
    return flow;
}

Seen take_apart(rte_mbuf* mbuf) {
    Seen seen;
    const net::Bytes bytes{rte_pktmbuf_mtod(mbuf, const std::uint8_t*), mbuf->data_len};
    std::memcpy(seen.dst_mac.data(), bytes.data(), 6);
    std::memcpy(seen.src_mac.data(), bytes.data() + 6, 6);
    seen.kind = net::parse_packet(bytes, seen.datagram);
    if (seen.kind == net::PacketKind::kUdp) {
        seen.sums_right = net::ip_header_right(bytes, seen.datagram) &&
                          net::check_udp(bytes, seen.datagram) == net::UdpChecksum::kRight;
        seen.text = seen.datagram.text();
    }
    seen.datagram.payload = {};
    rte_pktmbuf_free(mbuf);
    return seen;
}

Edge::Edge(EdgeSettings settings)
    : Edge(settings, [&](Qsbr& qsbr) {
          return heap_table(settings.max_contacts, settings.io.workers, qsbr);
      }) {}

Edge::Edge(EdgeSettings settings, const TableMaker& make_table)
    : settings_(std::move(settings)),
      ports_(must(Ports::open(settings_.io))),
      qsbr_(must(Qsbr::create(settings_.io.workers + 2))),
      mesh_(must(Mesh::create(settings_.io.workers, ports_->device_count()))),
      clock_(kEpoch_s, start_),
      table_(make_table(*qsbr_)),
      qualify_(
          std::make_unique<table::QualifyTable>(settings_.max_contacts, settings_.states, nullptr)),
      path_mtus_(std::make_unique<net::PathMtus>(1)),
      counters_(settings_.io.workers) {
    pins_ = std::make_unique<route::PinTable>(1024);
    shared_ = std::make_unique<edge::Shared>(edge::Shared{.table = *table_,
                                                          .qualify = *qualify_,
                                                          .peer_health = peer_health_,
                                                          .pins = *pins_,
                                                          .workers = settings_.io.workers});
    set_live({.limits = settings_.limits});
    shared_->screening = &rules_;
    shared_->refuse_when_overloaded = settings_.refuse_when_overloaded;
    if (settings_.auth.has_value()) {
        windows_.emplace(settings_.windows.allocate != nullptr ? settings_.windows : heap_.arrays(),
                         settings_.max_contacts, settings_.auth->nonce_lifetime_s);
        authentication_.emplace(edge::Authentication{*settings_.auth, *windows_, subscribers_});
        shared_->authentication = &*authentication_;
    }
    if (const Status started = ports_->start(); !started) {
        must(Result<int>(started.error()));
    }
    lay_surroundings();
    lay_wires();
    const WorkerParts parts{*ports_,  *mesh_,   *qsbr_,      clock_,
                            *shared_, pointer_, *path_mtus_, settings_.idle};
    for (unsigned w = 0; w < settings_.io.workers; ++w) {
        workers_.push_back(must(Worker::create(parts, w, counters_[w], -1)));
        qsbr_->online(w);
    }
}

void Edge::set_live(edge::LiveSettings live) {
    live.edition = around_.settings == nullptr ? 1 : around_.settings->edition + 1;
    around_.settings = std::make_shared<edge::LiveSettings>(std::move(live));
}

Edge::~Edge() {
    end_workers();
}

void Edge::end_workers() {
    for (unsigned w = 0; w < workers_.size(); ++w) {
        const Wire& wire = *wires_[w];
        if (wire.callback != nullptr) {
            (void)sent(w);
            // DPDK keeps it for the next device of this number.
            rte_eth_remove_rx_callback(ports_->device(0).info().ethdev,
                                       static_cast<std::uint16_t>(w), wire.callback);
        }
        qsbr_->offline(w);
    }
    workers_.clear();
    ports_->stop();
    for (DeviceIndex d = 0; d < ports_->device_count(); ++d) {
        rte_mbuf* frame = nullptr;
        while (mesh_->to_kernel(d).take(&frame, 1) == 1) {
            rte_pktmbuf_free(frame);
        }
    }
}

// Everybody stands behind one gateway at the port `out`.
void Edge::lay_surroundings() {
    std::vector<net::InterfaceEntry> interfaces;
    std::vector<net::PortInterface> ports;
    for (const LogicalPort& port : ports_->ports()) {
        const DeviceInfo& info = ports_->device(port.device).info();
        interfaces.push_back({.ifindex = port.ifindex,
                              .mac = info.mac,
                              .mtu = 1500,
                              .up = true,
                              .addresses = {kEdge, kEdge6}});
        ports.push_back({port.ifindex, port.index});
        around_.ports.push_back({.endpoints = {{kEdge, kSip}, {kEdge6, kSip}}});
    }
    const std::uint32_t out = interfaces[settings_.out].ifindex;
    const net::Address gateway = address("198.51.100.254");
    const net::Address gateway6 = address("2001:db8::fe");
    const std::array<net::RouteEntry, 2> routes{
        {{.prefix = address("0.0.0.0"), .ifindex = out, .gateway = gateway},
         {.prefix = address("::"), .ifindex = out, .gateway = gateway6}}};
    const std::array<net::NeighbourEntry, 2> neighbours{
        {{out, gateway, kGatewayMac, true}, {out, gateway6, kGatewayMac, true}}};
    around_.fib = net::Fib(routes, neighbours, interfaces, ports);
    (void)around_.identity.add_domain("example.com");
    around_.identity.add_local(kEdge, kSip);
    around_.identity.add_local(kEdge6, kSip);
    const net::Flow core = at_edge(kCore, kSip);
    around_.peers = route::Peers({&core, 1});
    pointer_.store(&around_, std::memory_order_release);
}

void Edge::lay_wires() {
    const DeviceInfo& first = ports_->device(0).info();
    for (std::uint16_t w = 0; w < settings_.io.workers; ++w) {
        wires_.push_back(std::make_unique<Wire>());
        if (first.kind == DeviceKind::kVdev) {
            wires_[w]->callback =
                rte_eth_add_rx_callback(first.ethdev, w, exchange, wires_[w].get());
        }
    }
}

std::uint16_t Edge::exchange(std::uint16_t /*ethdev*/, std::uint16_t /*queue*/, rte_mbuf* frames[],
                             std::uint16_t n, std::uint16_t room, void* wire) {
    Wire& ends = *static_cast<Wire*>(wire);
    ends.sent.insert(ends.sent.end(), frames, frames + n);
    std::uint16_t given = 0;
    while (given < room && !ends.coming.empty()) {
        frames[given++] = ends.coming.front();
        ends.coming.pop_front();
    }
    return given;
}

void Edge::pass_ms(std::uint64_t milliseconds) {
    start_ -= milliseconds * (clock_.hz() / 1000);
    clock_ = Clock(kEpoch_s, start_);
}

rte_mbuf* Edge::frame(const net::Flow& from, std::string_view payload) {
    const bool small = net::kMaxHeaders + payload.size() + RTE_PKTMBUF_HEADROOM <= 2048;
    rte_mbuf* mbuf =
        rte_pktmbuf_alloc(small ? ports_->device(0).info().rx_pool : ports_->big_pool());
    if (mbuf == nullptr) {
        std::fprintf(stderr, "edge: no packet buffer left\n");
        std::exit(1);
    }
    const std::size_t headers = net::headers_len(from.ours.is_v4());
    auto* at = reinterpret_cast<std::uint8_t*>(
        rte_pktmbuf_append(mbuf, static_cast<std::uint16_t>(headers + payload.size())));
    std::memcpy(at + headers, payload.data(), payload.size());
    net::HeaderSpec spec;
    spec.src_mac = kGatewayMac;
    spec.dst_mac = ports_->device(0).info().mac;
    (void)net::write_headers(spec, from, at, payload.size());
    return mbuf;
}

std::vector<rte_mbuf*> Edge::fragments(const net::Flow& from, std::string_view payload,
                                       std::size_t mtu, std::uint32_t id) {
    struct Pieces {
        rte_mempool* pool;
        std::vector<rte_mbuf*> all;
        std::uint8_t* next(std::size_t len) {
            all.push_back(rte_pktmbuf_alloc(pool));
            return reinterpret_cast<std::uint8_t*>(
                rte_pktmbuf_append(all.back(), static_cast<std::uint16_t>(len)));
        }
    } pieces{ports_->device(0).info().rx_pool, {}};
    rte_mbuf* whole = frame(from, payload);
    (void)net::fragment({rte_pktmbuf_mtod(whole, const std::uint8_t*), whole->data_len}, mtu, id,
                        pieces);
    rte_pktmbuf_free(whole);
    return pieces.all;
}

std::vector<rte_mbuf*> Edge::frames_sent(unsigned worker) {
    Wire& wire = *wires_[worker];
    std::deque<rte_mbuf*> coming;
    coming.swap(wire.coming);  // so that nothing is received now
    std::array<rte_mbuf*, Worker::kBurst> frames;
    std::size_t before = 0;
    do {
        before = wire.sent.size();
        rte_eth_rx_burst(ports_->device(0).info().ethdev, static_cast<std::uint16_t>(worker),
                         frames.data(), frames.size());
    } while (wire.sent.size() != before);
    coming.swap(wire.coming);
    return std::exchange(wire.sent, {});
}

std::vector<Seen> Edge::sent(unsigned worker) {
    std::vector<Seen> seen;
    for (rte_mbuf* frame : frames_sent(worker)) {
        seen.push_back(take_apart(frame));
    }
    return seen;
}

std::vector<Seen> Edge::ask(unsigned worker, const net::Flow& from, std::string_view payload) {
    put(worker, from, payload);
    workers_[worker]->round();
    return sent(worker);
}

}  // namespace pinhole::io
