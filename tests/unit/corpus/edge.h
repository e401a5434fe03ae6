// SPDX-License-Identifier: BSD-3-Clause
// The product's edge around the small world of routing's tests, one datagram at a time, with what
// came of it told as a decision. For tests of whole messages; one thread.
#pragma once

#include "tests/unit/edge/test_sink.h"
#include "tests/unit/route/world.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace pinhole::corpus {

class Edge : public route::World {
  public:
    using route::World::World;

    // As a worker takes a datagram: `text` byte for byte. Who sends it is told by `by` alone.
    route::Sent take(std::string_view text, const net::Flow& by) {
        begin_round();
        const Counts before(counters_);
        const edge::Packet packet = sink_.receive(text, by);
        edge_->take(packet.handle, packet.text, packet.flow);
        edge_->run(round());
        (void)table->reclaim_owner(0);
        in_place_ = counters_.refreshed_in_place.get() != before.in_place;
        return what_came_of_it(before);
    }
    // The same for `text` with bare line feeds.
    route::Sent from_core(std::string_view text) {
        return take(
            text.find('\r') == std::string_view::npos ? route::crlf(text) : std::string(text),
            peers[0].flow);
    }

    // Did the last REGISTER change nothing but states, as any worker may?
    [[nodiscard]] bool last_was_in_place() const { return in_place_; }
    [[nodiscard]] const CoreCounters& counters() const { return counters_; }

    registrar::RegistrarPolicy policy;

  private:
    // Counters before a packet, to be held against those after it.
    struct Counts {
        explicit Counts(const CoreCounters& counters)
            : in_place(counters.refreshed_in_place.get()),
              responses_forwarded(counters.responses_forwarded.get()) {
            for (std::size_t i = 0; i < drops.size(); ++i) {
                drops[i] = counters.drops[i].get();
            }
        }
        std::uint64_t in_place;
        std::uint64_t responses_forwarded;
        std::array<std::uint64_t, static_cast<std::size_t>(DropReason::kCount)> drops;
    };

    // The test may have changed anything of the world since the last packet.
    void begin_round() {
        around_.identity = identity;
        around_.peers = peers;
        around_.emergency = emergency;
        around_.keys = *keys;
        around_.ports = {{}, {}};
        around_.settings = std::make_shared<edge::LiveSettings>(
            edge::LiveSettings{.registrar = policy,
                               .call_unreachable = call_unreachable,
                               .redirect = redirect,
                               .assert_identity = assert_identity});
        if (edge_ == nullptr) {
            shared_.emplace(edge::Shared{
                .table = *table, .qualify = qualify, .peer_health = peer_health, .pins = pins});
            edge_ = std::make_unique<edge::Edge<edge::test::TestSink>>(*shared_, *around_.settings,
                                                                       0, sink_, counters_);
        }
    }

    [[nodiscard]] edge::Round round() const {
        return {around_, {now_us, now_us / 1000, static_cast<std::uint32_t>(now_us / 1'000'000)}};
    }

    route::Sent what_came_of_it(const Counts& before) {
        route::Sent out;
        route::Decision& decision = out.decision;
        if (!sink_.pongs.empty()) {
            const edge::PongNotice pong = sink_.pongs.back();
            sink_.pongs.clear();
            decision.kind = route::Kind::kPong;
            decision.contact = pong.id;
            decision.flow_matches = pong.flow_matches != 0;
        } else if (!sink_.sent.empty()) {
            edge::test::Sent sent = std::move(sink_.sent.back());
            sink_.sent.clear();
            decision.kind = route::Kind::kForward;
            decision.flow = sent.flow;
            out.text = std::move(sent.text);
            // A response that was not forwarded is an answer of ours.
            if (out.text.starts_with("SIP/2.0 ") &&
                counters_.responses_forwarded.get() == before.responses_forwarded) {
                decision.kind = route::Kind::kReply;
                decision.code = static_cast<std::uint16_t>(std::stoi(out.text.substr(8, 3)));
            }
        } else {
            for (std::size_t reason = 0; reason < before.drops.size(); ++reason) {
                if (counters_.drops[reason].get() != before.drops[reason]) {
                    decision = route::Decision::drop(static_cast<DropReason>(reason));
                }
            }
        }
        return out;
    }

    edge::Surroundings around_{.keys = *keys};
    CoreCounters counters_;
    edge::test::TestSink sink_;
    std::optional<edge::Shared> shared_;
    std::unique_ptr<edge::Edge<edge::test::TestSink>> edge_;
    bool in_place_ = false;
};

}  // namespace pinhole::corpus
