// SPDX-License-Identifier: BSD-3-Clause
// What a worker does with a burst of SIP datagrams, stage by stage: parse all, fetch buckets, fetch
// records, then decide and answer each. A REGISTER that changes nothing but a contact's state is
// done in place; what changes structure goes to the shard's owner as a command, its packet waiting
// here for the answer. One worker.
#pragma once

#include "dataplane/admit/allowance_copy.h"
#include "dataplane/admit/overload.h"
#include "dataplane/admit/rate_limits.h"
#include "dataplane/admit/tarpit.h"
#include "dataplane/auth/checker.h"
#include "dataplane/counters.h"
#include "dataplane/edge/command.h"
#include "dataplane/edge/surroundings.h"
#include "dataplane/io/clock.h"
#include "dataplane/io/mesh.h"
#include "dataplane/io/post.h"
#include "dataplane/io/transmit.h"
#include "dataplane/nat/alg.h"
#include "dataplane/net/packet.h"
#include "dataplane/registrar/rules.h"
#include "dataplane/route/answer.h"
#include "dataplane/route/context.h"
#include "dataplane/route/ping.h"
#include "dataplane/screen/rule_set.h"
#include "dataplane/sip/message.h"
#include "dataplane/table/binding_table.h"
#include "dataplane/table/qualify_state.h"

#include <rte_mbuf.h>

#include <array>
#include <memory>
#include <optional>
#include <vector>

namespace pinhole::io {

// Of [auth] mode = "digest".
struct Authentication {
    const auth::DigestPolicy& policy;
    auth::NonceWindows& windows;
    const auth::SubscribersPointer& subscribers;  // never null
};

// What all workers share and none of them owns.
struct Shared {
    table::BindingTable& table;
    table::QualifyTable& qualify;  // read, but for proofs of life
    const route::PeerHealth& peer_health;
    route::PinTable& pins;
    std::size_t limit_sources = 1024;
    const screen::RuleSetPointer* screening = nullptr;  // null: nothing is screened
    bool refuse_when_overloaded = false;                // [overload] enabled
    const Authentication* authentication = nullptr;     // null: nobody is asked who he is
};

class SipStage {
  public:
    static constexpr unsigned kBurst = 32;
    // Packets that wait for an owner's answer, and the burst in hand. Fewer than a command ring's
    // slots, so that neither a command nor an answer finds it full.
    static constexpr unsigned kContexts = 1024;
    // At most so many wait at once.
    static constexpr unsigned kMaxWaiting = kContexts - kBurst;

    // `live`: the settings of the beginning.
    SipStage(const Shared& shared, const edge::LiveSettings& live, Mesh& mesh, unsigned worker,
             Transmit& transmit, Post& post, CoreCounters& counters);
    ~SipStage();  // frees the packets that still wait
    SipStage(const SipStage&) = delete;
    SipStage& operator=(const SipStage&) = delete;

    // Adds a datagram to the burst, or drops it where too many wait. At most kBurst between two
    // calls of run().
    void take(rte_mbuf* mbuf, const net::Datagram& datagram, net::PortIndex port);
    // What the round's look at the receive queues has shown: `backlog`, there is more than a burst.
    void note_queues(bool backlog, const Moment& now) { overload_.note_queues(backlog, now.us); }
    // Works on the burst.
    void run(const edge::Surroundings& around, const Moment& now);
    // What is known of the phones behind addresses: from an earlier run, and for a later one.
    void remember(const admit::SourceName& address, float phones, const Moment& now);
    void copy_allowances(const Moment& now) { allowances_.step_worker(limits_.addresses(), now.s); }
    [[nodiscard]] admit::AllowanceCopy& allowances() { return allowances_; }
    // A command for this worker, or the answer to one of its own.
    void serve(const edge::Command& command, const edge::Surroundings& around, const Moment& now);

  private:
    // By overload: answered with 503, or dropped.
    enum class Refusal : std::uint8_t { kNone, kAnswered, kSilent };
    struct Context {
        rte_mbuf* mbuf = nullptr;
        net::Flow flow;  // as the packet came
        std::string_view text;
        sip::ParseError error = sip::ParseError::kOk;
        std::optional<unsigned> peer;     // the core peer that sent it
        std::optional<route::Pong> pong;  // the datagram is one, and `message` stays unread
        screen::Verdict screened;
        std::uint64_t flow_hash = 0;  // under pressure alone
        Refusal refusal = Refusal::kNone;
        bool for_registrar = false;
        // What is to be fetched of the table before it is decided.
        enum class Wants : std::uint8_t { kNothing, kAor, kContact } wants = Wants::kNothing;
        std::uint64_t wanted = 0;  // the AOR's hash, or the contact's slot
        route::ReadAor called;     // of a request that is routed, in request.aor_text
        registrar::Verdict verdict = registrar::Verdict::kOk;
        // What is kGood and new has shown a secret just now.
        AuthResult proof = AuthResult::kGood;
        bool proven = false;
        sip::Message message;
        registrar::RegisterRequest request;
    };
    enum class Outcome : std::uint8_t { kFinished, kWaits };

    void use(const edge::Surroundings& around, const Moment& now);
    [[nodiscard]] const edge::LiveSettings& live() const { return *around_->settings; }
    void fetch_records() const;
    void fetch_states() const;
    [[nodiscard]] std::optional<unsigned> peer_of(const Context& context) const;
    void rank_burst();
    [[nodiscard]] admit::Rank rank_of(const Context& context, admit::Glance glance) const;
    [[nodiscard]] bool calls_for_help(Context& context) const;
    void rank(Context& context);
    void refuse(Context& context);
    void parse(Context& context);
    [[nodiscard]] bool let_in(Context& context);
    [[nodiscard]] bool is_screened(const Context& context) const;
    [[nodiscard]] screen::Verdict screen(const Context& context);
    void turn_away(Context& context);
    void answer_or_drop(Context& context, const route::Answer& what, DropReason otherwise);
    [[nodiscard]] route::AnswerResult answer(Context& context, const route::Answer& what);
    void prepare_call(Context& context);
    void prepare_response(Context& context);
    void want_contact(Context& context, std::uint32_t slot);
    void want_aor(Context& context, std::uint64_t aor_hash);
    void prepare_register(Context& context);
    [[nodiscard]] Outcome decide(Context& context);
    [[nodiscard]] bool admit(Context& context);
    [[nodiscard]] bool is_emergency(const sip::Message& message) const;
    void note_change(const Context& context, bool arrives);
    // Port reuse: sip_stage_takeover.cc.
    void look_for_displaced(const Context& context);
    void suspect(const table::ContactView& seen);
    [[nodiscard]] Outcome register_contacts(Context& context);
    [[nodiscard]] bool refresh_in_place(Context& context, const table::Record& record,
                                        Outcome& outcome);
    [[nodiscard]] const table::Record* find(const registrar::RegisterRequest& request) const;
    [[nodiscard]] registrar::ReadContext reading() const;
    [[nodiscard]] static nat::Alg alg_of(const Context& context);
    [[nodiscard]] Outcome ask_owner(Context& context);
    // `arrives`: the AOR had no contact at the request's flow before.
    [[nodiscard]] registrar::Verdict apply(const registrar::RegisterRequest& request,
                                           bool& arrives);
    // `record` is the AOR's as it stands now; of a refusal nothing is looked at.
    void answer_register(Context& context, const table::Record* record);
    [[nodiscard]] static net::Flow answer_flow(const Context& context);
    // Authentication: sip_stage_auth.cc.
    // Whose attempts_ are to be settled.
    struct Proofs {
        std::array<Context*, kBurst> contexts;
        std::size_t count = 0;
    };
    [[nodiscard]] static bool must_prove(const Context& context);
    void read_attempts(Proofs& proofs);
    void read_attempt(const Context& context, sip::HeaderId header, std::string_view aor,
                      std::uint64_t aor_hash, auth::Attempt& out);
    void limit_guesses(const Context& context, auth::Attempt& attempt) const;
    [[nodiscard]] bool is_exempt(const Context& context, const auth::Attempt& attempt) const;
    void settle(Proofs& proofs);
    void note_attempt(const Context& context, const auth::Attempt& attempt);
    [[nodiscard]] bool admits(Context& context, AuthResult proof, unsigned code,
                              std::uint64_t aor_hash);
    void challenge(Context& context, unsigned code, std::uint64_t aor_hash, bool stale);
    [[nodiscard]] bool may_prove(const Context& context, std::array<char, sip::kMaxAor>& room,
                                 std::string_view& aor) const;
    [[nodiscard]] bool prove_caller(Context& context, std::string_view aor, route::Proven& out);
    [[nodiscard]] bool has_answered(const table::Record* record, const net::Flow& flow) const;
    [[nodiscard]] bool answer_stun(Context& context);
    void route_message(Context& context);
    void count(const route::Decision& decision);
    void note_proof(const Context& context, const table::Record& record,
                    const registrar::Named& named);
    void note_proof(const net::Flow& flow);
    void note_proof(std::uint32_t slot, std::uint32_t generation, table::Proof proof);
    void carry_out(Context& context, const route::Decision& decision, std::string_view out);
    void take_pong(const route::Decision& decision);
    void take_peer_pong(const route::Decision& decision);
    void drop(Context& context, DropReason reason);
    void release(Context& context);
    void remove(const edge::Command& command);
    void retarget(table::ContactId id);

    const Shared& shared_;
    Mesh& mesh_;
    const unsigned worker_;
    Transmit& transmit_;
    Post& post_;
    CoreCounters& counters_;
    std::uint32_t edition_;  // of the settings that limits_ knows
    admit::Limits limits_;
    admit::AllowanceCopy allowances_;
    const edge::Surroundings* around_ = nullptr;  // of the round in hand
    const screen::RuleSet* rules_ = nullptr;      // likewise; null: none
    Moment now_;

    std::unique_ptr<Context[]> contexts_;
    std::vector<std::uint32_t> free_;  // the last returned first: its lines are warm
    std::array<Context*, kBurst> burst_{};
    unsigned burst_count_ = 0;

    admit::Tarpit tarpit_;
    admit::Overload overload_;
    std::optional<auth::Checker> checker_;
    std::array<auth::Attempt, kBurst> attempts_;
    const auth::Subscribers* subscribers_ = nullptr;  // of the round in hand
    std::uint32_t challenges_ = 0;

    std::array<char, kMaxFrameBytes> out_text_;
};

}  // namespace pinhole::io
