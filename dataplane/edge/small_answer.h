// SPDX-License-Identifier: BSD-3-Clause
// Answers to senders that have proved nothing: no larger than what they sent allows
// (route/answer.h), so that a forged address gains nothing by them. One worker.
#pragma once

#include "dataplane/counters.h"
#include "dataplane/edge/job.h"
#include "dataplane/edge/outcome.h"
#include "dataplane/edge/round.h"
#include "dataplane/route/answer.h"
#include "dataplane/sip/writer.h"

namespace pinhole::edge {

// Writes the answer and counts it. Drops the request where it can't be answered, for `otherwise`,
// or where every answer would be too large.
[[nodiscard]] Outcome small_answer(const Job& job, const Round& round, const route::Answer& answer,
                                   DropReason otherwise, CoreCounters& counters, sip::Writer& out);

// The same for a request that can be answered, but leaves it to the caller to try a smaller answer:
// none, where this one is too large.
[[nodiscard]] std::optional<Outcome> try_small_answer(const Job& job, const Round& round,
                                                      const route::Answer& answer,
                                                      CoreCounters& counters, sip::Writer& out);

}  // namespace pinhole::edge
