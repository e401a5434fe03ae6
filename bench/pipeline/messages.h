// SPDX-License-Identifier: BSD-3-Clause
// The messages that the pipeline's benchmarks send.
#pragma once

#include "bench/pipeline/template.h"
#include "dataplane/auth/digest.h"

namespace pinhole::io {

// As a Yealink phone registers.
extern const Template kYealinkRegister;
// One that wants to be told its GRUUs.
extern const Template kGruuRegister;
// The same with a password: N is for the nonce, R for the digest.
[[nodiscard]] const Template& register_with_digest(auth::Algorithm algorithm);
// Without a Contact: asks what is there.
extern const Template kYealinkFetch;
// The core's.
extern const Template kCoreInvite;
// A stranger's.
extern const Template kStrangerOptions;

}  // namespace pinhole::io
