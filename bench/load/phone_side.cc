// SPDX-License-Identifier: BSD-3-Clause
#include "bench/load/phone_side.h"

namespace pinhole::load {
namespace {

constexpr unsigned kOk = 200;
constexpr unsigned kBusyHere = 486;
constexpr unsigned kNotImplemented = 501;

// 0: nothing is answered.
unsigned code_for(Tally& tally, sip::Method method) {
    switch (method) {
        case sip::Method::kOptions:
            tally.pings.add();
            return kOk;
        case sip::Method::kInvite:
            tally.rings.add();
            return kBusyHere;
        case sip::Method::kAck:
            return 0;
        default:
            return kNotImplemented;
    }
}

}  // namespace

void phone_answers(Stage& stage, PhoneIndex phone, const sip::Message& request,
                   std::uint64_t now_ns) {
    if (!names_phone(request.request_uri, stage.fields({phone, 0}))) {
        stage.tally->count(Wrong::kOtherUser);
        return;
    }
    const unsigned code = code_for(*stage.tally, request.method);
    char* out = stage.batch.room();
    if (code != 0 && out != nullptr) {
        const AnswerSource source{stage.plan.edge, stage.plan.edge_port};
        stage.leave(phone, write_answer(request, code, source, out), now_ns);
    }
}

}  // namespace pinhole::load
