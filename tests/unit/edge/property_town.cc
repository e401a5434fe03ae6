// SPDX-License-Identifier: BSD-3-Clause
// What phones and the core do.
#include "tests/unit/edge/property_town.h"

#include "tests/unit/auth/support.h"

#include <algorithm>
#include <cstdio>

namespace pinhole::edge::test {
namespace {

constexpr std::size_t kMostCalls = 12;  // that are gone on with

std::string quoted(std::string_view text, const std::string& name) {
    const std::size_t at = text.find(name + "=\"");
    const std::size_t begin = at + name.size() + 2;
    return at == std::string_view::npos
               ? ""
               : std::string(text.substr(begin, text.find('"', begin) - begin));
}

// The header line that answers a challenge.
std::string credentials(const Request& request, const std::string& user,
                        const std::string& password, std::string_view challenge, unsigned nc) {
    const std::string nonce = quoted(challenge, "nonce");
    std::array<char, 9> digits;
    std::snprintf(digits.data(), digits.size(), "%08x", nc);
    const auto md5 = [](const std::string& text) {
        return auth::reference(auth::Algorithm::kMd5, text);
    };
    const std::string response =
        md5(md5(user + ":example.com:" + password) + ":" + nonce + ":" + digits.data() +
            ":c0ffee:auth:" + md5(request.method + ":" + request.uri));
    return std::string(request.method == "REGISTER" ? "Authorization" : "Proxy-Authorization") +
           ": Digest username=\"" + user + "\",realm=\"example.com\",nonce=\"" + nonce +
           "\",uri=\"" + request.uri + "\",response=\"" + response +
           "\",algorithm=MD5,qop=auth,cnonce=\"c0ffee\",nc=" + digits.data() + "\r\n";
}

std::string routes_of(std::string_view forwarded) {
    std::string lines;
    for (const std::string& route : headers_of(forwarded, "Record-Route")) {
        lines += "Route: " + route + "\r\n";
    }
    return lines;
}

// "sip:100@..." of "INVITE sip:100@... SIP/2.0".
std::string uri_of(std::string_view request) {
    const std::size_t begin = request.find(' ') + 1;
    return std::string(request.substr(begin, request.find(' ', begin) - begin));
}

net::Flow at(const std::string& theirs, std::uint16_t port) {
    return from(address(theirs), port);
}

}  // namespace

std::string Request::text(const std::string& more_headers) const {
    const auto party = [](const std::string& user, const std::string& tag) {
        return "<sip:" + user + "@example.com>" + (tag.empty() ? "" : ";tag=" + tag) + "\r\n";
    };
    return method + " " + uri + " SIP/2.0\r\nVia: SIP/2.0/UDP " + via + ";branch=" + branch +
           "\r\nMax-Forwards: 70\r\nFrom: " + party(from, from_tag) + "To: " + party(to, to_tag) +
           "Call-ID: " + call_id + "\r\nCSeq: " + std::to_string(cseq) + " " + method + "\r\n" +
           headers + more_headers + "Content-Length: 0\r\n\r\n";
}

// Two phones of one AOR; a PBX; one with the private address of another; phones without NAT: one
// that sends from another port than it listens at, one that is asked at both, and one of IPv6.
Town::Town(std::uint64_t seed, const Scene& scene)
    : dice_(seed), digest_(scene.digest), one_line_(scene.one_line) {
    const std::string instance = ";+sip.instance=\"<urn:uuid:00000000-0000-1000-8000-00000000000";
    phones_ = {
        {"192.168.1.10", 5060, from(kNat, 32947), ";rport", instance + "1>\";reg-id=1", {{"100"}}},
        {"192.168.1.11", 5060, from(kNat, 32948), ";rport", "", {{"100"}, {"101"}}},
        {"192.168.1.20", 5062, at("67.194.24.1", 40000), ";rport", "", {{"101"}, {"102"}, {"103"}}},
        {"67.194.30.1", 5060, at("67.194.30.1", 1024), "", "", {{"103"}}},
        {"192.168.1.10", 5060, from(kNat, 32950), ";rport", instance + "2>\"", {{"104"}}},
        {"67.194.31.1", 5060, at("67.194.31.1", 1025), ";rport", "", {{"104"}}},
        {"[2001:db8:1::5]", 5060, at("2001:db8:1::5", 5060), "", "", {{"105"}}},
    };
    phones_[1].alg_host = "67.194.23.55";
    for (Phone& phone : phones_) {
        phone.lines.resize(one_line_ ? 1 : phone.lines.size());
        for (Line& line : phone.lines) {
            line.call_id = "reg-" + std::to_string(++next_id_) + "@" + phone.host;
        }
    }
}

Step Town::next(const Trial& run, std::size_t number) {
    number_ = number;
    std::optional<Step> step;
    while (!step) {
        step = any(run);
    }
    if (auto* datagram = std::get_if<Datagram>(&*step)) {
        add_touches(run, {}, *datagram);
    }
    return *step;
}

std::optional<Step> Town::any(const Trial& run) {
    if (!mail_.empty() && dice_.percent(45)) {
        return react(run);
    }
    const unsigned kind = dice_.below(100);
    return kind < 28   ? Step(registration())
           : kind < 38 ? Step(call_from_core())
           : kind < 44 ? Step(call_from_phone())
           : kind < 54 ? in_dialog(run)
           : kind < 57 ? cancel()
           : kind < 64 ? pong(run)
           : kind < 65 ? Step(peer_pong())
           : kind < 72 ? Step(request_of_stranger())
           : kind < 75 ? Step(response_of_stranger(run))
           : kind < 80 ? Step(noise(run))
           : kind < 84 ? copy(false)
           : kind < 88 ? copy(true)
           : kind < 93 ? control(run)
                       : Step(pass());
}

void Town::note(const Trial& run, std::size_t number, const Datagram& datagram) {
    datagrams_[number] = datagram;
    const Sent* sent = run.sent(number);
    if (sent == nullptr) {
        return;
    }
    if (!sent->starts_with("SIP/2.0 ")) {
        mail_.push_back({Mail::Kind::kRequest, number});
        for (Call& call : calls_) {
            if (call.number == number) {
                call.forwarded = true;
                for (const table::ContactView& contact :
                     run.contacts_at(via_flow(run.text(number), datagram.flow))) {
                    call.users.emplace_back(contact.aor.substr(0, contact.aor.find('@')));
                }
            }
        }
    } else if ((sent->code() == "401" || sent->code() == "407") && asked_.contains(number)) {
        mail_.push_back({Mail::Kind::kChallenge, number});
    } else if (header_of(sent->text, "CSeq").ends_with(" INVITE") && sent->code() >= "200") {
        mail_.push_back({Mail::Kind::kAnswer, number});
    }
}

Datagram Town::plain(const net::Flow& flow, const Request& request) {
    Datagram datagram;
    datagram.flow = flow;
    datagram.text = [request](const Trial&) { return request.text(); };
    return datagram;
}

const Town::Phone* Town::phone_at(const net::Flow& flow) const {
    const auto found = std::find_if(phones_.begin(), phones_.end(),
                                    [&](const Phone& phone) { return phone.flow == flow; });
    return found == phones_.end() ? nullptr : &*found;
}

// Its gateway gives it another port, maybe one that was another's.
void Town::move(std::size_t p) {
    const std::size_t first = one_line_ ? 33'000 + 10 * p : 32'944;
    phones_[p].flow.their_udp_port = static_cast<std::uint16_t>(first + dice_.below(8));
}

Datagram Town::registration() {
    const unsigned p = dice_.below(static_cast<unsigned>(phones_.size()));
    Phone& phone = phones_[p];
    const unsigned l = dice_.below(static_cast<unsigned>(phone.lines.size()));
    Line& line = phone.lines[l];
    if (phone.flow.theirs == kNat && dice_.percent(15)) {
        move(p);
    }
    if (dice_.percent(5)) {  // it restarts
        line = {line.user, "reg-" + std::to_string(++next_id_) + "@" + phone.host};
    }
    const unsigned order = dice_.below(100);
    line.cseq = order < 90 ? line.cseq + 1 : order < 95 ? line.cseq : line.cseq / 2;
    Request request;
    request.from = request.to = line.user;
    request.call_id = line.call_id;
    request.cseq = line.cseq;
    request.headers = contacts_of(phone, line.user) + "User-Agent: phone/" + std::to_string(p % 3) +
                      std::string(dice_.below(300), '.') + "\r\n";
    switch (dice_.below(60)) {
        case 0:
            request.headers += "Require: teleport\r\n";
            break;
        case 1:
            request.uri = "sip:elsewhere.net";
            break;
        case 2:
            request.to = "a b";
            break;
        case 3:
            request.from_tag = "f>;x=\"";
            break;
        default:
            break;
    }
    return from_line(p, l, request);
}

std::string Town::contacts_of(const Phone& phone, const std::string& user) {
    const std::string contact = "Contact: <sip:" + user + "@" + phone.host + ":" +
                                std::to_string(phone.port) + ">" + phone.contact_params;
    const std::string gruu = dice_.percent(20) ? "Supported: gruu, outbound\r\n" : "";
    const unsigned kind = dice_.below(100);
    if (kind < 6) {
        return "Contact: *\r\nExpires: " + std::string(dice_.percent(80) ? "0" : "60") + "\r\n";
    }
    if (kind < 14) {
        return contact + ";expires=0\r\n";
    }
    if (kind < 20) {
        return "";
    }
    if (kind < 24) {
        return contact + ";expires=5\r\n";
    }
    if (kind < 30) {
        return contact + ";q=0." + std::to_string(dice_.below(10)) + "\r\nExpires: 120\r\n" +
               "Contact: <sip:second@" + phone.host + ":" + std::to_string(phone.port) + ">\r\n";
    }
    return contact + ";expires=" + std::to_string(60 + dice_.below(600)) + "\r\n" + gruu;
}

// With its password as soon as it has been asked for it; now and then a wrong one.
Datagram Town::from_line(std::size_t p, std::size_t l, Request request) {
    const Phone& phone = phones_[p];
    Line& line = phones_[p].lines[l];
    request.via = phone.via();
    request.branch = new_branch();
    asked_[number_] = {request, p, l};
    if (!digest_ || !line.challenge) {
        return plain(phone.flow, request);
    }
    const std::size_t challenge = *line.challenge;
    const unsigned nc = dice_.percent(95) ? ++line.nc : line.nc;
    const bool right = !dice_.percent(8);
    const std::string password = right ? "pw-" + line.user : "guess";
    Datagram datagram;
    datagram.flow = phone.flow;
    datagram.needs = {challenge};
    datagram.shows =
        request.method == "REGISTER" ? Datagram::Shows::kToRegister : Datagram::Shows::kToCall;
    datagram.has_password = right;
    datagram.text = [request, challenge, nc, password, user = line.user](const Trial& run) {
        return request.text(credentials(request, user, password, run.said(challenge), nc));
    };
    return datagram;
}

Datagram Town::call_from_phone() {
    const unsigned p = dice_.below(static_cast<unsigned>(phones_.size()));
    const Phone& phone = phones_[p];
    const unsigned l = dice_.below(static_cast<unsigned>(phone.lines.size()));
    Request request;
    request.method = dice_.percent(80) ? "INVITE" : "MESSAGE";
    request.from = phone.lines[l].user;
    request.from_tag = "p" + std::to_string(++next_id_);
    request.to = dice_.percent(10) ? "112" : "200";
    request.uri = "sip:" + request.to + "@example.com";
    request.call_id = "out-" + std::to_string(next_id_);
    request.headers = "Contact: <sip:" + request.from + "@" + phone.host + ":" +
                      std::to_string(phone.port) + ">\r\n";
    Datagram datagram = from_line(p, l, request);
    if (request.method == "INVITE") {
        calls_.push_back({number_, asked_.at(number_).request, datagram.flow, {}});
    }
    return datagram;
}

Datagram Town::call_from_core() {
    Request request;
    request.method = dice_.percent(85) ? "INVITE" : dice_.percent(50) ? "MESSAGE" : "OPTIONS";
    request.to = dice_.percent(95) ? user() : "nobody";
    request.uri = "sip:" + request.to + (dice_.percent(97) ? "@example.com" : "@elsewhere.net");
    request.via = "203.0.113.10:5060;rport";
    request.branch = new_branch();
    request.from = "200";
    request.from_tag = "k" + std::to_string(++next_id_);
    request.call_id = "in-" + std::to_string(next_id_);
    request.headers = "Contact: <sip:200@203.0.113.10:5060>\r\n";
    const net::Flow flow = from(kCore, dice_.percent(90) ? kSip : std::uint16_t{5070});
    if (request.method == "INVITE") {
        calls_.push_back({number_, request, flow, {}});
    }
    return plain(flow, request);
}

// Of one of the last calls either side.
std::optional<Datagram> Town::in_dialog(const Trial& run) {
    const std::size_t first = calls_.size() - std::min(calls_.size(), kMostCalls);
    if (calls_.empty()) {
        return std::nullopt;
    }
    Call& call = calls_[first + dice_.below(static_cast<unsigned>(calls_.size() - first))];
    if (!call.forwarded) {
        return std::nullopt;
    }
    const bool began_by_core = call.flow.theirs == kCore;
    const bool by_caller = dice_.percent(50);
    const bool by_core = began_by_core == by_caller;
    Request request = call.request;
    request.method = dice_.of<std::string>({"INVITE", "BYE", "INFO", "UPDATE", "ACK", "NOTIFY"});
    request.cseq = ++call.cseq;
    request.branch = new_branch();
    request.to_tag = "phone";
    if (!by_caller) {
        std::swap(request.from, request.to);
        std::swap(request.from_tag, request.to_tag);
    }
    // Where the other end of the core's stands by now.
    const net::Flow callee = run.sent(call.number)->flow;
    const Phone* phone = phone_at(began_by_core ? callee : call.flow);
    Datagram datagram;
    datagram.flow = by_core ? from(kCore, kSip) : began_by_core ? callee : call.flow;
    if (!by_core && phone != nullptr) {
        request.via = phone->via();
        if (dice_.percent(20)) {  // it has moved, or somebody else has heard the token
            datagram.flow.their_udp_port = static_cast<std::uint16_t>(32'944 + dice_.below(8));
        }
    } else if (by_core) {
        request.via = "203.0.113.10:5060;rport";
    }
    datagram.needs = {call.number};
    datagram.text = [request, number = call.number, began_by_core, by_core](const Trial& r) {
        Request whole = request;
        const std::string forwarded = r.said(number);
        whole.uri = !by_core        ? "sip:200@203.0.113.10:5060"
                    : began_by_core ? uri_of(forwarded)
                                    : "sip:" + request.to + "@192.168.1.10";
        return whole.text(routes_of(forwarded));
    };
    add_touches(run, call.users, datagram);
    return datagram;
}

// Or the same INVITE again.
std::optional<Datagram> Town::cancel() {
    if (calls_.empty()) {
        return std::nullopt;
    }
    const std::size_t first = calls_.size() - std::min<std::size_t>(calls_.size(), 4);
    const Call& call = calls_[first + dice_.below(static_cast<unsigned>(calls_.size() - first))];
    Request request = call.request;
    request.method = dice_.percent(70) ? "CANCEL" : "INVITE";
    return plain(call.flow, request);
}

std::optional<Datagram> Town::react(const Trial& run) {
    const std::size_t i = dice_.below(static_cast<unsigned>(mail_.size()));
    const Mail mail = mail_[i];
    if (mail.kind != Mail::Kind::kRequest || dice_.percent(60)) {
        mail_.erase(mail_.begin() + static_cast<std::ptrdiff_t>(i));
    }
    switch (mail.kind) {
        case Mail::Kind::kRequest:
            return answer(run, mail.number);
        case Mail::Kind::kAnswer:
            return acknowledge(run, mail.number);
        case Mail::Kind::kChallenge:
            break;
    }
    return try_again(mail.number);
}

Datagram Town::answer(const Trial& run, std::size_t number) {
    const unsigned code = dice_.of<unsigned>({100, 180, 200, 200, 200, 302, 404, 486, 503});
    Datagram datagram;
    datagram.flow = run.sent(number)->flow;
    if (dice_.percent(10)) {  // a gateway has given it another port
        datagram.flow.their_udp_port = static_cast<std::uint16_t>(32'944 + dice_.below(8));
    } else if (dice_.percent(5)) {
        datagram.flow = stranger_flow();
    }
    datagram.needs = {number};
    datagram.text = [number, code](const Trial& r) {
        return answer_to(r.said(number), code, code == 100 ? "" : "phone");
    };
    return datagram;
}

// By whoever got the answer to an INVITE: to a failure with the same branch.
std::optional<Datagram> Town::acknowledge(const Trial& run, std::size_t number) {
    const std::string call_id = header_of(run.sent(number)->text, "Call-ID");
    const auto call = std::find_if(calls_.begin(), calls_.end(),
                                   [&](const Call& c) { return c.request.call_id == call_id; });
    if (call == calls_.end()) {
        return std::nullopt;
    }
    Request request = call->request;
    request.method = "ACK";
    const bool success = run.sent(number)->code() < "300" && call->forwarded;
    if (success) {
        request.branch = new_branch();
    }
    Datagram datagram;
    datagram.flow = call->flow;
    datagram.needs = {number, call->number};
    datagram.text = [request, number, success, invite = call->number](const Trial& r) {
        Request whole = request;
        whole.to_tag = param_of(header_of(r.said(number), "To"), "tag");
        return whole.text(success ? routes_of(r.said(invite)) : "");
    };
    return datagram;
}

Datagram Town::try_again(std::size_t number) {
    const Asked asked = asked_.at(number);
    Line& line = phones_[asked.phone].lines[asked.line];
    line.challenge = number;
    line.nc = 0;
    Request request = asked.request;
    if (request.method == "REGISTER") {
        line.cseq = std::max(line.cseq, request.cseq) + 1;
        request.cseq = line.cseq;
        request.call_id = line.call_id;
    }
    Datagram datagram = from_line(asked.phone, asked.line, request);
    if (request.method == "INVITE") {
        calls_.push_back({number_, asked_.at(number_).request, datagram.flow, {}});
    }
    return datagram;
}

}  // namespace pinhole::edge::test
