// SPDX-License-Identifier: BSD-3-Clause
#include "bench/load/calls.h"

#include <optional>

namespace pinhole::load {

void Calls::call(PhoneIndex phone, std::uint64_t from_ns, std::uint64_t now_ns) {
    const Ticket ticket{phone, next_};
    at(next_++) = {from_ns, ticket, true};
    ++under_way_;
    if (char* out = stage_.batch.room(); out != nullptr) {
        stage_.leave_core(stage_.messages.write_invite(stage_.fields(ticket), out));
        stage_.tally->calls.add();
    }
    waiting_.add(ticket, now_ns);
}

bool Calls::fits(const Ticket& ticket, const sip::Message& answer) {
    Tally& tally = *stage_.tally;
    if (ticket.phone >= stage_.plan.phones || ticket.sequence >= next_ ||
        answer.cseq != kFirstSequence + ticket.sequence) {
        tally.count(Wrong::kNotAsked);
        return false;
    }
    if (!stage_.messages.is_call(answer.call_id(), stage_.fields(ticket))) {
        tally.count(Wrong::kOtherCall);
        return false;
    }
    if (!is_open(ticket)) {
        tally.late.add();
        return false;
    }
    return true;
}

bool Calls::answered(const sip::Message& answer, std::uint64_t now_ns) {
    Tally& tally = *stage_.tally;
    const std::optional<Ticket> ticket = stage_.messages.ticket_of(answer);
    if (!ticket) {
        tally.count(Wrong::kNotAsked);
        return false;
    }
    if (!fits(*ticket, answer)) {
        return false;
    }
    tally.call_answers[answer.status].add();
    tally.heard(now_ns);
    if (answer.status < 200) {
        return false;
    }
    Call& call = at(ticket->sequence);
    call.open = false;
    --under_way_;
    acknowledge(*ticket, answer);
    if (answer.status / 100 == 3 && !may_redirect_to(answer, stage_.fields(*ticket))) {
        tally.count(Wrong::kOtherUser);
        return true;
    }
    tally.calls_done.add();
    tally.call_latency.record(now_ns - call.from_ns);
    return true;
}

void Calls::acknowledge(const Ticket& ticket, const sip::Message& answer) {
    if (char* out = stage_.batch.room(); out != nullptr) {
        stage_.leave_core(stage_.messages.write_ack(stage_.fields(ticket), answer, out));
    }
}

void Calls::sweep(std::uint64_t now_ns) {
    waiting_.sweep(
        now_ns, [this](const Ticket& ticket) { return is_open(ticket); },
        [this](const Ticket& ticket) {
            at(ticket.sequence).open = false;
            --under_way_;
            stage_.tally->calls_lost.add();
        });
}

}  // namespace pinhole::load
