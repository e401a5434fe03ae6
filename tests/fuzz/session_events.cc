// SPDX-License-Identifier: BSD-3-Clause
// What happens in a session that no input spells out: answers, requests in dialogs, passwords,
// pongs, and what the control thread asks of the workers.
#include "dataplane/route/ping.h"
#include "tests/fuzz/session.h"
#include "tests/unit/auth/support.h"
#include "tests/unit/route/world.h"

#include <algorithm>
#include <array>
#include <cstdio>

namespace pinhole::edge::test {
namespace {

// The next request of the dialog that `seen` belongs to, by who was sent it.
std::string in_dialog(const Sent& seen, std::string_view method) {
    sip::Message message;
    if (sip::parse(seen.text, message) != sip::ParseError::kOk) {
        return "";
    }
    const std::string from(message.from());
    const std::string to(message.to());
    std::string out = std::string(method) +
                      " sip:100@192.168.1.10 SIP/2.0\r\n"
                      "Via: SIP/2.0/UDP 192.168.1.10:5060;branch=z9hG4bKdialog;rport\r\n";
    for (std::uint8_t i = message.first_index(sip::HeaderId::kRecordRoute); i != sip::kNoHeader;
         i = message.next_index(sip::HeaderId::kRecordRoute, i)) {
        out += "Route: " + std::string(message.value(i)) + "\r\n";
    }
    // Who was called is known by the tag that route::answer_to() gives.
    out += message.is_request ? "From: " + to + ";tag=t9\r\nTo: " + from + "\r\n"
                              : "From: " + from + "\r\nTo: " + to + "\r\n";
    return out + "Call-ID: " + std::string(message.call_id()) +
           "\r\nCSeq: " + std::to_string(message.cseq + 1) + " " + std::string(method) +
           "\r\nContent-Length: 0\r\n\r\n";
}

}  // namespace

void Session::act(std::string_view what, unsigned worker) {
    if (what.empty()) {
        return;
    }
    const std::string_view rest = what.substr(1);
    switch (what.front()) {
        case 'a':
            return answer(rest, worker);
        case 'c':
            return go_on(last_response_, rest, worker);
        case 'd':
            return go_on(last_request_, rest, worker);
        case 'r':
            return receive(std::string(last_packet_.text), last_packet_.by, worker);
        case 'l':
            return log_in(worker);
        case 'p':
            return pong(rest, worker);
        case 'e':
            return command(CommandKind::kExpire, rest);
        case 'u':
            return command(CommandKind::kRemoveUnreachable, rest);
        case 't':
            return command(CommandKind::kRetarget, rest);
        default:
            return;
    }
}

void Session::answer(std::string_view rest, unsigned worker) {
    if (last_request_.has_value()) {
        const bool has_code =
            rest.size() >= 3 && std::all_of(rest.begin(), rest.begin() + 3,
                                            [](char c) { return c >= '0' && c <= '9'; });
        const unsigned code =
            has_code ? static_cast<unsigned>(std::stoi(std::string(rest.substr(0, 3)))) : 200;
        receive(route::answer_to({.decision = {}, .text = last_request_->text}, code),
                last_request_->flow, worker);
    }
}

void Session::go_on(const std::optional<Sent>& seen, std::string_view method, unsigned worker) {
    if (seen.has_value()) {
        receive(in_dialog(*seen, method.empty() ? "BYE" : method), seen->flow, worker);
    }
}

void Session::log_in(unsigned worker) {
    const std::size_t line_end =
        challenged_.has_value() ? challenged_->text.find('\n') : std::string::npos;
    if (line_end == std::string::npos) {
        return;
    }
    char nc[9];
    std::snprintf(nc, sizeof nc, "%08x", ++nonce_count_);
    const std::string uri = "sip:example.com";
    const std::string method = challenged_->text.substr(0, challenged_->text.find(' '));
    const auto md5 = [](const std::string& text) {
        return auth::reference(auth::Algorithm::kMd5, text);
    };
    const std::string response =
        md5(auth::ha1(auth::Algorithm::kMd5, kUser, "pw-" + std::string(kUser)) + ":" + challenge_ +
            ":" + nc + ":c:auth:" + md5(method + ":" + uri));
    std::string text = challenged_->text;
    text.insert(line_end + 1, std::string(is_proxy_challenge_ ? "Proxy-" : "") +
                                  "Authorization: Digest username=\"" + std::string(kUser) +
                                  "\",realm=\"" + std::string(kRealm) + "\",nonce=\"" + challenge_ +
                                  "\",uri=\"" + uri + "\",response=\"" + response +
                                  "\",algorithm=MD5,qop=auth,cnonce=\"c\",nc=" + nc + "\r\n");
    proved_.push_back(challenged_->by);
    receive(text, challenged_->by, worker);
}

// The control thread has sent a ping, and hears of the answer.
void Session::pong(std::string_view rest, unsigned worker) {
    const auto contact = contact_in(rest);
    if (!contact.has_value()) {
        return;
    }
    std::array<char, 4096> room;
    sip::Writer out(room.data(), room.size());
    if (!route::build_ping({contact->id, contact->state.flow, contact->uri, contact->aor},
                           edges_.keys(), edges_.now().us, out)) {
        return;
    }
    edges_.qualify().write_control(contact->id.slot, {.generation = contact->id.generation,
                                                      .state = table::Reach::kReachable});
    proved_.push_back(contact->state.flow);
    receive(route::answer_to({.decision = {}, .text = std::string(out.view())}, 200),
            contact->state.flow, worker);
}

void Session::command(CommandKind kind, std::string_view rest) {
    run();
    const auto contact = contact_in(rest);
    if (!contact.has_value()) {
        return;
    }
    send_command(kind, *contact);
    edges_.settle();
    note_table();
}

void Session::send_command(CommandKind kind, const table::ContactView& contact) {
    Command command;
    command.kind = kind;
    command.id = contact.id;
    command.since_ms = contact.state.refreshed_at_ms + 10'000;
    edges_.command(edges_.table().shard_of(edges_.table().hash()(contact.aor)), command);
}

// The contact that the first character names, counted over the table.
std::optional<table::ContactView> Session::contact_in(std::string_view rest) {
    std::size_t skip = rest.empty() ? 0 : static_cast<unsigned char>(rest.front()) % kMaxContacts;
    skip %= std::max<std::size_t>(edges_.table().counts().contacts, 1);
    for (std::uint32_t slot = 0; slot < kMaxContacts; ++slot) {
        table::ContactView contact;
        if (edges_.table().read_slot(slot, contact) == table::SlotRead::kLive && skip-- == 0) {
            return contact;
        }
    }
    return std::nullopt;
}

}  // namespace pinhole::edge::test
