// SPDX-License-Identifier: BSD-3-Clause
#include "tests/fuzz/session.h"

#include "dataplane/net/stun.h"
#include "dataplane/route/answer.h"
#include "tests/unit/auth/support.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

namespace pinhole::edge::test {
namespace {

constexpr unsigned kWorkers = 2;
constexpr std::uint32_t kNonceLifetime_s = 600;
// Pins, nonces and all that is remembered of a packet last for less.
constexpr std::uint64_t kBetweenSessions_ms = 7'200'000;

net::StunKind stun_kind(std::string_view text) {
    return net::stun_kind({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
}

EdgeSettings edge_settings(const SessionSettings& session) {
    EdgeSettings settings{.workers = kWorkers, .max_contacts = Session::kMaxContacts};
    if (session.replace) {
        settings.policy.max_contacts_per_aor = 2;
        settings.policy.full_aor = registrar::FullAor::kReplace;
    }
    if (session.digest) {
        settings.auth = auth::DigestPolicy{.nonces = auth::Nonces(std::string(Session::kRealm), 1),
                                           .user_hash = auth::test_hash(),
                                           .algorithms = {auth::Algorithm::kMd5},
                                           .nonce_lifetime_s = kNonceLifetime_s};
    }
    return settings;
}

// Where the sender of this Via listens: where it sends from; or, if the Via names its address and
// has no rport, at the port of the Via (RFC 3261 §18.2.2, RFC 3581).
net::Flow listens_at(const sip::Via* via, const net::Flow& by) {
    net::Flow flow = by;
    if (via != nullptr && !via->has_rport) {
        std::string_view host = via->host;
        if (host.starts_with('[')) {
            host = host.substr(1, host.size() - 2);
        }
        if (net::parse_address(host) == by.theirs) {
            flow.their_udp_port = via->port == 0 ? kSip : via->port;
        }
    }
    return flow;
}

// Of a request that can't be read, an answer repeats these as they came (RFC 3261 §8.2.6.2).
bool must_be_repeated(sip::ParseError error) {
    return error == sip::ParseError::kBadCSeq || error == sip::ParseError::kBadCallId;
}

}  // namespace

void require(bool promise, std::string_view what) {
    if (!promise) {
        std::fprintf(stderr, "does not hold: %.*s\n", static_cast<int>(what.size()), what.data());
        std::abort();
    }
}

const std::array<net::Flow, 6> Session::kSenders{
    from(kNat, 32947),
    from(kNat, 40001),
    from(address("2001:db8:77::1"), 5060),
    from(kCore, kSip),
    from(address("192.0.2.66"), 5060),
    from(kNat, 32950),
};

Session::Session(const SessionSettings& settings)
    : digest_(settings.digest), edges_(edge_settings(settings)) {
    subscribers_ = auth::subscribers_of({kUser}, {auth::Algorithm::kMd5});
    edges_.subscribe(subscribers_.get());
    if (settings.redirect) {
        edges_.redirect(true);
    }
}

void Session::begin() {
    remove_all();
    const std::uint64_t now_ms = edges_.now().ms;
    edges_.pass_ms(kBetweenSessions_ms + kBetweenSessions_ms - now_ms % kBetweenSessions_ms);
    last_packet_ = {};
    last_request_.reset();
    last_response_.reset();
    challenged_.reset();
    reachable_.clear();
    proved_.clear();
    add_phone("100", "sip:100@192.168.1.10:5060;line=a1b2", kSenders[0]);
    add_phone("200", "sip:200@[2001:db8:77::1]", kSenders[2]);
    note_table();
}

void Session::remove_all() {
    for (std::uint32_t slot = 0; slot < kMaxContacts; ++slot) {
        table::ContactView contact;
        if (edges_.table().read_slot(slot, contact) == table::SlotRead::kLive) {
            send_command(CommandKind::kRemove, contact);
        }
    }
    edges_.settle();
    require(edges_.table().counts().contacts == 0, "what is removed is gone");
}

void Session::add_phone(const std::string& user, const std::string& uri, const net::Flow& flow) {
    const std::string aor = user + "@example.com";
    table::BindingTable& table = edges_.table();
    table::NewContact contact;
    contact.uri = uri;
    contact.state = {.flow = flow, .expires_at_s = edges_.now().s + 5000, .q = 1000};
    const auto changed = table.change_owner(
        table.hash()(aor), aor,
        [&](const table::Current&, table::Edit& edit) { return edit.add(contact); });
    require(changed.result == table::ChangeResult::kOk, "a phone is registered");
}

void Session::pass_ms(std::uint32_t milliseconds) {
    if (milliseconds != 0) {
        run();
        edges_.pass_ms(milliseconds);
    }
}

void Session::receive(std::string_view text, const net::Flow& by, unsigned worker) {
    last_packet_ = {std::string(text), by, worker};
    burst_.push_back(last_packet_);
}

void Session::run() {
    if (burst_.empty()) {
        return;
    }
    const std::vector<Sent> sent = play_burst();
    for (const Sent& one : sent) {
        note_registered(one);
    }
    for (const Sent& one : sent) {
        check(one);
    }
    // Challenges differ, and an nc is good once.
    if (burst_.size() == 1 && !digest_) {
        const std::vector<Sent> again = play_burst();
        require(std::equal(sent.begin(), sent.end(), again.begin(), again.end(),
                           [](const Sent& a, const Sent& b) {
                               return a.flow == b.flow && a.text == b.text;
                           }),
                "the same packet once more gets the same answer");
    }
    burst_.clear();
}

std::vector<Sent> Session::play_burst() {
    for (const Received& packet : burst_) {
        edges_.put(packet.worker, packet.by, packet.text);
    }
    edges_.settle();
    std::vector<Sent> all;
    for (unsigned worker = 0; worker < kWorkers; ++worker) {
        for (Sent& sent : edges_.sent(worker)) {
            all.push_back(std::move(sent));
        }
        require(edges_.held(worker) == 0, "every packet comes back");
    }
    return all;
}

// --- what must hold ---

void Session::check(const Sent& sent) {
    if (stun_kind(sent.text) != net::StunKind::kNone) {
        const bool asked = std::any_of(burst_.begin(), burst_.end(), [&](const Received& packet) {
            return packet.by == sent.flow && stun_kind(packet.text) == net::StunKind::kRequest &&
                   is_small(packet, sent);
        });
        return asked ? void() : fail("STUN is answered where it comes from, with little", sent);
    }
    sip::Message message;
    const sip::ParseError error = sip::parse(sent.text, message);
    if (error != sip::ParseError::kOk && !(must_be_repeated(error) && answers_unreadable())) {
        fail("what is sent can be read", sent);
    }
    bool may_be_sent = false;
    for (const Received& packet : burst_) {
        if (may_follow(packet, sent, message)) {
            note(packet, sent, message);
            may_be_sent = true;
        }
    }
    if (!may_be_sent) {
        fail("what is sent goes where it may, and is no larger than it may be", sent);
    }
}

bool Session::answers_unreadable() const {
    return std::any_of(burst_.begin(), burst_.end(), [](const Received& packet) {
        sip::Message message;
        return packet.asks() && sip::parse(packet.text, message) != sip::ParseError::kOk;
    });
}

void Session::fail(std::string_view what, const Sent& sent) const {
    const auto print = [](const char* way, const net::Flow& flow, const std::string& text) {
        std::fprintf(stderr, "--- %s %s, %zu bytes\n", way, net::far_end(flow).c_str(),
                     text.size());
        std::fwrite(text.data(), 1, text.size(), stderr);
    };
    for (const Received& packet : burst_) {
        print("from", packet.by, packet.text);
    }
    print("sent to", sent.flow, sent.text);
    require(false, what);
    std::abort();
}

bool Session::may_follow(const Received& packet, const Sent& sent,
                         const sip::Message& message) const {
    const bool asks = packet.asks();
    if (!message.is_request && asks && comes_back(packet, sent, message)) {
        return is_small(packet, sent);
    }
    if (message.is_request != asks) {
        return false;
    }
    if (packet.is_core()) {
        return is_reachable(sent.flow);
    }
    return asks ? sent.flow == kSenders[3] : sent.flow.theirs == kCore;
}

bool Session::comes_back(const Received& packet, const Sent& sent, const sip::Message& message) {
    return sent.flow == packet.by || sent.flow == listens_at(message.top_via(), packet.by);
}

bool Session::is_small(const Received& packet, const Sent& sent) const {
    const auto knows = [&](const net::Flow& flow) {
        return std::find(proved_.begin(), proved_.end(), flow) != proved_.end();
    };
    return packet.is_core() || knows(packet.by) || knows(sent.flow) ||
           sent.text.size() <= route::answer_limit(packet.text.size(), packet.by.is_v4());
}

// --- what is remembered ---

net::Flow Session::answer_flow(std::string_view text, const net::Flow& by) {
    sip::Message message;
    (void)sip::parse(text, message);
    return listens_at(message.top_via(), by);
}

void Session::note(const Received& cause, const Sent& sent, const sip::Message& message) {
    if (message.is_request) {
        last_request_ = sent;
        if (!cause.is_core()) {
            note_reachable(answer_flow(cause.text, cause.by));
        }
        return;
    }
    last_response_ = sent;
    const std::size_t nonce = sent.text.find("nonce=\"");
    if ((message.status == 401 || message.status == 407) && cause.asks() &&
        nonce != std::string::npos) {
        challenged_ = cause;
        challenge_ = sent.text.substr(nonce + 7, sent.text.find('"', nonce + 7) - nonce - 7);
        is_proxy_challenge_ = message.status == 407;
        nonce_count_ = 0;
    }
}

// Within a burst a phone may come, be called and leave.
void Session::note_registered(const Sent& sent) {
    if (sent.starts_with("SIP/2.0 200 ")) {
        note_table();
        sip::Message message;
        if (burst_.size() > 1 && sip::parse(sent.text, message) == sip::ParseError::kOk &&
            message.method == sip::Method::kRegister) {
            note_reachable(sent.flow);
        }
    }
}

void Session::note_table() {
    for (std::uint32_t slot = 0; slot < kMaxContacts; ++slot) {
        table::ContactView contact;
        if (edges_.table().read_slot(slot, contact) == table::SlotRead::kLive) {
            note_reachable(contact.state.flow);
        }
    }
}

bool Session::is_reachable(const net::Flow& flow) const {
    return std::find(reachable_.begin(), reachable_.end(), flow) != reachable_.end();
}

void Session::note_reachable(const net::Flow& flow) {
    if (!is_reachable(flow)) {
        reachable_.push_back(flow);
    }
}

}  // namespace pinhole::edge::test
