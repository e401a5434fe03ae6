// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/edge/small_answer.h"

#include "dataplane/route/reply_target.h"

namespace pinhole::edge {

std::optional<Outcome> try_small_answer(const Job& job, const Round& round,
                                        const route::Answer& answer, CoreCounters& counters,
                                        sip::Writer& out) {
    out.clear();
    const route::AnswerResult result =
        route::write_answer(job.message, job.packet.flow, round.around.keys, answer, false, out);
    switch (result) {
        case route::AnswerResult::kWritten:
            counters.responses[answer.code].add();
            return Outcome::send(route::answer_flow(job.message, job.packet.flow));
        case route::AnswerResult::kDoesNotFit:
            return Outcome::drop(DropReason::kTooLarge);
        case route::AnswerResult::kAmplifies:
            break;
    }
    return std::nullopt;
}

Outcome small_answer(const Job& job, const Round& round, const route::Answer& answer,
                     DropReason otherwise, CoreCounters& counters, sip::Writer& out) {
    if (!job.message.answerable() || job.message.top_via() == nullptr) {
        return Outcome::drop(otherwise);
    }
    return try_small_answer(job, round, answer, counters, out)
        .value_or(Outcome::drop(DropReason::kAmplification));
}

}  // namespace pinhole::edge
