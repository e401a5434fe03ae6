// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/route/lookup.h"

#include "dataplane/route/gruu.h"
#include "dataplane/sip/name_addr.h"
#include "dataplane/table/binding_table.h"
#include "dataplane/table/qualify_state.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <string_view>

namespace pinhole::route {
namespace {

using table::Reach;

bool live(const table::ContactState& state, const Context& context) {
    return state.expires_at_s > context.now_s;
}

// Its flow may be another phone's by now.
bool is_suspect(const table::ContactState& state) {
    return (state.flags & table::kSuspect) != 0;
}

std::uint8_t rank(Reach reach) {
    return reach == Reach::kReachable ? 2 : reach == Reach::kUnknown ? 1 : 0;
}

// None: it is not to be called.
std::optional<Standing> standing_of(table::ContactId id, const table::ContactState& state,
                                    const Context& context) {
    const Reach reach = context.qualify.reach_any(id);
    if (!live(state, context) || is_suspect(state) ||
        (reach == Reach::kUnreachable && !context.call_unreachable)) {
        return std::nullopt;
    }
    return Standing{state.q, rank(reach), state.refreshed_at_ms};
}

// RFC 5626 §7: the same phone over another flow.
bool same_phone(const table::Record& record, std::size_t a, std::size_t b) {
    return record.fixed(a).reg_id != 0 && record.fixed(b).reg_id != 0 &&
           !record.instance(a).empty() && record.instance(a) == record.instance(b);
}

// Whom a request URI means.
struct Wanted {
    const table::Record* record = nullptr;
    std::optional<Gruu> gruu;  // one instance of it alone
    // Where nobody is found.
    LookupResult nobody = LookupResult::kUnknown;
};

// Those that may be called, of each phone the livelier flow alone.
void find_candidates(const Wanted& wanted, const Context& context, Callables& out) {
    const table::Record& record = *wanted.record;
    bool good = !wanted.gruu;
    for (std::size_t i = 0; i < record.contact_count(); ++i) {
        table::ContactState state;
        if (wanted.gruu && !wanted.gruu->names(record.instance(i), context.table.hash())) {
            continue;
        }
        if (!record.read_state(i, state)) {
            out.contended = true;
            continue;
        }
        if (wanted.gruu && live(state, context)) {
            (wanted.gruu->is_of(state) ? good : out.ended) = true;
        }
        const table::ContactId id = record.fixed(i).id();
        const auto standing = standing_of(id, state, context);
        if (!standing) {
            continue;
        }
        Callable* const end = out.list.data() + out.count;
        Callable* const other = std::find_if(out.list.data(), end, [&](const Callable& known) {
            return same_phone(record, known.index, i);
        });
        if (other == end) {
            ++out.count;
        } else if (!standing->livelier_than(other->standing)) {
            continue;
        }
        *other = {id.packed(), *standing, i};
    }
    out.ended = out.ended && !good;
    if (out.ended) {
        out.count = 0;
    }
}

// Where there is no candidate.
LookupResult why_none(const Callables& candidates) {
    if (candidates.contended) {
        return LookupResult::kContended;
    }
    return candidates.ended ? LookupResult::kUnknown : LookupResult::kUnavailable;
}

bool better(const Callable& a, const Callable& b) {
    return a.standing.better_than(b.standing);
}

LookupResult best_contact(const Wanted& wanted, const Context& context, table::ContactView& out) {
    Callables candidates;
    find_candidates(wanted, context, candidates);
    if (candidates.count == 0) {
        return why_none(candidates);
    }
    const Callable& best = *std::ranges::min_element(candidates.all(), better);
    return wanted.record->read(best.index, out) ? LookupResult::kFound : LookupResult::kContended;
}

const table::Record* find_record(std::string_view aor, const Context& context) {
    return context.table.find(context.table.hash()(aor), aor);
}

// `text` is where it is written if it has to be. None: it can't name a subscriber.
std::optional<ReadAor> read_aor(const sip::Uri& uri, const Context& context, char* text) {
    if (context.called.is_of(uri.text)) {
        return context.called;
    }
    const auto aor = sip::canonical_aor(uri, text);
    return aor ? std::optional(ReadAor{uri.text, *aor, context.table.hash()(*aor)}) : std::nullopt;
}

// "100@192.0.2.1" as "100@example.com". Empty: no default domain, or too long.
std::string_view in_default_domain(std::string_view aor, const Context& context, char* out) {
    const std::string_view domain = context.identity.default_domain();
    const std::size_t at = aor.rfind('@');
    if (domain.empty() || at == std::string_view::npos || at + 1 + domain.size() > sip::kMaxAor) {
        return {};
    }
    std::memcpy(out, aor.data(), at + 1);
    std::memcpy(out + at + 1, domain.data(), domain.size());
    return {out, at + 1 + domain.size()};
}

// Nullptr: no such subscriber.
const table::Record* find_subscriber(const sip::Uri& uri, const Context& context) {
    std::array<char, sip::kMaxAor> text;
    const auto read = read_aor(uri, context, text.data());
    if (!read) {
        return nullptr;
    }
    const table::Record* record = context.table.find(read->hash, read->aor);
    if (record == nullptr && context.identity.is_local_address(uri.host, uri.port)) {
        std::array<char, sip::kMaxAor> other;
        const std::string_view in_domain = in_default_domain(read->aor, context, other.data());
        record = in_domain.empty() ? nullptr : find_record(in_domain, context);
    }
    return record;
}

Wanted find_wanted(const sip::Uri& uri, const Context& context) {
    if (!context.gruu || !is_gruu(uri)) {
        return {find_subscriber(uri, context), std::nullopt, LookupResult::kUnknown};
    }
    Wanted wanted;
    wanted.gruu = read_gruu(context.keys, context.table.hash(), uri);
    if (wanted.gruu) {
        wanted.record = find_record(wanted.gruu->aor(), context);
        // That it was given out is all that is known of an AOR that has no contact any more.
        wanted.nobody =
            wanted.gruu->temporary() ? LookupResult::kUnavailable : LookupResult::kUnknown;
    }
    return wanted;
}

}  // namespace

bool Standing::better_than(const Standing& other) const {
    if (q != other.q) {
        return q > other.q;
    }
    return livelier_than(other);
}

bool Standing::livelier_than(const Standing& other) const {
    if (reach != other.reach) {
        return reach > other.reach;
    }
    // Milliseconds wrap: only their difference means something.
    return static_cast<std::int32_t>(refreshed_at_ms - other.refreshed_at_ms) > 0;
}

LookupResult lookup_aor(const sip::Uri& uri, const Context& context, table::ContactView& out) {
    const Wanted wanted = find_wanted(uri, context);
    return wanted.record == nullptr ? wanted.nobody : best_contact(wanted, context, out);
}

LookupResult lookup_all(const sip::Uri& uri, const Context& context, Callables& out) {
    const Wanted wanted = find_wanted(uri, context);
    if (wanted.record == nullptr) {
        return wanted.nobody;
    }
    find_candidates(wanted, context, out);
    if (out.contended) {
        return LookupResult::kContended;
    }
    std::ranges::sort(out.all(), better);
    return out.count != 0 ? LookupResult::kFound : why_none(out);
}

LookupResult lookup_callable(table::ContactId id, const Context& context, table::ContactView& out) {
    const LookupResult result = lookup_id(id, context, out);
    if (result != LookupResult::kFound) {
        return result;
    }
    return standing_of(id, out.state, context) ? result : LookupResult::kUnavailable;
}

LookupResult lookup_id(table::ContactId id, const Context& context, table::ContactView& out) {
    switch (context.table.read(id, out)) {
        case table::SlotRead::kLive:
            return live(out.state, context) ? LookupResult::kFound : LookupResult::kUnknown;
        case table::SlotRead::kContended:
            return LookupResult::kContended;
        case table::SlotRead::kGone:
            break;
    }
    return LookupResult::kUnknown;
}

bool is_behind_nat(const table::ContactView& contact) {
    sip::Uri uri;
    if (!contact.path.empty()) {
        return false;
    }
    if (!sip::parse_uri(contact.uri, uri)) {
        return true;
    }
    std::string_view host = uri.host;
    if (host.size() > 2 && host.front() == '[') {
        host = host.substr(1, host.size() - 2);
    }
    const auto address = net::parse_address(host);
    return !address || *address != contact.state.flow.theirs;
}

bool may_be(const table::ContactView& contact, const net::Flow& flow, bool by_via) {
    if ((contact.state.flags & table::kAtContact) != 0) {
        net::Flow there = flow;
        there.their_udp_port = contact.state.flow.their_udp_port;
        return there == contact.state.flow;
    }
    return contact.path.empty() ? contact.state.flow == flow && (!by_via || !is_behind_nat(contact))
                                : contact.state.flow.theirs == flow.theirs;
}

namespace {

// The From's own contact, if it has the flow.
LookupResult lookup_from(const sip::NameAddr& from, const net::Flow& flow, bool by_via,
                         const Context& context, Sender& out) {
    std::array<char, sip::kMaxAor> text;
    if (!from.uri.is_sip()) {
        return LookupResult::kUnknown;
    }
    const auto aor = sip::canonical_aor(from.uri, text.data());
    const table::Record* record = aor ? find_record(*aor, context) : nullptr;
    for (std::size_t i = 0; record != nullptr && i < record->contact_count(); ++i) {
        table::ContactView view;
        if (record->read(i, view) && may_be(view, flow, by_via) && live(view.state, context) &&
            !is_suspect(view.state)) {
            out = {view.id, record->aor()};
            return LookupResult::kFound;
        }
    }
    return LookupResult::kUnknown;
}

}  // namespace

LookupResult lookup_sender(const sip::NameAddr& from, const net::Flow& flow, bool by_via,
                           const Context& context, Sender& out) {
    if (lookup_from(from, flow, by_via, context, out) == LookupResult::kFound) {
        return LookupResult::kFound;
    }
    std::array<table::ContactId, 8> ids;
    const table::FlowMatches matches = context.table.find_by_flow(flow, ids);
    bool contended = !matches.complete && matches.count < ids.size();
    for (std::size_t i = 0; i < std::min(matches.count, ids.size()); ++i) {
        table::ContactView view;
        const LookupResult result = lookup_id(ids[i], context, view);
        if (result == LookupResult::kFound && may_be(view, flow, by_via) &&
            !is_suspect(view.state)) {
            out = {ids[i], view.aor};
            return LookupResult::kFound;
        }
        contended |= result == LookupResult::kContended;
    }
    return contended ? LookupResult::kContended : LookupResult::kUnknown;
}

}  // namespace pinhole::route
