// SPDX-License-Identifier: BSD-3-Clause
// Each stage alone, without an edge around it: a job in, an outcome out.
#include "dataplane/edge/gate_stage.h"
#include "dataplane/edge/owner.h"
#include "dataplane/edge/prove_stage.h"
#include "dataplane/edge/rank_stage.h"
#include "dataplane/edge/register_stage.h"
#include "dataplane/edge/route_stage.h"
#include "tests/unit/edge/edges.h"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <memory>
#include <string>

namespace pinhole::edge::test {
namespace {

using Kind = Outcome::Kind;

std::string request(const std::string& method, const std::string& uri, const std::string& extra) {
    return method + " " + uri +
           " SIP/2.0\r\nVia: SIP/2.0/UDP 192.168.1.10:5060;branch=z9hG4bKa;rport\r\n"
           "Max-Forwards: 70\r\nFrom: <sip:100@example.com>;tag=f\r\n"
           "To: <sip:100@example.com>\r\nCall-ID: c\r\nCSeq: 1 " +
           method + "\r\n" + extra + "Content-Length: 0\r\n\r\n";
}
const std::string kRegister =
    request("REGISTER", "sip:example.com",
            "Contact: <sip:100@192.168.1.10:5060>\r\nExpires: 600\r\nX-Room: some more bytes\r\n");
const std::string kOptions = request("OPTIONS", "sip:example.com", "");

// What the stages share; the edges themselves are not used.
class Stages : public testing::Test {
  protected:
    [[nodiscard]] Round round() { return {edges.around(), edges.now()}; }

    Job& job_of(const std::string& text, const net::Flow& flow) {
        text_ = text;
        job.begin({}, text_, flow);
        return job;
    }
    Outcome pass(GateStage& gate, const std::string& text, const net::Flow& flow) {
        out.clear();
        gate.begin();
        return gate.admit(job_of(text, flow), round(), out);
    }

    Edges edges;
    route::PeerHealth peer_health{1};
    route::PinTable pins{64};
    Shared shared{.table = edges.table(),
                  .qualify = edges.qualify(),
                  .peer_health = peer_health,
                  .pins = pins};
    CoreCounters counters;
    admit::Limits limits{{.enabled = false}, 64, 1, edges.table().hash()};
    RankStage rank{shared, counters};
    const net::Flow phone = from(kNat, 32947);
    std::unique_ptr<Job> job_ = std::make_unique<Job>();
    Job& job = *job_;
    std::array<char, kMaxMessageBytes> room;
    sip::Writer out{room.data(), room.size()};

  private:
    std::string text_;
};

TEST_F(Stages, TheRankRefusesNobodyWithoutPressure) {
    Job* const burst[] = {&job_of(kOptions, phone)};
    rank.run(burst, round());
    EXPECT_EQ(job.refusal, Refusal::kNone);
}

TEST_F(Stages, TheRankRefusesStrangersFirst) {
    Shared pressed = shared;
    pressed.refuse_when_overloaded = true;
    RankStage stage(pressed, counters);
    Moment now = edges.now();
    for (unsigned ms = 0; ms < 100; ++ms) {
        now.us += 1000;
        stage.note_queues(true, now);
    }
    Job* const burst[] = {&job_of(kOptions, phone)};
    stage.run(burst, round());
    EXPECT_NE(job.refusal, Refusal::kNone);
    (void)job_of(kOptions, from(kCore, kSip));
    stage.run(burst, round());
    EXPECT_EQ(job.refusal, Refusal::kNone) << "a core peer";
}

TEST_F(Stages, TheGateTellsWhoseAPacketIs) {
    GateStage gate(shared, rank, limits, 0, counters);
    EXPECT_TRUE(pass(gate, kRegister, phone).goes_on());
    EXPECT_EQ(job.task, Task::kRegister);
    EXPECT_TRUE(pass(gate, kOptions, phone).goes_on());
    EXPECT_EQ(job.task, Task::kRoute);
    EXPECT_FALSE(job.peer.has_value());
    EXPECT_TRUE(pass(gate, kOptions, from(kCore, kSip)).goes_on());
    EXPECT_TRUE(job.peer.has_value());
}

TEST_F(Stages, TheGateKeepsStrangersOffCorePorts) {
    edges.around().ports[0].role = Role::kCore;
    GateStage gate(shared, rank, limits, 0, counters);
    const Outcome outcome = pass(gate, kOptions, phone);
    EXPECT_EQ(outcome.kind, Kind::kDrop);
    EXPECT_EQ(outcome.reason, DropReason::kStranger);
}

TEST_F(Stages, TheGateHoldsASenderToItsLimit) {
    admit::Limits few({.flow = {60, 2}}, 64, 1, edges.table().hash());
    GateStage gate(shared, rank, few, 0, counters);
    EXPECT_TRUE(pass(gate, kOptions, phone).goes_on());
    EXPECT_TRUE(pass(gate, kOptions, phone).goes_on());
    const Outcome third = pass(gate, kOptions, phone);
    EXPECT_EQ(third.kind, Kind::kDrop);
    EXPECT_EQ(third.reason, DropReason::kFlowLimit);
}

TEST_F(Stages, NobodyIsAskedWherePasswordsAreOff) {
    GateStage gate(shared, rank, limits, 0, counters);
    ASSERT_TRUE(pass(gate, kRegister, phone).goes_on());
    ProveStage prove(shared, limits, 0, counters);
    Job* const burst[] = {&job};
    prove.read(burst, round());
    prove.settle(round());
    EXPECT_FALSE(job.proof.has_value());
    EXPECT_FALSE(job.is_proven());
}

TEST_F(Stages, ARegisterIsCarriedOutByItsOwner) {
    GateStage gate(shared, rank, limits, 0, counters);
    ASSERT_TRUE(pass(gate, kRegister, phone).goes_on());
    Owner owner(shared, counters);
    RegisterStage stage(shared, limits, owner, 0, counters);
    stage.prepare(job, round());
    EXPECT_EQ(job.wanted.kind, Wanted::Kind::kAor);
    const Outcome outcome = stage.decide(job, round(), true, out);
    EXPECT_EQ(outcome.kind, Kind::kSend);
    EXPECT_EQ(outcome.flow, phone);
    EXPECT_TRUE(out.view().starts_with("SIP/2.0 200 OK\r\n"));
    stage.release(job);
    ASSERT_EQ(edges.contacts("100"), 1U);
    // And removed, if it is still as the asker saw it.
    Command command;
    command.kind = CommandKind::kExpire;
    command.id = edges.contact("100").id;
    owner.remove(command, edges.now());
    EXPECT_EQ(edges.contacts("100"), 1U) << "its time is not over";
    command.kind = CommandKind::kRemove;
    std::atomic<std::uint32_t> done{0};
    command.done = &done;
    owner.remove(command, edges.now());
    EXPECT_EQ(done.load(), 1U);
    EXPECT_EQ(edges.contacts("100"), 0U);
}

TEST_F(Stages, ARegisterOfAnothersShardWaitsOrIsDropped) {
    Edges two({.workers = 2});
    Shared of_two{.table = two.table(),
                  .qualify = two.qualify(),
                  .peer_health = peer_health,
                  .pins = pins,
                  .workers = 2};
    const std::string theirs = two.user_of(1);
    std::string text = kRegister;
    for (std::size_t at; (at = text.find("sip:100@example.com")) != std::string::npos;) {
        text.replace(at, 19, "sip:" + theirs + "@example.com");
    }
    GateStage gate(of_two, rank, limits, 0, counters);
    Owner owner(of_two, counters);
    RegisterStage stage(of_two, limits, owner, 0, counters);
    ASSERT_TRUE(pass(gate, text, phone).goes_on());
    stage.prepare(job, round());
    const Outcome waits = stage.decide(job, round(), true, out);
    EXPECT_EQ(waits.kind, Kind::kAskOwner);
    EXPECT_EQ(waits.owner, 1U);
    stage.release(job);
    ASSERT_TRUE(pass(gate, text, phone).goes_on());
    stage.prepare(job, round());
    const Outcome dropped = stage.decide(job, round(), false, out);
    EXPECT_EQ(dropped.kind, Kind::kDrop);
    EXPECT_EQ(dropped.reason, DropReason::kHandoffFull);
    stage.release(job);
}

TEST_F(Stages, RoutingAnswersAtTheEdge) {
    GateStage gate(shared, rank, limits, 0, counters);
    ASSERT_TRUE(pass(gate, kOptions, from(kCore, kSip)).goes_on());
    ProveStage prove(shared, limits, 0, counters);
    RouteStage route(shared, prove, counters);
    route.begin();
    route.prepare(job);
    out.clear();
    const Outcome outcome = route.decide(job, round(), out);
    EXPECT_EQ(outcome.kind, Kind::kSend);
    EXPECT_EQ(outcome.flow, from(kCore, kSip));
    EXPECT_TRUE(out.view().starts_with("SIP/2.0 200 "));
}

}  // namespace
}  // namespace pinhole::edge::test
