// SPDX-License-Identifier: BSD-3-Clause
// A small edge for the tests of routing: a table with phones behind a NAT, a core peer, keys, pins
// and a clock that stands still. Messages are written with bare line feeds and get their CRs here.
#pragma once

#include "dataplane/route/forward.h"
#include "dataplane/route/route.h"
#include "dataplane/sip/elements.h"
#include "dataplane/table/binding_table.h"
#include "dataplane/table/heap_memory.h"
#include "dataplane/table/qualify_state.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pinhole::route {

inline net::Address address(std::string_view text) {
    return net::parse_address(text).value();
}

inline net::Flow flow(std::string_view ours, std::uint16_t our_port, std::string_view theirs,
                      std::uint16_t their_port, net::PortIndex port = 0) {
    net::Flow f;
    f.ours = address(ours);
    f.theirs = address(theirs);
    f.our_udp_port = our_port;
    f.their_udp_port = their_port;
    f.port = port;
    return f;
}

// "a\nb" as "a\r\nb".
inline std::string crlf(std::string_view text) {
    std::string out;
    for (const char c : text) {
        if (c == '\n') {
            out += '\r';
        }
        out += c;
    }
    return out;
}

inline std::string replace(std::string text, std::string_view what, std::string_view with) {
    const std::size_t at = text.find(what);
    return at == std::string::npos ? text : text.replace(at, what.size(), with);
}

struct Sent {
    Decision decision;
    std::string text;

    [[nodiscard]] bool forwarded() const { return decision.kind == Kind::kForward; }
    [[nodiscard]] bool dropped_for(DropReason reason) const {
        return decision.kind == Kind::kDrop && decision.reason == reason;
    }
    [[nodiscard]] bool replied(unsigned code) const {
        return decision.kind == Kind::kReply && decision.code == code &&
               text.starts_with("SIP/2.0 " + std::to_string(code) + " ");
    }
    [[nodiscard]] std::string first_line() const { return text.substr(0, text.find("\r\n")); }
    // The values of a header, in order, lists split.
    [[nodiscard]] std::vector<std::string> values(sip::HeaderId id) const {
        sip::Message message;
        std::vector<std::string> out;
        if (sip::parse(text, message) != sip::ParseError::kOk) {
            return {"not a SIP message"};
        }
        sip::Elements elements(message, id);
        std::string_view element;
        while (elements.next(element)) {
            out.emplace_back(element);
        }
        return out;
    }
    [[nodiscard]] bool has(std::string_view what) const {
        return text.find(what) != std::string::npos;
    }
};

class World {
  public:
    static constexpr std::string_view kEdge = "198.51.100.1";
    static constexpr std::string_view kEdge6 = "2001:db8::1";
    static constexpr std::string_view kCore = "203.0.113.10";
    static constexpr std::string_view kNat = "67.194.23.55";

    // `separate`: the core is reached by another address and port of ours.
    explicit World(bool separate = false, std::uint32_t first_generation = 1)
        : World(std::vector<net::Flow>{core_flow(separate)}, first_generation) {}
    explicit World(const std::vector<net::Flow>& peer_flows, std::uint32_t first_generation = 1)
        : peers(peer_flows), peer_health(peer_flows.size()), pins(64), qualify(64) {
        if (!identity.add_domain("example.com")) {
            std::abort();
        }
        identity.add_local(address(kEdge), 5060);
        identity.add_local(address("10.0.0.1"), 5080);
        identity.add_local(address(kEdge6), 5060);
        std::array<std::byte, table::KeyedHash::kSeedBytes> seed{std::byte{7}};
        const table::ShardMemory shard = memory.shard();
        table = table::BindingTable::make(
            {.max_contacts = 64,
             .hash = table::KeyedHash(seed),
             .reclaimer = {[](void*) -> std::uint64_t { return 0; },
                           [](void*, std::uint64_t) { return true; }, nullptr},
             .arrays = memory.arrays(),
             .shards = {&shard, 1},
             .first_generation = first_generation});
    }

    static net::Flow core_flow(bool separate) {
        return separate ? flow("10.0.0.1", 5080, kCore, 5060, 1) : flow(kEdge, 5060, kCore, 5060);
    }
    static net::Flow phone_flow(std::uint16_t mapped = 32947) {
        return flow(kEdge, 5060, kNat, mapped);
    }

    struct Phone {
        std::string aor = "100@example.com";
        std::string uri = "sip:100@192.168.1.10:5060;line=a1b2";
        net::Flow flow = phone_flow();
        std::uint16_t q = 1000;
        std::uint32_t refreshed_at_ms = 0;
        std::uint32_t expires_at_s = 5000;
        std::string instance;  // "<urn:...>"
        std::uint32_t reg_id = 0;
        std::string path;
        std::uint64_t call_id_hash = 0;
        std::uint32_t cseq = 0;
        std::uint16_t flags = 0;
    };
    // Another contact of the AOR.
    table::ContactId add(const Phone& phone) {
        table::NewContact contact;
        contact.uri = phone.uri;
        contact.params = contact.instance = phone.instance;
        contact.reg_id = phone.reg_id;
        contact.path = phone.path;
        contact.state = {.flow = phone.flow,
                         .call_id_hash = phone.call_id_hash,
                         .expires_at_s = phone.expires_at_s,
                         .cseq = phone.cseq,
                         .refreshed_at_ms = phone.refreshed_at_ms,
                         .q = phone.q,
                         .flags = phone.flags};
        const auto changed = table->change_owner(
            table->hash()(phone.aor), phone.aor,
            [&](const table::Current&, table::Edit& edit) { return edit.add(contact); });
        const table::Record& record = *changed.record;
        return record.fixed(record.contact_count() - 1).id();
    }
    // The phone is behind another mapping now, as a REGISTER would tell.
    void move(const std::string& aor, const net::Flow& to) {
        (void)table->change_owner(table->hash()(aor), aor,
                                  [&](const table::Current& current, table::Edit& edit) {
                                      table::ContactState state = current.contacts[0].state;
                                      state.flow = to;
                                      edit.modify(0, state);
                                      return true;
                                  });
    }
    // A REGISTER by the same flow.
    void register_again(const std::string& aor, std::size_t i, std::uint64_t call_id_hash,
                        std::uint32_t cseq) {
        (void)table->change_owner(table->hash()(aor), aor,
                                  [&](const table::Current& current, table::Edit& edit) {
                                      table::ContactState state = current.contacts[i].state;
                                      state.call_id_hash = call_id_hash;
                                      state.cseq = cseq;
                                      edit.modify(i, state);
                                      return true;
                                  });
    }
    void remove(table::ContactId id) {
        (void)table->remove_owner(id, [](const table::ContactView&) { return true; });
    }
    void set_reach(table::ContactId id, table::Reach reach) {
        qualify.write_control(id.slot, {.generation = id.generation, .state = reach});
    }

    [[nodiscard]] Context context() {
        return {.table = *table,
                .qualify = qualify,
                .identity = identity,
                .peers = peers,
                .peer_health = peer_health,
                .emergency = emergency,
                .keys = *keys,
                .pins = pins,
                .call_unreachable = call_unreachable,
                .redirect = redirect,
                .assert_identity = assert_identity,
                .gruu = gruu,
                .proven = proven,
                .now_us = now_us,
                .now_ms = now_us / 1000,
                .now_s = static_cast<std::uint32_t>(now_us / 1'000'000)};
    }
    void use_keys(const std::vector<tokens::MasterKey>& newest_first) {
        keys.emplace(newest_first);
    }

    // `text` with bare line feeds or CRLF; as it came by `by`.
    Sent receive(std::string_view text, const net::Flow& by, bool from_core_peer,
                 std::size_t room = 65535) {
        return receive_bytes(
            text.find('\r') == std::string_view::npos ? crlf(text) : std::string(text), by,
            from_core_peer, room);
    }
    // The same, byte for byte.
    Sent receive_bytes(std::string_view wire, const net::Flow& by, bool from_core_peer,
                       std::size_t room = 65535) {
        std::vector<char> buffer(room);
        sip::Writer out(buffer.data(), buffer.size());
        sip::Message message;
        const sip::ParseError error = sip::parse(wire, message);
        const Arrival arrival{.flow = by,
                              .from_core_peer = from_core_peer,
                              .peer_index = peers.index_of(by.theirs).value_or(0)};
        Sent sent;
        sent.decision = error == sip::ParseError::kOk
                            ? decide(message, arrival, context(), out)
                            : decide_malformed(message, error, arrival, context(), out);
        sent.text = std::string(out.view());
        return sent;
    }
    Sent from_core(std::string_view text) { return receive(text, peers[0].flow, true); }
    Sent from_phone(std::string_view text, const net::Flow& by = phone_flow()) {
        return receive(text, by, false);
    }
    static net::Flow stranger_flow() { return flow(kEdge, 5060, "192.0.2.66", 5060); }
    Sent from_stranger(std::string_view text) { return receive(text, stranger_flow(), false); }

    sip::Identity identity;
    table::HeapMemory memory;
    std::unique_ptr<table::BindingTable> table;
    Peers peers;
    PeerHealth peer_health;
    Emergency emergency{std::vector<std::string>{"112", "911"}, true};
    PinTable pins;
    table::QualifyTable qualify;
    std::optional<tokens::Keys> keys{std::vector<tokens::MasterKey>{{.id = 1, .bytes = {1, 2, 3}}}};
    bool call_unreachable = false;
    bool redirect = false;
    bool assert_identity = true;
    bool gruu = true;
    Proven proven;
    std::uint64_t now_us = 1'000'000'000;
};

inline const std::string kInvite =
    "INVITE sip:100@example.com SIP/2.0\n"
    "Via: SIP/2.0/UDP 203.0.113.10:5060;branch=z9hG4bKcore1;rport\n"
    "Max-Forwards: 69\n"
    "From: \"Bob\" <sip:200@example.com>;tag=f1\n"
    "To: <sip:100@example.com>\n"
    "Call-ID: call-1@core\n"
    "CSeq: 1 INVITE\n"
    "Contact: <sip:200@203.0.113.10:5060>\n"
    "X-Odd:   kept   as it is \n"
    "Content-Type: application/sdp\n"
    "Content-Length: 5\n"
    "\n"
    "v=0\n";

inline const std::string kInviteOut =
    "INVITE sip:200@example.com SIP/2.0\n"
    "Via: SIP/2.0/UDP 192.168.1.10:5060;branch=z9hG4bKphone1;rport\n"
    "Max-Forwards: 70\n"
    "From: <sip:100@example.com>;tag=p1\n"
    "To: <sip:200@example.com>\n"
    "Call-ID: out-1@192.168.1.10\n"
    "CSeq: 1 INVITE\n"
    "Contact: <sip:100@192.168.1.10:5060>\n"
    "Content-Length: 0\n"
    "\n";

// The same request with another method, as CANCEL and ACK derive from an INVITE.
inline std::string with_method(std::string text, const std::string& from, const std::string& to) {
    text = replace(text, from + " sip:", to + " sip:");
    return replace(text, " " + from + "\n", " " + to + "\n");
}

// The answer that the receiver of a forwarded request gives: every Via, From, To with a tag,
// Call-ID, CSeq.
inline std::string answer_to(const Sent& request, unsigned code, const std::string& reason = "X") {
    std::string out = "SIP/2.0 " + std::to_string(code) + " " + reason + "\r\n";
    sip::Message message;
    if (sip::parse(request.text, message) != sip::ParseError::kOk) {
        return "";
    }
    for (std::size_t i = 0; i < message.header_count(); ++i) {
        switch (message.id(i)) {
            case sip::HeaderId::kVia:
            case sip::HeaderId::kRecordRoute:
            case sip::HeaderId::kFrom:
            case sip::HeaderId::kCallId:
            case sip::HeaderId::kCSeq:
                out += message.header_line(i);
                break;
            case sip::HeaderId::kTo:
                out += "To: " + std::string(message.value(i)) + ";tag=t9\r\n";
                break;
            default:
                break;
        }
    }
    return out + "Content-Length: 0\r\n\r\n";
}

}  // namespace pinhole::route
