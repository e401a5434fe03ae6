// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/route/local.h"

#include "dataplane/route/reply_target.h"
#include "dataplane/sip/elements.h"
#include "dataplane/sip/text.h"

#include <array>
#include <string_view>

namespace pinhole::route {
namespace {

using sip::Method;

constexpr std::string_view kAllow = "Allow: REGISTER, OPTIONS, NOTIFY\r\n";
// RFC 3261 §11.2. An empty Supported says that there are no extensions (§20.37).
constexpr std::string_view kCapabilities =
    "Allow: REGISTER, OPTIONS, NOTIFY\r\nAccept: application/sdp\r\nSupported:\r\n";

}  // namespace

Decision reply(const sip::Message& request, const Arrival& arrival, const Context& context,
               const Answer& answer, sip::Writer& out) {
    if (request.method == Method::kAck) {
        return Decision::drop(DropReason::kAckNowhere);
    }
    switch (
        write_answer(request, arrival.flow, context.keys, answer, arrival.from_core_peer, out)) {
        case AnswerResult::kAmplifies:
            return Decision::drop(DropReason::kAmplification);
        case AnswerResult::kDoesNotFit:
            return Decision::drop(DropReason::kTooLarge);
        case AnswerResult::kWritten:
            break;
    }
    Decision decision;
    decision.kind = Kind::kReply;
    decision.code = static_cast<std::uint16_t>(answer.code);
    decision.flow = answer_flow(request, arrival.flow);
    return decision;
}

Decision refuse_extensions(const sip::Message& request, sip::HeaderId demands,
                           const Arrival& arrival, const Context& context, sip::Writer& out) {
    std::array<char, 512> buffer;
    sip::Writer headers(buffer.data(), buffer.size());
    sip::Elements tags(request, demands);
    std::string_view tag;
    std::string_view separator = "Unsupported: ";
    while (tags.next(tag)) {
        headers.text(separator).unfolded(tag);
        separator = ", ";
    }
    headers.text("\r\n");
    if (headers.overflow()) {
        return reply(request, arrival, context, {.code = 400, .reason = "Too Many Extensions"},
                     out);
    }
    return reply(request, arrival, context,
                 {.code = 420, .headers = headers.view(), .required_bytes = headers.size()}, out);
}

bool is_keepalive(const sip::Message& request) {
    const std::string_view event = request.first(sip::HeaderId::kEvent);
    return request.method == Method::kNotify &&
           sip::equals_ci(sip::trim(event.substr(0, event.find(';'))), "keep-alive");
}

Decision answer_local(const sip::Message& request, const Arrival& arrival, const Context& context,
                      sip::Writer& out) {
    if (request.method == Method::kAck) {
        return Decision::drop(DropReason::kAckNowhere);
    }
    if (request.method == Method::kCancel) {
        // What we answered ourselves is answered at once: there is nothing left to cancel (§9.2).
        return reply(request, arrival, context, {.code = 481}, out);
    }
    const bool keepalive = is_keepalive(request);
    if (request.method != Method::kOptions && !keepalive) {
        return reply(request, arrival, context, {.code = 405, .headers = kAllow}, out);
    }
    // RFC 3261 §8.2.2.3, after the method (§8.2.1).
    if (sip::lists_anything(request, sip::HeaderId::kRequire)) {
        return refuse_extensions(request, sip::HeaderId::kRequire, arrival, context, out);
    }
    return reply(request, arrival, context,
                 {.code = 200, .headers = keepalive ? std::string_view{} : kCapabilities}, out);
}

}  // namespace pinhole::route
