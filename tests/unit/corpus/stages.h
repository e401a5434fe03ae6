// SPDX-License-Identifier: BSD-3-Clause
// A worker's stages over one datagram as far as they are pure: parse, then the registrar or routing,
// with the small edge of routing's tests around them. What a worker does by its own rounds and rings
// (limits, hand-offs) is not here. For tests and fuzzers; one thread.
#pragma once

#include "dataplane/registrar/answer.h"
#include "dataplane/registrar/register_request.h"
#include "dataplane/registrar/rules.h"
#include "dataplane/route/answer.h"
#include "dataplane/route/ping.h"
#include "dataplane/route/reply_target.h"
#include "dataplane/route/response.h"
#include "dataplane/route/tag.h"
#include "dataplane/sip/via.h"
#include "tests/unit/route/world.h"

#include <array>
#include <memory>
#include <string>
#include <string_view>

namespace pinhole::corpus {

class Edge : public route::World {
  public:
    using route::World::World;

    // As a worker takes a datagram: `text` byte for byte.
    route::Sent take(std::string_view text, const net::Flow& by, bool from_core_peer = false) {
        if (const auto pong = route::read_pong(text, *keys, now_us)) {
            route::Sent sent;
            sent.decision = route::decide_pong(*pong, by, *table);
            return sent;
        }
        sip::Message message;
        const bool for_registrar = sip::parse(text, message) == sip::ParseError::kOk &&
                                   route::is_for_registrar(message, identity) &&
                                   message.top_via() != nullptr;
        return for_registrar ? take_register(message, by) : receive_bytes(text, by, from_core_peer);
    }

    // Did the last REGISTER change nothing but states, as any worker may?
    [[nodiscard]] bool last_was_in_place() const { return in_place_; }

    registrar::RegistrarPolicy policy;

  private:
    route::Sent take_register(const sip::Message& message, const net::Flow& by) {
        const net::Flow flow = route::answer_flow(message, by);
        request_ = std::make_unique<registrar::RegisterRequest>();
        const registrar::ReadContext reading{policy, identity, table->hash(), now()};
        registrar::Verdict verdict = registrar::read_whose(message, flow, reading, *request_);
        const table::Record* record = nullptr;
        if (verdict == registrar::Verdict::kOk) {
            record = table->find(request_->aor_hash, request_->aor);
            verdict = registrar::read_contacts(message, reading, record, *request_);
        }
        if (verdict == registrar::Verdict::kOk) {
            verdict = carry_out();
            record = table->find(request_->aor_hash, request_->aor);
        }
        return answer(message, verdict, record, by, flow);
    }

    registrar::Verdict carry_out() {
        const registrar::RegisterRequest& request = *request_;
        in_place_ = false;
        if (request.count == 0 && !request.star) {
            return registrar::Verdict::kOk;
        }
        const table::Record* record = table->find(request.aor_hash, request.aor);
        auto done = registrar::InPlace::kNeedsOwner;
        if (record != nullptr && registrar::may_refresh(*record, request)) {
            (void)table->refresh_any(*record, [&](table::ClaimedRecord& claimed) {
                registrar::Named named;
                done = registrar::refresh(claimed, request, named);
            });
        }
        if (done != registrar::InPlace::kNeedsOwner) {
            in_place_ = true;
            return done == registrar::InPlace::kDone ? registrar::Verdict::kOk
                                                     : registrar::Verdict::kOutOfOrder;
        }
        registrar::Verdict planned = registrar::Verdict::kOk;
        const auto changed = table->change_owner(
            request.aor_hash, request.aor, [&](const table::Current& current, table::Edit& edit) {
                planned = registrar::plan(current, request, policy, {}, edit);
                return planned == registrar::Verdict::kOk;
            });
        table->reclaim_owner(0);
        const bool carried_out = changed.result == table::ChangeResult::kOk ||
                                 changed.result == table::ChangeResult::kNothing;
        return carried_out ? planned : registrar::Verdict::kTableFull;
    }

    route::Sent answer(const sip::Message& message, registrar::Verdict verdict,
                       const table::Record* record, const net::Flow& by, const net::Flow& flow) {
        const route::TagText tag = route::make_tag(*keys, message);
        registrar::AnswerContext how{route::reply_via(flow, by), tag.view(), now(), flow};
        std::string buffer(65535, '\0');
        sip::Writer out(buffer.data(), buffer.size());
        const std::size_t limit = route::answer_limit(message.datagram.size(), by.is_v4());
        registrar::Answered answered;
        std::array<char, registrar::kMaxOkHeaders> lines;
        sip::Writer headers(lines.data(), lines.size());
        if (verdict == registrar::Verdict::kOk) {
            registrar::write_ok_headers(*request_, policy, headers);
            how.headers = headers.view();
            how.limit = limit;
            answered = registrar::write_ok(message, record, how, out);
        } else {
            answered = registrar::write_refusal(message, verdict, policy, 10, how, out);
        }
        route::Sent sent;
        if (answered != registrar::Answered::kWritten || out.size() > limit) {
            sent.decision = route::Decision::drop(DropReason::kAmplification);
            return sent;
        }
        sent.decision.kind = route::Kind::kReply;
        sent.decision.code = static_cast<std::uint16_t>(registrar::status_of(verdict));
        sent.decision.flow = flow;
        sent.text = std::string(out.view());
        return sent;
    }

    [[nodiscard]] Moment now() const {
        return {now_us, now_us / 1000, static_cast<std::uint32_t>(now_us / 1'000'000)};
    }

    std::unique_ptr<registrar::RegisterRequest> request_;
    bool in_place_ = false;
};

}  // namespace pinhole::corpus
