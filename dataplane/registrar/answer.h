// SPDX-License-Identifier: BSD-3-Clause
// The answer to a REGISTER: 200 with every binding of the AOR as it stands now (RFC 3261 §10.3 step
// 8), or the refusal with what the phone needs to do better. Pure; one thread a Writer.
#pragma once

#include "dataplane/registrar/policy.h"
#include "dataplane/registrar/register_request.h"
#include "dataplane/registrar/verdict.h"
#include "dataplane/sip/reply.h"
#include "dataplane/sip/writer.h"
#include "dataplane/table/record.h"

namespace pinhole::registrar {

// Writes a contact's GRUUs, or nothing where it has none, as parameters of its line in a 200.
struct Gruus {
    void (*write)(const void* context, const table::ContactView& contact,
                  sip::Writer& out) = nullptr;
    const void* context = nullptr;
};

struct AnswerContext {
    sip::ReplyVia via;
    std::string_view to_tag;
    Moment now;
    // Where the answer goes: contacts with this flow are listed first.
    net::Flow flow = {};
    // The largest answer. Past it a 200 lists what fits, the sender's own contacts before others.
    std::size_t limit = kNoLimit;
    // Whole lines to go with the contacts (write_ok_headers()). Where the answer is limited, they
    // go before the contacts of others, and are left out where they don't fit.
    std::string_view headers = {};
    // Of all contacts, as far as there is room; the sender's own go first.
    Gruus gruus = {};

    static constexpr std::size_t kNoLimit = ~std::size_t{0};
};

enum class Answered : std::uint8_t {
    kWritten,
    kTooLarge,   // it did not fit
    kContended,  // the record stayed claimed for too long
};

// What the contacts of an AOR may take up in a 200, so that it goes into one datagram with all that
// the request has it repeat.
inline constexpr std::size_t kMaxListedBytes = 8000;
// What they may take up beside that with their GRUUs; and one of them at its longest.
inline constexpr std::size_t kMaxGruuBytes = 2800;
inline constexpr std::size_t kMaxGruuParams = 1400;
// A contact's line at its longest, without GRUUs.
[[nodiscard]] constexpr std::size_t listed_bytes(std::size_t uri_bytes, std::size_t params_bytes) {
    constexpr std::string_view kRest = "Contact: <>;q=0.999;expires=4294967295\r\n";
    return uri_bytes + params_bytes + kRest.size();
}

// What a 200 has beside the contacts: Path (RFC 3327 §5.3), Service-Route (RFC 3608 §6.3), and
// Require: outbound and Flow-Timer for a flow that was registered by RFC 5626 (§6, §5.4).
inline constexpr std::size_t kMaxOkHeaders = 600 + table::kMaxPathBytes;
void write_ok_headers(const RegisterRequest& request, const RegistrarPolicy& policy,
                      sip::Writer& out);

// `record` is null where the AOR has no contact left.
[[nodiscard]] Answered write_ok(const sip::Message& request, const table::Record* record,
                                const AnswerContext& context, sip::Writer& out);

// `retry_after_s` goes with a 503.
[[nodiscard]] Answered write_refusal(const sip::Message& request, Verdict verdict,
                                     const RegistrarPolicy& policy, std::uint32_t retry_after_s,
                                     const AnswerContext& context, sip::Writer& out);

}  // namespace pinhole::registrar
