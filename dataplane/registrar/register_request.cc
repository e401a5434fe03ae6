// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/registrar/register_request.h"

#include "dataplane/registrar/path.h"
#include "dataplane/sip/elements.h"
#include "dataplane/sip/name_addr.h"
#include "dataplane/sip/params.h"
#include "dataplane/sip/text.h"
#include "dataplane/sip/uri_compare.h"

#include <algorithm>
#include <cstring>
#include <span>

namespace pinhole::registrar {
namespace {

using sip::HeaderId;

// The request's own Expires header; a contact's parameter goes before it (§10.2.1.1).
struct Lifetimes {
    std::optional<std::uint32_t> header_s;
    const RegistrarPolicy& policy;
    std::uint32_t lot;  // of this request, evenly spread over all numbers

    // What is granted of what is asked; 0 removes.
    Verdict grant(std::optional<std::uint32_t> param_s, std::uint32_t& granted_s) const {
        granted_s = param_s.value_or(header_s.value_or(policy.default_expires_s));
        if (granted_s == 0) {
            return Verdict::kOk;
        }
        if (granted_s < policy.min_expires_s) {
            if (policy.too_brief == TooBrief::kReject) {
                return Verdict::kTooBrief;
            }
            granted_s = policy.min_expires_s;
        }
        granted_s = spread(std::min(granted_s, policy.max_expires_s));
        return Verdict::kOk;
    }

    // Phones that register together, as after an outage, don't refresh together. Never more than
    // was asked, never less than the minimum; the same for a retransmission.
    [[nodiscard]] std::uint32_t spread(std::uint32_t asked_s) const {
        const std::uint64_t most = std::uint64_t{asked_s} * policy.expires_spread_percent / 100;
        const auto less = static_cast<std::uint32_t>((most + 1) * lot >> 32);
        return std::max(asked_s - less, std::min(asked_s, policy.min_expires_s));
    }
};

// Reads the parameters of a Contact and copies them but q and expires, which the binding keeps as
// numbers, and GRUUs. What is stored is echoed in later answers.
class ParamsCopy {
  public:
    explicit ParamsCopy(std::array<char, 2048>& room) : room_(room) {}

    Verdict copy(std::string_view params, sip::ContactParams& read, RequestedContact& out) {
        const std::size_t begin = used_;
        out.instance = {};
        std::string_view rest = params;
        sip::Param param;
        while (sip::next_param(rest, param)) {
            sip::take_contact_param(param, read);
            if (!is_kept(param.name)) {
                continue;
            }
            if (param.text.size() + 1 > room_.size() - used_) {
                return Verdict::kTextTooLong;
            }
            room_[used_++] = ';';
            char* const copied = room_.data() + used_;
            if (!append(param.text)) {
                return Verdict::kBadContact;
            }
            if (sip::equals_ci(param.name, "+sip.instance")) {
                // The value stands at the end.
                out.instance = sip::unquoted(
                    {copied + (param.text.size() - param.value.size()), param.value.size()});
            }
        }
        out.params = {room_.data() + begin, used_ - begin};
        if (!rest.empty()) {
            return Verdict::kBadContact;
        }
        return out.params.size() > table::kMaxParamsBytes ? Verdict::kTextTooLong : Verdict::kOk;
    }

  private:
    // Of GRUUs, which a client must not send (RFC 5627 §3.2), only ours count.
    static bool is_kept(std::string_view name) {
        return !sip::equals_ci(name, "q") && !sip::equals_ci(name, "expires") &&
               !sip::equals_ci(name, "pub-gruu") && !sip::equals_ci(name, "temp-gruu");
    }

    // A fold within a parameter becomes a space; other control characters, which a quoted string
    // might hold, have no place in what we send.
    [[nodiscard]] bool append(std::string_view text) {
        char* const to = room_.data() + used_;
        std::memcpy(to, text.data(), text.size());
        used_ += text.size();
        return sip::is_printable(text) || make_printable({to, text.size()});
    }

    // Of folds alone.
    static bool make_printable(std::span<char> text) {
        std::replace_if(text.begin(), text.end(), sip::is_lws, ' ');
        return sip::is_printable({text.data(), text.size()});
    }

    std::array<char, 2048>& room_;
    std::size_t used_ = 0;
};

Verdict read_contact(const sip::NameAddr& address, const Lifetimes& lifetimes, ParamsCopy& copy,
                     RequestedContact& out) {
    if (!address.uri.is_sip()) {
        return Verdict::kBadContact;
    }
    if (address.uri.text.size() > table::kMaxUriBytes) {
        return Verdict::kTextTooLong;
    }
    out.uri = address.uri.text;
    sip::ContactParams read{};
    if (const Verdict v = copy.copy(address.params, read, out); v != Verdict::kOk) {
        return v;
    }
    // Without an instance it says nothing (RFC 5626 §6).
    out.reg_id = out.instance.empty() ? 0 : read.reg_id;
    out.q = read.q.value_or(1000);
    return lifetimes.grant(read.expires, out.expires_s);
}

// The same contact twice in one request: the later word counts (§10.3 step 7 takes them in order).
// It may be the same as several that are not the same as each other (§19.1.4 ignores what one alone
// has), and is said of all of them.
void replace_or_append(const RequestedContact& contact, RegisterRequest& out) {
    const auto same = [&](const RequestedContact& earlier) {
        return sip::same_uri(earlier.uri, contact.uri);
    };
    auto* const begin = out.contacts.begin();
    auto* const end = begin + out.count;
    auto* const at = std::find_if(begin, end, same);
    *at = contact;
    out.count =
        static_cast<std::uint8_t>((at == end ? at + 1 : std::remove_if(at + 1, end, same)) - begin);
}

// By Call-ID and CSeq: another at each refresh, so that phones don't keep their distances.
std::uint32_t lot_of(const Whose& whose) {
    const std::uint64_t mixed =
        (whose.call_id_hash ^ whose.cseq) * std::uint64_t{0x9e3779b97f4a7c15};
    return static_cast<std::uint32_t>(mixed >> 32);
}

Verdict read_all(const sip::Message& message, const Lifetimes& lifetimes, RegisterRequest& out) {
    ParamsCopy copy(out.params_text);
    sip::Elements elements(message, HeaderId::kContact);
    std::string_view element;
    while (elements.next(element)) {
        sip::NameAddr address;
        if (!sip::parse_address(element, address, true)) {
            return Verdict::kBadContact;
        }
        if (address.star || out.star) {
            // Alone, and to remove: anything else is an error (§10.3 step 6).
            if (out.star || out.count != 0 || lifetimes.header_s != 0U) {
                return Verdict::kBadStar;
            }
            out.star = true;
            continue;
        }
        if (out.count == kMaxContactsPerRequest) {
            return Verdict::kTooManyContacts;
        }
        RequestedContact contact;
        if (const Verdict v = read_contact(address, lifetimes, copy, contact); v != Verdict::kOk) {
            return v;
        }
        replace_or_append(contact, out);
    }
    // A Contact header without a value is broken, not a fetch.
    const bool empty = message.has(HeaderId::kContact) && out.count == 0 && !out.star;
    return empty ? Verdict::kBadContact : Verdict::kOk;
}

// What stands behind a Contact's other parameters: nothing, or how long. False: something else.
bool read_rest(std::string_view rest, std::optional<std::uint32_t>& expires_s) {
    constexpr std::string_view kExpires = ";expires=";
    if (rest.starts_with(kExpires)) {
        expires_s = sip::parse_expires(rest.substr(kExpires.size()));
        return expires_s.has_value();
    }
    return rest.empty();
}

// A phone's refresh, nearly always: one Contact, byte for byte as it is stored but for how long.
// Then it has been read before and was found good. All views are into the packet, which outlives
// the record. False: it is not like that.
bool read_known(const sip::Message& message, const table::Record& known,
                std::optional<std::uint32_t>& expires_s, RegisterRequest& out) {
    const std::uint8_t header = message.first_index(HeaderId::kContact);
    if (header == sip::kNoHeader ||
        message.next_index(HeaderId::kContact, header) != sip::kNoHeader) {
        return false;
    }
    const std::string_view value = message.value(header);
    for (std::size_t i = 0; i < known.contact_count(); ++i) {
        const std::string_view uri = known.uri(i);
        const table::StoredParams params = known.params(i);
        const std::size_t behind = 1 + uri.size() + 1;
        if (value.size() < behind + params.size() || value.front() != '<' ||
            value[behind - 1] != '>' || value.substr(1, uri.size()) != uri ||
            params != value.substr(behind, params.size()) ||
            !read_rest(value.substr(behind + params.size()), expires_s)) {
            continue;
        }
        RequestedContact& contact = out.contacts[0];
        contact.uri = value.substr(1, uri.size());
        contact.params = value.substr(behind, params.size());
        contact.instance = params.instance_in(contact.params);
        contact.reg_id = known.fixed(i).reg_id;
        contact.q = 1000;
        out.count = 1;
        out.known = &known;
        out.known_index = static_cast<std::uint8_t>(i);
        return true;
    }
    return false;
}

// RFC 5626 §6: a flow is registered alone, so that it is clear which flow it is.
bool one_flow_at_most(const RegisterRequest& request) {
    const auto* end = request.contacts.begin() + request.count;
    std::size_t added = 0;
    bool by_reg_id = false;
    for (const auto* contact = request.contacts.begin(); contact != end; ++contact) {
        if (contact->expires_s != 0) {
            ++added;
            by_reg_id |= contact->reg_id != 0;
        }
    }
    return !by_reg_id || added == 1;
}

// A 200 could have something to say of GRUUs: a contact has an instance, or, in a fetch, may have.
bool concerns_instances(const RegisterRequest& request) {
    const auto* end = request.contacts.begin() + request.count;
    return request.count == 0 ||
           std::any_of(request.contacts.begin(), end,
                       [](const RequestedContact& contact) { return !contact.instance.empty(); });
}

// What the phone says that it knows, of what concerns us.
struct Options {
    bool outbound = false;
    bool gruu = false;
};

// Both that we look for have a 'u', and what most phones send has none.
bool may_have_options(std::string_view list) {
    std::uint8_t found = 0;
    for (const char c : list) {  // without an exit, so that it is done 16 bytes at a time
        found = static_cast<std::uint8_t>(found | ((c | 0x20) == 'u'));
    }
    return found != 0;
}

// Option tags are tokens (RFC 3261 §25.1): nothing is quoted, and a comma or white space ends one.
void take_options(std::string_view list, Options& out) {
    for (std::size_t i = 0; i < list.size(); ++i) {
        const std::size_t begin = i;
        while (i < list.size() && sip::is(list[i], sip::kToken)) {
            ++i;
        }
        const std::string_view option = list.substr(begin, i - begin);
        out.outbound = out.outbound || sip::equals_ci(option, "outbound");
        out.gruu = out.gruu || sip::equals_ci(option, "gruu");
    }
}

Options options_of(const sip::Message& message) {
    Options out;
    for (const HeaderId id : {HeaderId::kSupported, HeaderId::kRequire}) {
        for (std::uint8_t i = message.first_index(id); i != sip::kNoHeader;
             i = message.next_index(id, i)) {
            if (const std::string_view list = message.value(i); may_have_options(list)) {
                take_options(list, out);
            }
        }
    }
    return out;
}

bool requires_more(const sip::Message& message, const RegistrarPolicy& policy,
                   const net::Address& sender) {
    sip::Elements elements(message, HeaderId::kRequire);
    std::string_view option;
    while (elements.next(option)) {
        if (!supports(option, policy, sender)) {
            return true;
        }
    }
    return false;
}

// §10.3 steps 1 and 5: the domain is ours, and the AOR is one within it.
Verdict read_aor(const sip::Message& message, const sip::Identity& identity, Whose& out) {
    const sip::Uri* uri = message.uri();
    if (uri == nullptr || !uri->is_sip() || !uri->headers.empty()) {
        return Verdict::kBadRequestUri;
    }
    if (!identity.is_ours(*uri)) {
        return Verdict::kNotOurDomain;
    }
    const sip::NameAddr* to = message.to_address();
    if (to == nullptr || !to->uri.is_sip()) {
        return Verdict::kBadTo;
    }
    const bool same = to->uri.host == uri->host && to->uri.port == uri->port;  // nearly always
    if (!same && !identity.is_ours(to->uri)) {
        return Verdict::kNotOurDomain;
    }
    const auto aor = sip::canonical_aor(to->uri, out.aor_text.data());
    if (!aor.has_value()) {
        return Verdict::kBadTo;
    }
    out.aor = *aor;
    return Verdict::kOk;
}

}  // namespace

Verdict read_whose(const sip::Message& message, const net::Flow& flow, const ReadContext& context,
                   Whose& out) {
    out.aor = {};
    out.cseq = message.cseq;
    out.flow = flow;
    out.path = {};
    out.keeps_flows = false;
    out.now = context.now;
    if (message.from_address() == nullptr) {
        return Verdict::kBadFrom;
    }
    if (const Verdict v = read_aor(message, context.identity, out); v != Verdict::kOk) {
        return v;
    }
    out.aor_hash = context.hash(out.aor);
    if (requires_more(message, context.policy, flow.theirs)) {
        return Verdict::kBadExtension;  // §10.3 step 2
    }
    Path path;
    if (const Verdict v = read_path(message, flow, context.policy, out.path_text, path);
        v != Verdict::kOk) {
        return v;
    }
    if (!path.route.empty()) {
        out.path = path.route;
        out.flow = path.flow;
        out.keeps_flows = path.keeps_flows;
    }
    out.call_id_hash = context.hash(message.call_id());
    return Verdict::kOk;
}

Verdict read_contacts(const sip::Message& message, const ReadContext& context,
                      const table::Record* known, const Whose& whose, RegisterRequest& out) {
    out.whose = &whose;
    out.star = false;
    out.outbound = false;
    out.gruu = false;
    out.count = 0;
    out.known = nullptr;
    const Lifetimes lifetimes{sip::expires_of(message), context.policy, lot_of(whose)};
    std::optional<std::uint32_t> expires_s;
    const Verdict verdict = known != nullptr && read_known(message, *known, expires_s, out)
                                ? lifetimes.grant(expires_s, out.contacts[0].expires_s)
                                : read_all(message, lifetimes, out);
    if (verdict != Verdict::kOk) {
        return verdict;
    }
    if (!one_flow_at_most(out)) {
        return Verdict::kSeveralFlows;
    }
    const Options options = options_of(message);
    out.outbound = options.outbound && out.count == 1 && out.contacts[0].expires_s != 0 &&
                   out.contacts[0].reg_id != 0;
    out.gruu = options.gruu && context.policy.gruu && concerns_instances(out);
    // RFC 5626 §6: the flow would end at a proxy that has not said (by a Path with ob) that it
    // finds the phone again.
    if (out.outbound && !whose.keeps_flows && sip::came_by_proxy(message)) {
        return Verdict::kForeignFirstHop;
    }
    return Verdict::kOk;
}

bool supports(std::string_view option_tag, const RegistrarPolicy& policy,
              const net::Address& sender) {
    return sip::equals_ci(option_tag, "outbound") ||
           (sip::equals_ci(option_tag, "gruu") && policy.gruu) ||
           (sip::equals_ci(option_tag, "path") && policy.is_path_peer(sender));
}

}  // namespace pinhole::registrar
