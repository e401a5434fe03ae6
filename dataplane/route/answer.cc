// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/route/answer.h"

#include "dataplane/route/reply_target.h"
#include "dataplane/route/tag.h"
#include "dataplane/sip/reply.h"

namespace pinhole::route {

std::size_t answer_limit(std::size_t request_bytes, bool ipv4) {
    const std::size_t overhead = ipv4 ? 20 + 8 : 40 + 8;
    return (request_bytes + overhead) * 3 / 2 - overhead;
}

AnswerResult write_answer(const sip::Message& request, const net::Flow& arrival,
                          const tokens::Keys& keys, const Answer& answer, bool proven,
                          sip::Writer& out) {
    const TagText tag = make_tag(keys, request);
    sip::Reply reply;
    reply.code = answer.code;
    reply.reason = answer.reason;
    reply.via = reply_via(answer_flow(request, arrival), arrival);
    reply.to_tag = tag.view();
    const std::size_t limit = answer_limit(request.datagram.size(), arrival.is_v4());
    bool written = false;
    for (const std::string_view headers :
         {answer.headers, answer.headers.substr(0, answer.required_bytes)}) {
        reply.extra_headers = headers;
        sip::Writer attempt = out;
        if (sip::write_reply(request, reply, attempt)) {
            written = true;
            if (proven || attempt.size() <= limit) {
                out = attempt;
                return AnswerResult::kWritten;
            }
        }
    }
    return written ? AnswerResult::kAmplifies : AnswerResult::kDoesNotFit;
}

}  // namespace pinhole::route
