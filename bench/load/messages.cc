// SPDX-License-Identifier: BSD-3-Clause
#include "bench/load/messages.h"

#include "bench/load/send_batch.h"
#include "dataplane/sip/elements.h"
#include "dataplane/sip/params.h"
#include "dataplane/sip/reply.h"
#include "dataplane/sip/text.h"
#include "dataplane/sip/writer.h"

#include <algorithm>

namespace pinhole::load {
namespace {

constexpr std::string_view kBranch = "z9hG4bK-";
constexpr std::string_view kScheme = "sip:";
constexpr std::string_view kAllow =
    "INVITE, INFO, PRACK, ACK, BYE, CANCEL, OPTIONS, NOTIFY, REGISTER, SUBSCRIBE, REFER, PUBLISH, "
    "UPDATE, MESSAGE";
constexpr std::string_view kSdp =
    "v=0\r\no=- 1 1 IN IP4 203.0.113.10\r\ns=-\r\nc=IN IP4 203.0.113.10\r\nt=0 0\r\n"
    "m=audio 20000 RTP/AVP 8 0 101\r\na=rtpmap:101 telephone-event/8000\r\na=ptime:20\r\n";
constexpr std::string_view kContactPort = ":5060";

std::string host_port(const net::Address& address, std::uint16_t port) {
    char text[net::kMaxAddressText];
    return std::string(text, net::format_host(address, text)) + ":" + std::to_string(port);
}

Template register_head(const Plan& plan) {
    Template t;
    t.text("REGISTER sip:" + plan.domain + " SIP/2.0\r\nVia: SIP/2.0/UDP ").host();
    t.text(":5060;branch=z9hG4bK-" + plan.run + "-").phone().text("-").sequence();
    t.text(";rport\r\nFrom: \"").phone().text("\" <sip:").phone().text("@" + plan.domain);
    t.text(">;tag=3187662412\r\nTo: \"").phone().text("\" <sip:").phone();
    t.text("@" + plan.domain + ">\r\nCall-ID: ").phone().text("-" + plan.run + "@").host();
    t.text("\r\nCSeq: ").sequence().text(" REGISTER\r\nContact: <sip:").phone().text("@").host();
    t.text(":5060>;+sip.instance=\"<urn:uuid:00000000-0000-1000-8000-").phone().text("1714>\"\r\n");
    return t;
}

Template register_tail(const Plan& plan) {
    Template t;
    t.text("Allow: ").text(kAllow);
    t.text("\r\nMax-Forwards: 70\r\nUser-Agent: Yealink SIP-T46U 108.86.0.90\r\nExpires: ");
    t.text(std::to_string(plan.expires_s));
    t.text("\r\nAllow-Events: talk,hold,conference,refer,check-sync,uaCSTA\r\n");
    t.text("Mac: 80:5e:c0:11:22:33\r\nLine: 1\r\n");
    t.text("Supported: path, outbound, replaces\r\nContent-Length: 0\r\n\r\n");
    return t;
}

// From the method on to the end of From: what an ACK has of its INVITE (RFC 3261 §17.1.1.3).
Template call_head(const Plan& plan, std::string_view method) {
    Template t;
    t.text(method).text(" sip:").phone().text("@" + plan.domain + " SIP/2.0\r\nVia: SIP/2.0/UDP ");
    t.text(host_port(plan.core, plan.core_port) + ";branch=z9hG4bK-" + plan.run + "-");
    t.phone().text("-").sequence().text(";rport\r\nMax-Forwards: 70\r\n");
    t.text("From: <sip:+4930123456@core.example.net>;tag=").sequence().text("\r\n");
    return t;
}

void add_call_id(Template& t, const Plan& plan, std::string_view method) {
    t.text("Call-ID: ").phone().text("-" + plan.run + "-").sequence().text("@core\r\nCSeq: ");
    t.sequence().text(" ").text(method).text("\r\n");
}

Template invite(const Plan& plan) {
    Template t = call_head(plan, "INVITE");
    t.text("To: <sip:").phone().text("@" + plan.domain + ">\r\n");
    add_call_id(t, plan, "INVITE");
    t.text("Contact: <sip:" + host_port(plan.core, plan.core_port) + ">\r\n");
    t.text("Content-Type: application/sdp\r\nContent-Length: " + std::to_string(kSdp.size()));
    t.text("\r\n\r\n").text(kSdp);
    return t;
}

Template ack_tail(const Plan& plan) {
    Template t;
    add_call_id(t, plan, "ACK");
    t.text("Content-Length: 0\r\n\r\n");
    return t;
}

Template hello(const Plan& plan) {
    Template t;
    t.text("OPTIONS sip:" + host_port(plan.edge, plan.edge_port) + " SIP/2.0\r\n");
    t.text("Via: SIP/2.0/UDP ").host().text(":5060;branch=z9hG4bK-" + plan.run + "-").phone();
    t.text("-").sequence().text(";rport\r\nMax-Forwards: 70\r\nFrom: <sip:hello@" + plan.domain);
    t.text(">;tag=").sequence().text("\r\nTo: <sip:" + host_port(plan.edge, plan.edge_port));
    t.text(">\r\nCall-ID: hello-").sequence().text("-" + plan.run + "\r\nCSeq: ").sequence();
    t.text(" OPTIONS\r\nContent-Length: 0\r\n\r\n");
    return t;
}

std::size_t write_alone(const Template& t, const Fields& fields, char* out) {
    if (t.size() > SendBatch::kCapacity) {
        return 0;
    }
    t.write(fields, out);
    return t.size();
}

// The URI within <>, or the whole value before its parameters.
std::string_view uri_of(std::string_view contact) {
    const std::size_t open = contact.find('<');
    if (open == std::string_view::npos) {
        return contact.substr(0, contact.find(';'));
    }
    return contact.substr(open + 1, contact.find('>', open) - open - 1);
}

}  // namespace

Messages::Messages(const Plan& plan)
    : run_(plan.run),
      branch_(std::string(kBranch) + plan.run + "-"),
      request_uri_("sip:" + plan.domain),
      register_head_(register_head(plan)),
      register_tail_(register_tail(plan)),
      invite_(invite(plan)),
      ack_head_(call_head(plan, "ACK")),
      ack_tail_(ack_tail(plan)),
      hello_(hello(plan)) {}

std::size_t Messages::write_register(const Fields& fields, std::uint32_t phone, Logins* logins,
                                     char* out) const {
    if (register_head_.size() + register_tail_.size() > SendBatch::kCapacity) {
        return 0;
    }
    register_head_.write(fields, out);
    std::size_t len = register_head_.size();
    if (logins != nullptr) {
        sip::Writer writer(out + len, SendBatch::kCapacity - len - register_tail_.size());
        logins->write_authorization(phone, fields.phone(), writer);
        if (writer.overflow()) {
            return 0;
        }
        len += writer.size();
    }
    register_tail_.write(fields, out + len);
    return len + register_tail_.size();
}

std::size_t Messages::write_invite(const Fields& fields, char* out) const {
    return write_alone(invite_, fields, out);
}

std::size_t Messages::write_ack(const Fields& fields, const sip::Message& answer, char* out) const {
    if (ack_head_.size() + ack_tail_.size() > SendBatch::kCapacity) {
        return 0;
    }
    ack_head_.write(fields, out);
    const std::size_t len = ack_head_.size();
    sip::Writer writer(out + len, SendBatch::kCapacity - len - ack_tail_.size());
    writer.text("To: ").unfolded(answer.to()).text("\r\n");
    if (writer.overflow()) {
        return 0;
    }
    ack_tail_.write(fields, out + len + writer.size());
    return len + writer.size() + ack_tail_.size();
}

std::size_t Messages::write_hello(const Fields& fields, char* out) const {
    return write_alone(hello_, fields, out);
}

// The branch is looked for as text: reading the whole Via costs three times as much, and an edge
// that has changed the Via otherwise has not changed who asked.
std::optional<Ticket> Messages::ticket_of(const sip::Message& message) const {
    const std::string_view vias = message.via();
    const std::string_view top = vias.substr(0, vias.find(','));
    const std::size_t at = top.find(branch_);
    constexpr std::size_t kLen = kDigits + 1 + kDigits;
    if (at == std::string_view::npos || at == 0 || top[at - 1] != '=') {
        return std::nullopt;
    }
    const std::string_view rest = top.substr(at + branch_.size());
    const std::string_view numbers = rest.substr(0, kLen);
    Ticket ticket;
    if (numbers.size() != kLen || (rest.size() > kLen && rest[kLen] != ';') ||
        !read_digits(numbers.substr(0, kDigits), ticket.phone) ||
        !read_digits(numbers.substr(kDigits + 1), ticket.sequence)) {
        return std::nullopt;
    }
    ticket.phone -= kFirstNumber;
    ticket.sequence -= kFirstSequence;
    return ticket;
}

bool Messages::is_registration(std::string_view call_id, const Fields& fields) const {
    const std::size_t host_at = kDigits + 1 + run_.size() + 1;
    return call_id.size() == host_at + kPrivateHost && call_id.starts_with(fields.phone()) &&
           call_id.substr(kDigits + 1, run_.size()) == run_ &&
           call_id.substr(host_at) == fields.host();
}

bool Messages::is_call(std::string_view call_id, const Fields& fields) const {
    const std::size_t sequence_at = kDigits + 1 + run_.size() + 1;
    return call_id.size() > sequence_at + kDigits && call_id.starts_with(fields.phone()) &&
           call_id.substr(kDigits + 1, run_.size()) == run_ &&
           call_id.substr(sequence_at, kDigits) == fields.sequence();
}

std::uint32_t expires_of(std::string_view contact) {
    const std::size_t close = contact.find('>');
    sip::Param param{};
    sip::Decimal value{};
    if (close == std::string_view::npos ||
        !sip::find_param(contact.substr(close + 1), "expires", param) ||
        !sip::parse_decimal(param.value, 0x7fff'ffff, value)) {
        return 0;
    }
    return value.value;
}

Granted granted_to(const sip::Message& answer, const Fields& fields) {
    Granted granted;
    sip::Elements contacts(answer, sip::HeaderId::kContact);
    std::string_view contact;
    while (contacts.next(contact)) {
        const std::string_view uri = uri_of(contact);
        const std::size_t host_at = kScheme.size() + kDigits + 1;
        if (names_phone(uri, fields) && uri.substr(host_at, kPrivateHost) == fields.host() &&
            uri.substr(host_at + kPrivateHost, kContactPort.size()) == kContactPort) {
            granted.found = true;
            granted.contact = contact;
        } else {
            granted.others = true;
        }
    }
    return granted;
}

bool names_phone(std::string_view uri, const Fields& fields) {
    return uri.size() > kScheme.size() + kDigits &&
           sip::equals_ci(uri.substr(0, kScheme.size()), kScheme) &&
           uri.substr(kScheme.size(), kDigits) == fields.phone() &&
           uri[kScheme.size() + kDigits] == '@';
}

bool may_redirect_to(const sip::Message& answer, const Fields& fields) {
    sip::Elements contacts(answer, sip::HeaderId::kContact);
    std::string_view contact;
    bool any = false;
    while (contacts.next(contact)) {
        const std::string_view uri = uri_of(contact);
        std::uint32_t number = 0;
        if (uri.size() > kScheme.size() + kDigits && uri[kScheme.size() + kDigits] == '@' &&
            read_digits(uri.substr(kScheme.size(), kDigits), number) && !names_phone(uri, fields)) {
            return false;
        }
        any = true;
    }
    return any;
}

std::size_t write_answer(const sip::Message& request, unsigned code, const AnswerSource& source,
                         char* out) {
    sip::Writer writer(out, SendBatch::kCapacity);
    const sip::Reply reply{
        .code = code,
        .reason = {},
        .via = {.source = source.address, .source_port = source.udp_port, .add_rport = false},
        .to_tag = "4021",
        .extra_headers = "User-Agent: Yealink SIP-T46U 108.86.0.90\r\n"};
    return sip::write_reply(request, reply, writer) && !writer.overflow() ? writer.size() : 0;
}

}  // namespace pinhole::load
