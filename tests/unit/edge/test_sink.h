// SPDX-License-Identifier: BSD-3-Clause
// The way out of an edge under test: what it sends lands in vectors. Each packet is a heap block of
// its own that is freed the moment the edge hands it back, so that AddressSanitizer sees whoever
// reads on, or hands it back twice. One thread, but for the rings to other workers.
#pragma once

#include "dataplane/edge/edge.h"
#include "dataplane/edge/timer_queue.h"
#include "dataplane/table/binding_table.h"
#include "tests/unit/edge/spsc_ring.h"

#include <algorithm>
#include <cstdlib>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace pinhole::edge::test {

// What an edge has sent.
struct Sent {
    static constexpr std::size_t kNoPacket = ~std::size_t{0};

    net::Flow flow;
    std::string text;
    std::size_t packet = kNoPacket;  // what caused it, counted as the worker received them

    [[nodiscard]] bool has(std::string_view what) const {
        return text.find(what) != std::string::npos;
    }
    [[nodiscard]] bool starts_with(std::string_view what) const { return text.starts_with(what); }
    // "200" of "SIP/2.0 200 OK"; of a request, some of its first line.
    [[nodiscard]] std::string code() const { return text.size() < 11 ? "" : text.substr(8, 3); }
};

// The rings of commands between workers, one for each pair; [from][to].
using CommandRings = std::vector<std::vector<std::unique_ptr<SpscRing<Command>>>>;

class TestSink {
  public:
    // Without rings an edge is alone: it owns all AORs, and commands go nowhere.
    TestSink() = default;
    TestSink(CommandRings& rings, unsigned worker) : rings_(&rings), worker_(worker) {}

    // A packet as it would have been received.
    [[nodiscard]] Packet receive(std::string_view text, const net::Flow& flow) {
        std::unique_ptr<char[]> block(new char[text.size()]);
        std::copy(text.begin(), text.end(), block.get());
        char* const bytes = block.get();
        packets_.emplace(bytes, Received{std::move(block), received++});
        return {{bytes}, {bytes, text.size()}, flow};
    }

    // --- edge::Sink ---
    void datagram(const net::Flow& flow, std::string_view text, Handle packet) {
        sent.push_back({flow, std::string(text)});
        if (packet.is_set()) {
            const auto found = packets_.find(static_cast<char*>(packet.of));
            sent.back().packet = found == packets_.end() ? Sent::kNoPacket : found->second.number;
            ++answered;
            take_back(packet);
        }
    }
    void release(Handle packet) {
        ++released;
        take_back(packet);
    }
    void keep(Handle packet) { kept += packets_.count(static_cast<char*>(packet.of)); }
    void command(unsigned worker, const Command& command) {
        outgoing_.emplace_back(worker, command);
    }
    [[nodiscard]] bool pong(const PongNotice& notice) {
        pongs.push_back(notice);
        return !refuses_pongs;
    }
    [[nodiscard]] bool peer_pong(const PeerPongNotice& notice) {
        peer_pongs.push_back(notice);
        return !refuses_pongs;
    }
    void set_timer(const Timer& timer) { timers.add(timer); }

    // As far as the rings take them; the rest goes with the next round.
    void flush() {
        while (!outgoing_.empty() && rings_ != nullptr &&
               (*rings_)[worker_][outgoing_.front().first]->put(outgoing_.front().second)) {
            outgoing_.pop_front();
        }
    }
    // Packets that the edge has.
    [[nodiscard]] std::size_t held() const { return packets_.size(); }

    std::vector<Sent> sent;
    std::vector<PongNotice> pongs;
    std::vector<PeerPongNotice> peer_pongs;
    TimerQueue timers;
    bool refuses_pongs = false;
    // How many packets were received, and what became of them.
    std::size_t received = 0;
    std::size_t answered = 0;
    std::size_t released = 0;
    std::size_t kept = 0;  // and answered or released later

  private:
    struct Received {
        std::unique_ptr<char[]> block;
        std::size_t number;
    };

    void take_back(Handle packet) {
        if (packets_.erase(static_cast<char*>(packet.of)) != 1) {
            std::abort();  // handed back twice
        }
    }

    std::unordered_map<char*, Received> packets_;
    CommandRings* rings_ = nullptr;
    unsigned worker_ = 0;
    std::deque<std::pair<unsigned, Command>> outgoing_;
};
static_assert(Sink<TestSink>);

}  // namespace pinhole::edge::test

// Its one instance: test_edge.cc.
extern template class pinhole::edge::Edge<pinhole::edge::test::TestSink>;
