// SPDX-License-Identifier: BSD-3-Clause
// Who sends a REGISTER, and who calls from a flow that is not registered: asked for a password
// (RFC 3261 §22) before any binding is looked at. REGISTERs are proved over the burst, so that
// digests are made side by side; a caller alone. Nothing is kept of a request that has not shown a
// password. One worker.
#pragma once

#include "dataplane/admit/rate_limits.h"
#include "dataplane/auth/checker.h"
#include "dataplane/edge/capacity.h"
#include "dataplane/edge/job.h"
#include "dataplane/edge/outcome.h"
#include "dataplane/edge/round.h"
#include "dataplane/edge/shared.h"
#include "dataplane/sip/writer.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace pinhole::edge {

class ProveStage {
  public:
    ProveStage(const Shared& shared, admit::Limits& limits, unsigned worker,
               CoreCounters& counters);

    // Two steps over the burst, between which the caller may fetch what comes next: reads the
    // credentials of its REGISTERs, then makes their digests and sets each job's `proof`.
    void read(std::span<Job* const> burst, const Round& round);
    void settle(const Round& round);

    // Lets a REGISTER that has a `proof` go on if it is good; challenges or refuses it.
    [[nodiscard]] Outcome admit(const Job& job, const Round& round, sip::Writer& out);

    // The AOR that a request claims to come from, canonical and written to `room`, if its sender
    // may prove that by a password. Whether there is such a user makes no difference.
    [[nodiscard]] std::optional<std::string_view> claimed_aor(
        const Job& job, const Round& round, std::array<char, sip::kMaxAor>& room) const;
    // Proves a caller who claims `aor`. Goes on with `out_proven` filled in, or challenges the
    // caller.
    [[nodiscard]] Outcome prove_caller(const Job& job, const Round& round, std::string_view aor,
                                       route::Proven& out_proven, sip::Writer& out);

  private:
    void read_one(const Job& job, const Round& round, sip::HeaderId header, std::string_view aor,
                  std::uint64_t aor_hash, auth::Attempt& out);
    void limit_guesses(const Job& job, const Round& round, auth::Attempt& attempt) const;
    [[nodiscard]] bool is_exempt(const Job& job, const Round& round,
                                 const auth::Attempt& attempt) const;
    void note(const Job& job, const Round& round, const auth::Attempt& attempt);
    [[nodiscard]] Outcome judge(const Job& job, const Round& round, AuthResult proof,
                                unsigned challenge_code, std::uint64_t aor_hash, sip::Writer& out);
    [[nodiscard]] Outcome challenge(const Job& job, const Round& round, unsigned code,
                                    std::uint64_t aor_hash, bool stale, sip::Writer& out);

    const Shared& shared_;
    admit::Limits& limits_;
    const unsigned worker_;
    CoreCounters& counters_;
    std::optional<auth::Checker> checker_;            // none: nobody is asked for a password
    const auth::Subscribers* subscribers_ = nullptr;  // of the round in hand
    std::uint32_t challenges_ = 0;

    // Those that settle() is to settle, and whose they are.
    std::array<auth::Attempt, kMaxBurst> attempts_;
    std::array<Job*, kMaxBurst> jobs_;
    std::size_t count_ = 0;
};

}  // namespace pinhole::edge
