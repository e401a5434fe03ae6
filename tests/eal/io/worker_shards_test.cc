// SPDX-License-Identifier: BSD-3-Clause
// Two workers that receive each other's packets, over the Mesh's rings: in one thread, step by
// step, and in two threads that change the same records.
#include "tests/eal/io/worker_scene.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <atomic>
#include <random>
#include <thread>

namespace pinhole::io {
namespace {

using testing::StartsWith;

class TwoWorkers : public WorkerScene {
  public:
    void SetUp() override { lay(2, 20'000); }
};

// The command and its answer travel by the Mesh's rings, and the packet stays where it is
// meanwhile.
TEST_F(TwoWorkers, HandOffWhatChangesStructure) {
    const std::string theirs = user_of(1);
    const Register request{.user = theirs};
    EXPECT_TRUE(edge->ask(0, to_edge(kNat, 1001), request.text()).empty()) << "waits for its owner";
    EXPECT_EQ(contacts(theirs), 0U);
    edge->worker(1).round();
    EXPECT_EQ(edge->counters(1).handoffs_served.get(), 1U);
    EXPECT_TRUE(edge->sent(1).empty()) << "a packet never leaves the worker that received it";
    edge->worker(0).round();
    const auto seen = edge->sent(0);
    ASSERT_EQ(seen.size(), 1U);
    EXPECT_TRUE(seen[0].sums_right);
    EXPECT_THAT(seen[0].text, StartsWith("SIP/2.0 200 OK\r\n"));
    EXPECT_EQ(seen[0].datagram.dst_port, 1001);
    EXPECT_EQ(contact(theirs).state.flow, at_edge(kNat, 1001));
}

// The loop serves the edge's timers.
TEST_F(TwoWorkers, OwnersThatDoNotAnswerAreCounted) {
    EXPECT_TRUE(edge->ask(0, to_edge(kNat, 1001), Register{.user = user_of(1)}.text()).empty());
    edge->worker(0).round();
    EXPECT_EQ(edge->counters(0).handoffs_late.get(), 0U);
    edge->pass_ms(edge::Edge<WorkerSink>::kLateOwner_ms);
    edge->worker(0).round();
    EXPECT_EQ(edge->counters(0).handoffs_late.get(), 1U);
}

TEST_F(TwoWorkers, PacketsThatWaitForAnOwnerAreFreedAtTheEnd) {
    for (std::uint16_t i = 0; i < 20; ++i) {
        edge->ask(0, to_edge(kNat, i + 1), Register{.user = user_of(1, i)}.text());
    }
    EXPECT_EQ(edge->counters(0).handoffs.get(), 20U);
    EXPECT_EQ(edge->table().counts().contacts, 0U);
}

// Of two ports, the one that leads out has a single queue: the second worker has none there.
TEST_F(TwoWorkers, TheFirstSendsForTheOtherWhereADeviceHasOneQueue) {
    end();
    FarSide far;
    ASSERT_TRUE(lay_veth(far));
    EdgeSettings settings;
    settings.io = settings_for(2, {{DeviceKind::kVdev, "net_ring0"},
                                   {DeviceKind::kVdev, "net_af_packet7,iface=near,qpairs=1"}});
    settings.out = 1;
    edge = std::make_unique<Edge>(settings);
    ASSERT_EQ(edge->ports().device(1).info().queues, 1U);
    ASSERT_TRUE(edge->ports().device(1).queue_for(0).has_value());
    ASSERT_FALSE(edge->ports().device(1).queue_for(1).has_value());
    const Register request{.user = user_of(1)};
    EXPECT_TRUE(edge->ask(1, to_edge(kNat, 1001), request.text()).empty())
        << "the answer leaves by the other port";
    EXPECT_EQ(contacts(request.user), 1U);
    EXPECT_EQ(edge->responses(1, 200), 1U);
    EXPECT_EQ(edge->counters(1).tx_packets.get(), 0U);
    edge->worker(0).round();
    EXPECT_EQ(edge->counters(0).tx_packets.get(), 1U);
    EXPECT_EQ(edge->drops(0, DropReason::kTxFull) + edge->drops(1, DropReason::kTxFull), 0U);
}

// One of the two phones of each AOR, and all that this side asks for it. Each side's packets arrive
// at its own worker.
class Side {
  public:
    static constexpr unsigned kAors = 3000;

    Side(Edge& edge, unsigned worker, std::atomic<unsigned>& sides_done)
        : edge_(edge), worker_(worker), sides_done_(sides_done), phones_(kAors), order_(kAors) {
        for (unsigned n = 0; n < kAors; ++n) {
            order_[n] = n;
        }
    }

    void run(unsigned passes) {
        std::mt19937 random(worker_);
        for (unsigned pass = 0; pass < passes; ++pass) {
            std::shuffle(order_.begin(), order_.end(), random);
            pass_once(order_);
            // A record that the other side holds for long (its thread may be off its core) gives no
            // answer or a 503: the phone tries again.
            for (auto left = not_served(); !left.empty(); left = not_served()) {
                pass_once(left);
            }
        }
        sides_done_.fetch_add(1);
        // The other side may still need this owner.
        while (sides_done_.load() != 2) {
            turn();
        }
    }

    std::uint64_t asked = 0, answered = 0, wrong = 0;
    [[nodiscard]] unsigned cseq(unsigned n) const { return phones_[n].cseq; }
    [[nodiscard]] std::uint16_t port(unsigned n) const {
        return static_cast<std::uint16_t>(10'000 + worker_ * 20'000 + n);
    }

  private:
    struct Phone {
        unsigned cseq = 0;
        bool waits = false;
        bool served = false;
    };

    [[nodiscard]] std::vector<unsigned> not_served() const {
        std::vector<unsigned> left;
        for (unsigned n = 0; n < kAors; ++n) {
            if (!phones_[n].served) {
                left.push_back(n);
            }
        }
        return left;
    }

    [[nodiscard]] std::string text(unsigned n) const {
        return Register{.user = "u" + std::to_string(n),
                        .call_id = "w" + std::to_string(worker_) + "-" + std::to_string(n) + "-",
                        .cseq = phones_[n].cseq,
                        .contact = "<sip:u@192.168." + std::to_string(worker_) + ".10:5060>"}
            .text();
    }
    void ask(unsigned n) {
        ++phones_[n].cseq;
        phones_[n].waits = true;
        phones_[n].served = false;
        ++asked;
        ++waiting_;
        edge_.put(worker_, to_edge(kNat, port(n)), text(n));
    }
    void pass_once(const std::vector<unsigned>& phones) {
        for (std::size_t at = 0; at < phones.size();) {
            for (unsigned i = 0; i < Worker::kBurst && at < phones.size(); ++i) {
                ask(phones[at++]);
            }
            turn();
            // An owner that the scheduler keeps away must not cost packets here.
            while (waiting_ > edge::kMaxJobs / 2) {
                turn();
            }
        }
        while (waiting_ != 0) {
            turn();
        }
    }
    void turn() {
        edge_.worker(worker_).round();
        const std::uint64_t contended = edge_.drops(worker_, DropReason::kContended);
        waiting_ -= contended - contended_;
        contended_ = contended;
        const auto seen = edge_.sent(worker_);
        if (seen.empty()) {
            std::this_thread::yield();
        }
        for (const Seen& reply : seen) {
            take(reply);
        }
    }
    void take(const Seen& reply) {
        const unsigned n = reply.datagram.dst_port - port(0);
        const bool mine =
            n < kAors && phones_[n].waits &&
            reply.has("CSeq: " + std::to_string(phones_[n].cseq) + " REGISTER") &&
            reply.has("Call-ID: w" + std::to_string(worker_) + "-" + std::to_string(n) + "-\r\n");
        if (!mine || !reply.sums_right) {
            ++wrong;
            return;
        }
        phones_[n].waits = false;
        --waiting_;
        ++answered;
        phones_[n].served = reply.text.starts_with("SIP/2.0 200 ");
    }

    Edge& edge_;
    unsigned worker_;
    std::atomic<unsigned>& sides_done_;
    std::vector<Phone> phones_;
    std::vector<unsigned> order_;
    std::uint64_t waiting_ = 0;
    std::uint64_t contended_ = 0;
};

TEST_F(TwoWorkers, AnswerEveryRequestOnceWhileBothChangeTheSameRecords) {
    constexpr unsigned kPasses = 6;
    std::atomic<unsigned> done{0};
    std::array<Side, 2> sides{Side(*edge, 0, done), Side(*edge, 1, done)};
    std::thread other([&] { sides[1].run(kPasses); });
    sides[0].run(kPasses);
    other.join();

    std::uint64_t handoffs = 0;
    std::uint64_t served = 0;
    for (unsigned w = 0; w < 2; ++w) {
        EXPECT_EQ(sides[w].wrong, 0U);
        EXPECT_EQ(sides[w].answered + edge->drops(w, DropReason::kContended), sides[w].asked);
        EXPECT_GT(edge->counters(w).handoffs.get(), Side::kAors / 4);
        EXPECT_EQ(edge->drops(w, DropReason::kHandoffFull), 0U);
        handoffs += edge->counters(w).handoffs.get();
        served += edge->counters(w).handoffs_served.get();
    }
    EXPECT_EQ(handoffs, served);
    EXPECT_EQ(edge->table().counts().records, Side::kAors);
    EXPECT_EQ(edge->table().counts().contacts, 2 * Side::kAors);
    for (unsigned n = 0; n < Side::kAors; ++n) {
        const std::string user = "u" + std::to_string(n);
        ASSERT_EQ(contacts(user), 2U) << user;
        for (std::size_t i = 0; i < 2; ++i) {
            const table::ContactView phone = contact(user, i);
            const unsigned w = phone.uri == "sip:u@192.168.0.10:5060" ? 0 : 1;
            EXPECT_EQ(phone.state.cseq, sides[w].cseq(n));
            EXPECT_EQ(phone.state.flow, at_edge(kNat, sides[w].port(n)));
        }
    }
}

}  // namespace
}  // namespace pinhole::io
