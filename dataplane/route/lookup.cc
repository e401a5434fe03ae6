// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/route/lookup.h"

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

int rank(Reach reach) {
    return reach == Reach::kReachable ? 2 : reach == Reach::kUnknown ? 1 : 0;
}

struct Candidate {
    table::ContactView view;
    int rank = 0;

    [[nodiscard]] bool better_than(const Candidate& other) const {
        if (view.state.q != other.view.state.q) {
            return view.state.q > other.view.state.q;
        }
        if (rank != other.rank) {
            return rank > other.rank;
        }
        // Milliseconds wrap: only their difference means something.
        return static_cast<std::int32_t>(view.state.refreshed_at_ms -
                                         other.view.state.refreshed_at_ms) > 0;
    }
};

LookupResult best_contact(const table::Record& record, const Context& context,
                          table::ContactView& out) {
    Candidate best;
    bool found = false;
    bool contended = false;
    for (std::size_t i = 0; i < record.contact_count(); ++i) {
        Candidate candidate;
        if (!record.read(i, candidate.view)) {
            contended = true;
            continue;
        }
        const Reach reach = context.qualify.reach_any(candidate.view.id);
        candidate.rank = rank(reach);
        if (!live(candidate.view.state, context) ||
            (reach == Reach::kUnreachable && !context.call_unreachable)) {
            continue;
        }
        if (!found || candidate.better_than(best)) {
            best = candidate;
            found = true;
        }
    }
    if (found) {
        out = best.view;
        return LookupResult::kFound;
    }
    return contended ? LookupResult::kContended : LookupResult::kUnavailable;
}

const table::Record* find_record(std::string_view aor, const Context& context) {
    return context.table.find(context.table.hash()(aor), aor);
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

}  // namespace

LookupResult lookup_aor(const sip::Uri& uri, const Context& context, table::ContactView& out) {
    std::array<char, sip::kMaxAor> text;
    const auto aor = sip::canonical_aor(uri, text.data());
    if (!aor) {
        return LookupResult::kUnknown;
    }
    const table::Record* record = find_record(*aor, context);
    if (record == nullptr && context.identity.is_local_address(uri.host, uri.port)) {
        std::array<char, sip::kMaxAor> other;
        const std::string_view in_domain = in_default_domain(*aor, context, other.data());
        record = in_domain.empty() ? nullptr : find_record(in_domain, context);
    }
    return record == nullptr ? LookupResult::kUnknown : best_contact(*record, context, out);
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

namespace {

// May whoever sent the request be this contact?
bool may_be(const table::ContactView& contact, const net::Flow& flow, bool by_via) {
    return contact.state.flow == flow && (!by_via || !is_behind_nat(contact));
}

// The From's own contact, if it has the flow.
LookupResult lookup_from(const sip::Message& request, const net::Flow& flow, bool by_via,
                         const Context& context, table::ContactId& out) {
    sip::NameAddr from;
    std::array<char, sip::kMaxAor> text;
    if (!sip::parse_name_addr(request.from(), from) || !from.uri.is_sip()) {
        return LookupResult::kUnknown;
    }
    const auto aor = sip::canonical_aor(from.uri, text.data());
    const table::Record* record = aor ? find_record(*aor, context) : nullptr;
    for (std::size_t i = 0; record != nullptr && i < record->contact_count(); ++i) {
        table::ContactView view;
        if (record->read(i, view) && may_be(view, flow, by_via) && live(view.state, context)) {
            out = view.id;
            return LookupResult::kFound;
        }
    }
    return LookupResult::kUnknown;
}

}  // namespace

LookupResult lookup_sender(const sip::Message& request, const net::Flow& flow, bool by_via,
                           const Context& context, table::ContactId& out) {
    if (lookup_from(request, flow, by_via, context, out) == LookupResult::kFound) {
        return LookupResult::kFound;
    }
    std::array<table::ContactId, 8> ids;
    const table::FlowMatches matches = context.table.find_by_flow(flow, ids);
    bool contended = !matches.complete && matches.count < ids.size();
    for (std::size_t i = 0; i < std::min(matches.count, ids.size()); ++i) {
        table::ContactView view;
        const LookupResult result = lookup_id(ids[i], context, view);
        if (result == LookupResult::kFound && may_be(view, flow, by_via)) {
            out = ids[i];
            return LookupResult::kFound;
        }
        contended |= result == LookupResult::kContended;
    }
    return contended ? LookupResult::kContended : LookupResult::kUnknown;
}

}  // namespace pinhole::route
