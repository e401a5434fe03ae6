// SPDX-License-Identifier: BSD-3-Clause
// What phones do with requests that reach them: a ping is answered, a call is refused as busy, an
// ACK is taken. A request that names another phone than the one it reached is an error of the
// edge's. Pure.
#pragma once

#include "bench/load/stage.h"

namespace pinhole::load {

void phone_answers(Stage& stage, PhoneIndex phone, const sip::Message& request,
                   std::uint64_t now_ns);

}  // namespace pinhole::load
