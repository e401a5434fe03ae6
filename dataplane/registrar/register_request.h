// SPDX-License-Identifier: BSD-3-Clause
// A REGISTER as the registrar needs it: whose, by which flow, which contacts for how long.
// Everything that can be judged without the table is judged here (RFC 3261 §10.3 steps 1, 2, 5 and
// the static half of 6 and 7), so that a worker that does not own the AOR can refuse at once. Pure;
// one thread at a time, but the owner's worker reads both types while the receiving worker waits:
// they and the packet that they point into stay put, unchanged, until the answer.
#pragma once

#include "dataplane/moment.h"
#include "dataplane/net/flow.h"
#include "dataplane/registrar/policy.h"
#include "dataplane/registrar/verdict.h"
#include "dataplane/sip/identity.h"
#include "dataplane/sip/message.h"
#include "dataplane/table/aor_hash.h"
#include "dataplane/table/contact.h"
#include "dataplane/table/record.h"

#include <array>
#include <cstdint>
#include <string_view>

namespace pinhole::registrar {

// More contacts than this in one request is 400; real phones send one or two.
inline constexpr std::size_t kMaxContactsPerRequest = 16;

struct RequestedContact {
    std::string_view uri;       // as it stands in the packet
    std::string_view params;    // in params_text: what a 200 echoes, without q and expires
    std::string_view instance;  // within params; empty: none
    std::uint32_t reg_id;       // 0: none
    std::uint32_t expires_s;    // as granted; 0: to be removed
    std::uint16_t q;            // thousandths
};

// Whose bindings a REGISTER is about, and what every one of them would get. Its views point into
// itself.
struct Whose {
    std::string_view aor;  // canonical, in aor_text; empty: it was refused before that was read
    std::uint64_t aor_hash;
    std::uint64_t call_id_hash;
    std::uint32_t cseq;
    Moment now;
    net::Flow flow;         // where the answer goes, or the Path leads: what is stored
    std::string_view path;  // for a Route to the contacts, in path_text; empty: there is none
    bool keeps_flows;       // the first proxy of the Path finds the phone again (RFC 5626 §5.1)
    std::array<char, table::kMaxAorBytes> aor_text;
    std::array<char, table::kMaxPathBytes> path_text;
};

// What it asks for. Its views point into the packet and into itself.
struct RegisterRequest {
    const Whose* whose;  // of the same REGISTER; never null
    bool star;           // Contact: * (with Expires: 0): all are to be removed
    bool outbound;       // a flow is registered by RFC 5626, and the phone knows that it can be
    bool gruu;           // the phone wants to be told its GRUUs (RFC 5627)
    std::uint8_t count;  // of contacts; 0 without star is a fetch
    // What nat/ has found out of the phone and its gateway, by its own numbers. The caller of
    // read_contacts() sets both; plan() alone reads `alg`.
    std::uint8_t agent;
    std::uint8_t alg;
    // The contact of `known` whose text is that of the only one here, letter for letter: the first
    // such. Null: nobody has looked. Only until the worker's next quiescent state.
    std::uint8_t known_index;
    const table::Record* known;
    std::array<RequestedContact, kMaxContactsPerRequest> contacts;
    std::array<char, 2048> params_text;

    [[nodiscard]] bool is_fetch() const { return count == 0 && !star; }
};

// The extensions that a REGISTER from there may require.
[[nodiscard]] bool supports(std::string_view option_tag, const RegistrarPolicy& policy,
                            const net::Address& sender);

// What the reading needs beside the message.
struct ReadContext {
    const RegistrarPolicy& policy;
    const sip::Identity& identity;
    const table::KeyedHash& hash;
    Moment now;
};

// Its two steps: whose bindings, and which contacts. The second is worth taking only once the
// sender has proved who it is, and takes less for a contact that is known. Each gives kOk, or why
// the request is refused. `out` needs no initial value and must stay at its address while it is
// used.
//
// `flow` is where the answer goes. Unless the AOR could not be read, it and its hash stand in `out`
// even after a refusal. out.flow is `flow` unless a Path leads elsewhere.
[[nodiscard]] Verdict read_whose(const sip::Message& message, const net::Flow& flow,
                                 const ReadContext& context, Whose& out);
// After read_whose() gave kOk, and filled in `whose`. `known` is the AOR's record as it stands, or
// null.
[[nodiscard]] Verdict read_contacts(const sip::Message& message, const ReadContext& context,
                                    const table::Record* known, const Whose& whose,
                                    RegisterRequest& out);

}  // namespace pinhole::registrar
