// SPDX-License-Identifier: BSD-3-Clause
#include "tests/unit/edge/property_rules.h"

#include <algorithm>

namespace pinhole::edge::test {
namespace {

constexpr std::uint64_t kPinLifetime_ms = 180'000;

bool is_response(std::string_view text) {
    return text.starts_with("SIP/2.0 ");
}
bool is_sip_request(std::string_view text) {
    return text.substr(0, text.find("\r\n")).ends_with(" SIP/2.0");
}
std::string method_of(std::string_view text) {
    return std::string(text.substr(0, text.find(' ')));
}
bool is_for_help(std::string_view text) {
    return text.substr(0, text.find("\r\n")).find(" sip:112@") != std::string_view::npos;
}
// Whose request or response it is: the Via of the client's stands second in what we send on and in
// what comes back.
std::string transaction_of(std::string_view text) {
    const auto vias = headers_of(text, "Via");
    return vias.size() < 2 ? "" : call_id_of(text) + " " + param_of(vias[1], "branch");
}

}  // namespace

Rules::Table Rules::table_of(const Trial& run) {
    Table table;
    const std::uint32_t now_s = run.edges().now().s;
    for (const table::ContactView& contact : run.contacts()) {
        table[contact.id.packed()] = {std::string(contact.aor), std::string(contact.uri),
                                      contact.state, contact.state.expires_at_s > now_s};
    }
    return table;
}

void Rules::before(const Trial& run, std::size_t number, const Datagram& datagram) {
    number_ = number;
    datagram_ = datagram;
    text_ = datagram.text(run);
    totals_ = run.totals();
    now_ms_ = run.edges().now().ms;
    responses_.resize(kMaxResponseCode + 1);
    for (unsigned code = 100; code <= kMaxResponseCode; ++code) {
        responses_[code] = run.responses(code);
    }
    stood_ = table_of(run);
}

std::string Rules::after(const Trial& run) {
    const Table now = table_of(run);
    for (const std::string& wrong :
         {counted_once(run), changes_what_it_may(run, now), does_what_it_says(run, now),
          stands_where_it_came_from(now), goes_where_it_may(run)}) {
        if (!wrong.empty()) {
            const Sent* sent = run.sent(number_);
            return wrong + "\nby " + flow_text(datagram_.flow) + ":\n" + text_ +
                   (sent == nullptr ? "\nnothing was sent"
                                    : "\nto " + flow_text(sent->flow) + ":\n" + sent->text);
        }
    }
    return "";
}

std::string Rules::counted_once(const Trial& run) const {
    const Totals now = run.totals();
    const Sent* sent = run.sent(number_);
    const std::uint64_t answered = now.answered - totals_.answered;
    const std::uint64_t released = now.released - totals_.released;
    const std::uint64_t drops = now.drops - totals_.drops;
    const std::uint64_t kept = now.kept - totals_.kept;
    if (now.received - totals_.received != 1 || answered + released != 1 || now.held != 0) {
        return "it was not given back once";
    }
    if (kept != now.handoffs - totals_.handoffs || kept != now.served - totals_.served ||
        kept > 1) {
        return "it was kept for nothing";
    }
    if (answered != (sent != nullptr ? 1U : 0U)) {
        return "it was not what was sent";
    }
    // One that the control thread has no room for is a drop too.
    const std::uint64_t of_contacts =
        (now.pongs_taken - totals_.pongs_taken) - (now.peer_pongs_taken - totals_.peer_pongs_taken);
    if (now.pongs - totals_.pongs != of_contacts && !run.scene().pongs_refused) {
        return "a pong was counted wrong";
    }
    if (sent == nullptr) {
        const std::uint64_t pongs = now.pongs_taken - totals_.pongs_taken;
        const bool of_contact = now.peer_pongs_taken == totals_.peer_pongs_taken;
        return drops + pongs != 1 ? "it was not counted once"
               : pongs == 1 && of_contact && !is_pong_of(run.last_pong()) ? "a pong of another"
                                                                          : "";
    }
    // A stranger's refusal is counted as kStranger beside the answer.
    const bool stranger = drops == 1 && now.strangers - totals_.strangers == 1 &&
                          (sent->code() == "403" || sent->code() == "481");
    if (drops != 0 && !stranger) {
        return "it was answered and dropped";
    }
    const std::uint64_t responses = now.responses - totals_.responses;
    const std::uint64_t forwarded = now.responses_forwarded - totals_.responses_forwarded;
    const std::uint64_t stun = now.stun - totals_.stun;
    if (is_response(text_)) {
        return forwarded == 1 && responses + stun == 0 ? "" : "a response was counted wrong";
    }
    if (!is_response(sent->text)) {
        const bool is_stun = !is_sip_request(sent->text);
        return responses + forwarded == 0 && stun == (is_stun ? 1U : 0U)
                   ? ""
                   : "what was sent on was counted wrong";
    }
    const auto code = static_cast<unsigned>(std::stoul(sent->code()));
    return responses == 1 && run.responses(code) == responses_.at(code) + 1 && forwarded == 0
               ? ""
               : "an answer was counted wrong";
}

// What the control thread hears is of a contact that is there, and says how its answer came.
bool Rules::is_pong_of(const PongNotice& pong) const {
    const auto contact = stood_.find(pong.id.packed());
    if (contact == stood_.end()) {
        return false;
    }
    const net::Flow& flow = contact->second.state.flow;
    return pong.flow_matches == (flow == datagram_.flow ? 1 : 0) &&
           (pong.is_probe == 0 || flow.theirs == datagram_.flow.theirs);
}

std::string Rules::changes_what_it_may(const Trial& run, const Table& now) const {
    const Sent* sent = run.sent(number_);
    const bool registered = text_.starts_with("REGISTER ") && sent != nullptr &&
                            is_response(sent->text) && sent->code() == "200";
    const bool proved = !run.scene().digest || (datagram_.has_password && !datagram_.is_copy);
    const bool fetches = text_.find("\r\nContact") == std::string::npos;
    const auto to = header_of(text_, "To");
    const auto may = [&](const std::string& aor) {
        return registered && proved && !fetches && to.find(":" + aor) != std::string::npos;
    };
    if (registered && !proved) {
        return "it was answered 200 without a password";
    }
    for (const auto& [id, after] : now) {
        const auto before = stood_.find(id);
        if (before == stood_.end()) {
            if (!may(after.aor)) {
                return "it has made a contact of " + after.aor;
            }
            continue;
        }
        table::ContactState suspect = before->second.state;
        suspect.flags |= table::kSuspect;
        if (after.state != before->second.state && !may(after.aor) &&
            !(registered && proved && !fetches && after.state == suspect)) {
            return "it has changed a contact of " + after.aor;
        }
    }
    for (const auto& [id, before] : stood_) {
        if (!now.contains(id) && !may(before.aor)) {
            return "it has removed a contact of " + before.aor;
        }
    }
    return "";
}

std::string Rules::does_what_it_says(const Trial& run, const Table& now) const {
    const Sent* sent = run.sent(number_);
    if (datagram_.is_damaged || !text_.starts_with("REGISTER ") || sent == nullptr ||
        sent->code() != "200") {
        return "";
    }
    const auto to = header_of(text_, "To");
    const auto cseq = static_cast<std::uint32_t>(std::stoul(header_of(text_, "CSeq")));
    const std::uint64_t call_id = run.edges().table().hash()(call_id_of(text_));
    const auto is_own = [&](const Stood& contact) {
        return contact.state.call_id_hash == call_id &&
               to.find(":" + contact.aor + ">") != std::string::npos;
    };
    if (std::ranges::any_of(stood_, [&](const auto& each) {
            return is_own(each.second) && each.second.state.cseq == cseq;
        })) {
        return "";
    }
    for (const std::string& contact : headers_of(text_, "Contact")) {
        const std::string own = param_of(contact, "expires");
        const bool removes = (own.empty() ? header_of(text_, "Expires") : own) == "0";
        const bool stands = std::ranges::any_of(now, [&](const auto& each) {
            const Stood& is = each.second;
            return is_own(is) && is.live &&
                   (contact == "*" || (contact.find("<" + is.uri + ">") != std::string::npos &&
                                       (removes || is.state.cseq == cseq)));
        });
        if (stands == removes) {
            return "it was answered 200 and not done";
        }
    }
    return "";
}

// But for a contact that is reached at its Contact's port: it stays there.
std::string Rules::stands_where_it_came_from(const Table& now) const {
    for (const auto& [id, after] : now) {
        const auto before = stood_.find(id);
        if ((before == stood_.end() || before->second.state.flow != after.state.flow) &&
            after.state.flow != via_flow(text_, datagram_.flow)) {
            return "a contact stands where nobody came from: " + flow_text(after.state.flow);
        }
    }
    return "";
}

std::string Rules::goes_where_it_may(const Trial& run) {
    const Sent* sent = run.sent(number_);
    if (sent == nullptr) {
        return "";
    }
    if (is_response(text_)) {
        return response_goes_back(*sent);
    }
    if (is_response(sent->text) || !is_sip_request(sent->text)) {
        return sent->flow == via_flow(text_, datagram_.flow) ? "" : "an answer went somewhere else";
    }
    const std::string wrong = sent->flow.theirs == kCore ? request_goes_to_core(run, *sent)
                                                         : request_goes_to_phone(*sent);
    note_gone(run, *sent);
    return wrong;
}

std::string Rules::response_goes_back(const Sent& sent) const {
    const auto found = gone_.find(transaction_of(text_));
    const net::Flow& by = datagram_.flow;
    if (found == gone_.end()) {
        return "a response was sent on to nothing that has been asked";
    }
    const bool goes_back =
        std::any_of(found->second.begin(), found->second.end(), [&](const Gone& gone) {
            return sent.flow == gone.back && by.theirs == gone.to.theirs &&
                   (!gone.port_matters || by.their_udp_port == gone.to.their_udp_port);
        });
    return goes_back ? "" : "a response came from elsewhere, or went there";
}

// Is it of a request that has gone the same way, within three minutes?
bool Rules::is_repeat_of(const Sent& sent, bool same_sender) const {
    const auto found = gone_.find(transaction_of(sent.text));
    return found != gone_.end() &&
           std::any_of(found->second.begin(), found->second.end(), [&](const Gone& gone) {
               return gone.to == sent.flow && (!same_sender || gone.from == datagram_.flow) &&
                      now_ms_ - gone.at_ms <= kPinLifetime_ms;
           });
}

// A REGISTER's nonce is used up when it has been taken. That of a call by a registered flow isn't
// looked at there: whoever overhears it can use it, as long as nonces are good for any flow.
bool Rules::shows_password(const Trial& run) const {
    return run.scene().digest && datagram_.has_password &&
           (!datagram_.is_copy || !text_.starts_with("REGISTER "));
}

bool Rules::has_token() const {
    const auto given = routes_.find(call_id_of(text_));
    const auto routes = headers_of(text_, "Route");
    return given != routes_.end() && !routes.empty() && given->second.contains(routes.front());
}

// From a registered flow, by a token of the dialog, for help, by a password, or what belongs to
// such a request.
std::string Rules::request_goes_to_core(const Trial& run, const Sent& sent) const {
    const net::Flow by_via = via_flow(text_, datagram_.flow);
    if (sent.flow != from(kCore, kSip)) {
        return "a request went to no core peer";
    }
    const bool registered = std::any_of(stood_.begin(), stood_.end(), [&](const auto& each) {
        const Stood& contact = each.second;
        const bool anywhere = (contact.state.flags & table::kAtContact) != 0;
        return contact.calls() &&
               (contact.state.flow == datagram_.flow || contact.state.flow == by_via ||
                (anywhere && contact.state.flow.theirs == by_via.theirs));
    });
    const std::string method = method_of(text_);
    const bool follows = (method == "ACK" || method == "CANCEL") && is_repeat_of(sent, true);
    return registered || shows_password(run) || follows || has_token() || is_for_help(text_)
               ? ""
               : "a stranger's request went on";
}

// From a core peer alone: to a live contact of the AOR that is called, or of the dialog; to where
// the same request has gone; or to who has called without a contact, for help or by a password.
std::string Rules::request_goes_to_phone(const Sent& sent) const {
    if (datagram_.flow.theirs != kCore) {
        return "a request went to a phone that comes from no core peer";
    }
    const std::string call_id = call_id_of(text_);
    if (is_repeat_of(sent, true)) {
        return "";
    }
    if (has_token()) {
        const auto callers = callers_.find(call_id);
        if (callers != callers_.end() && std::find(callers->second.begin(), callers->second.end(),
                                                   sent.flow) != callers->second.end()) {
            return "";
        }
        const auto ends = ends_.find(call_id);
        const bool stands =
            ends != ends_.end() &&
            std::any_of(ends->second.begin(), ends->second.end(), [&](std::uint64_t id) {
                const auto contact = stood_.find(id);
                return contact != stood_.end() && contact->second.live &&
                       contact->second.state.flow == sent.flow;
            });
        return stands ? "" : "a request went to no contact of its dialog";
    }
    const bool stands = std::any_of(stood_.begin(), stood_.end(), [&](const auto& each) {
        return each.second.calls() && each.second.state.flow == sent.flow &&
               text_.find(" sip:" + each.second.aor + " SIP/2.0\r\n") != std::string::npos;
    });
    return stands ? "" : "a request went to no contact of whom it calls";
}

void Rules::note_gone(const Trial& run, const Sent& sent) {
    const std::string call_id = call_id_of(text_);
    const net::Flow back = via_flow(text_, datagram_.flow);
    const bool to_core = sent.flow.theirs == kCore;
    bool port_matters = !to_core;
    for (const auto& [id, contact] : stood_) {
        const bool is_end = to_core ? contact.state.flow == back ||
                                          contact.state.flow.theirs == datagram_.flow.theirs
                                    : contact.state.flow == sent.flow;
        if (is_end) {
            ends_[call_id].insert(id);
            const std::string theirs = net::far_end(contact.state.flow);
            port_matters &=
                contact.uri.find("@" + theirs.substr(0, theirs.rfind(':'))) == std::string::npos;
        }
    }
    if (to_core && (is_for_help(text_) || shows_password(run))) {
        callers_[call_id].push_back(back);
    }
    port_matters &= !callers_.contains(call_id);
    gone_[transaction_of(sent.text)].push_back(
        {datagram_.flow, sent.flow, back, port_matters, run.edges().now().ms});
    for (const std::string& route : headers_of(sent.text, "Record-Route")) {
        routes_[call_id].insert(route);
    }
}

}  // namespace pinhole::edge::test
