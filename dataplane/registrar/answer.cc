// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/registrar/answer.h"

#include "dataplane/registrar/match.h"
#include "dataplane/sip/elements.h"
#include "dataplane/table/scratch.h"

#include <algorithm>
#include <array>
#include <span>

namespace pinhole::registrar {
namespace {

// The longest that a refusal adds: Unsupported with the option tags that were asked for.
constexpr std::size_t kMaxExtraBytes = 512;

void write_contact(const table::ContactView& contact, std::string_view gruus, const Moment& now,
                   sip::Writer& out) {
    table::StoredParams::Room room;
    out.text("Contact: <").text(contact.uri).text(">").text(contact.params.text(room)).text(gruus);
    if (contact.state.q < 1000) {
        out.text(";q=").qvalue(contact.state.q);
    }
    out.text(";expires=").number(left_s(contact.state, now)).text("\r\n");
}

// Both or none: what doesn't fit is left out.
void write_gruus(const table::ContactView& contact, const Gruus& gruus, std::size_t room,
                 sip::Writer& out) {
    gruus.write(gruus.context, contact, out);
    if (out.overflow() || out.size() > room) {
        out.clear();
    }
}

// §8.2.2.3: what we don't support of what was required.
void write_unsupported(const sip::Message& request, const RegistrarPolicy& policy,
                       const net::Address& sender, sip::Writer& out) {
    out.text("Unsupported: ");
    sip::Elements elements(request, sip::HeaderId::kRequire);
    std::string_view option;
    for (bool first = true; elements.next(option);) {
        if (supports(option, policy, sender)) {
            continue;
        }
        if (option.size() + 4 > out.room()) {
            break;  // of a list that no phone has, what fits: an answer all the same
        }
        out.text(first ? "" : ", ").clean(option);
        first = false;
    }
    out.text("\r\n");
}

bool is_limited(const AnswerContext& context) {
    return context.limit != AnswerContext::kNoLimit;
}

// The sender's own contacts, the other lines of a 200, then the contacts of others; where the
// answer is limited, what fits.
void list_contacts(std::span<const table::ContactView> views, const AnswerContext& context,
                   sip::Writer& out) {
    const bool limited = is_limited(context);
    std::size_t gruu_room = context.gruus.write != nullptr ? kMaxGruuBytes : 0;
    std::array<char, kMaxGruuParams> gruu_text;
    for (const bool own : {true, false}) {
        if (!own && (!limited || context.headers.size() <= out.room())) {
            out.text(context.headers);
        }
        for (const table::ContactView& contact : views) {
            const std::size_t bytes = listed_bytes(contact.uri.size(), contact.params.size());
            if ((contact.state.flow == context.flow) != own || (limited && bytes > out.room()) ||
                expired(contact.state, context.now)) {
                continue;
            }
            sip::Writer gruus(gruu_text.data(), gruu_text.size());
            if (gruu_room != 0) {
                // The headers go before them.
                const std::size_t reserved = bytes + context.headers.size();
                write_gruus(contact, context.gruus,
                            limited ? std::max(out.room(), reserved) - reserved : gruu_room, gruus);
                gruu_room -= limited ? 0 : gruus.size();
            }
            write_contact(contact, gruus.view(), context.now, out);
        }
    }
}

}  // namespace

void write_ok_headers(const RegisterRequest& request, const RegistrarPolicy& policy,
                      sip::Writer& out) {
    if (!request.whose->path.empty()) {
        out.header("Path", request.whose->path).header("Supported", "path");
    }
    if (!policy.service_route.empty()) {
        out.header("Service-Route", policy.service_route);
    }
    if (request.outbound) {
        out.header("Require", "outbound");
        // Not of a flow that ends at a proxy: that has its own.
        if (policy.flow_timer_s != 0 && request.whose->path.empty()) {
            out.header("Flow-Timer", policy.flow_timer_s);
        }
    }
}

Answered write_ok(const sip::Message& request, const table::Record* record,
                  const AnswerContext& context, sip::Writer& out) {
    table::Scratch<table::ContactView, table::kMaxContactsPerAor> views;
    std::size_t count = 0;
    if (record != nullptr) {
        for (; count < record->contact_count(); ++count) {
            views.set(count, {});
        }
        if (!record->read_all({&views[0], count})) {
            return Answered::kContended;
        }
    }
    std::size_t room = kMaxListedBytes + kMaxOkHeaders;  // the rules let no AOR have more
    room += context.gruus.write != nullptr ? kMaxGruuBytes : 0;
    if (is_limited(context)) {
        if (!sip::write_reply(request, {200, {}, context.via, context.to_tag, {}}, out) ||
            out.size() > context.limit) {
            return Answered::kTooLarge;
        }
        room = std::min(room, context.limit - out.size());
        out.clear();
    }
    std::array<char, kMaxListedBytes + kMaxOkHeaders + kMaxGruuBytes> lines;
    sip::Writer contacts(lines.data(), room);
    list_contacts({&views[0], count}, context, contacts);
    const bool written =
        !contacts.overflow() &&
        sip::write_reply(request, {200, {}, context.via, context.to_tag, contacts.view()}, out);
    return written ? Answered::kWritten : Answered::kTooLarge;
}

Answered write_refusal(const sip::Message& request, Verdict verdict, const RegistrarPolicy& policy,
                       std::uint32_t retry_after_s, const AnswerContext& context,
                       sip::Writer& out) {
    std::array<char, kMaxExtraBytes> lines;
    sip::Writer extra(lines.data(), lines.size());
    if (verdict == Verdict::kTooBrief) {
        extra.header("Min-Expires", policy.min_expires_s);
    } else if (verdict == Verdict::kBadExtension) {
        write_unsupported(request, policy, context.flow.theirs, extra);
    } else if (status_of(verdict) == 503) {
        extra.header("Retry-After", retry_after_s);
    }
    const bool written =
        !extra.overflow() && sip::write_reply(request,
                                              {status_of(verdict), reason_of(verdict), context.via,
                                               context.to_tag, extra.view()},
                                              out);
    return written ? Answered::kWritten : Answered::kTooLarge;
}

}  // namespace pinhole::registrar
