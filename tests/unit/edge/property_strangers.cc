// SPDX-License-Identifier: BSD-3-Clause
// What strangers do, and pings, time and the control thread.
#include "dataplane/route/peer_check.h"
#include "dataplane/route/ping.h"
#include "tests/unit/edge/property_town.h"

#include <algorithm>
#include <array>

namespace pinhole::edge::test {
namespace {

std::string user_of(std::string_view aor) {
    return std::string(aor.substr(0, aor.find('@')));
}

ContactName name_of(const table::ContactView& contact) {
    table::StoredParams::Room room;
    return {user_of(contact.aor), std::string(contact.uri), std::string(contact.params.text(room))};
}

// Of contacts, whichever there are.
const table::ContactView* choose(Dice& dice, const std::vector<table::ContactView>& contacts) {
    return contacts.empty() ? nullptr
                            : &contacts[dice.below(static_cast<unsigned>(contacts.size()))];
}

struct Ping {
    std::uint64_t age_us = 0;
    bool is_probe = false;
    bool of_another = false;  // of the slot's next contact, which isn't there
};

std::string ping_of(const Trial& run, const ContactName& name, const Ping& ping) {
    const auto contact = run.find(name);
    if (!contact) {
        return "";
    }
    std::array<char, 2048> room;
    sip::Writer out(room.data(), room.size());
    const Edges& edges = run.edges();
    table::ContactId id = contact->id;
    id.generation += ping.of_another ? 1 : 0;
    (void)route::build_ping({id, contact->state.flow, contact->uri, contact->aor, ping.is_probe},
                            edges.keys(), edges.now().us - ping.age_us, out);
    return std::string(out.view());
}

// A Binding Request of STUN without attributes.
std::string stun_request(bool good) {
    std::string text(20, '\x2a');
    constexpr std::string_view kHead("\x00\x01\x00\x00\x21\x12\xa4\x42", 8);
    text.replace(0, kHead.size(), kHead);
    text[3] = static_cast<char>(good ? 0 : 4);
    return text;
}

}  // namespace

net::Flow Town::stranger_flow() {
    return from(address(dice_.percent(70) ? "192.0.2.66" : "67.194.23.55"),
                static_cast<std::uint16_t>(9'000 + dice_.below(3)));
}

// The answer to a ping: as it should be, or too late, from elsewhere, with another's MAC, or of a
// contact that isn't there.
std::optional<Datagram> Town::pong(const Trial& run) {
    const std::vector<table::ContactView>& contacts = run.contacts();
    const table::ContactView* contact = choose(dice_, contacts);
    if (contact == nullptr) {
        return std::nullopt;
    }
    const Ping ping{.age_us = dice_.percent(85) ? dice_.below(900'000) : 40'000'000,
                    .is_probe = dice_.percent(20),
                    .of_another = dice_.percent(10)};
    const unsigned code = dice_.of<unsigned>({100, 200, 200, 200, 404, 503});
    const bool forged = dice_.percent(10);
    const bool in_order = dice_.percent(80);  // with our Via first, as nearly all phones send it
    Datagram datagram;
    datagram.flow = contact->state.flow;
    if (dice_.percent(20)) {
        datagram.flow.their_udp_port = static_cast<std::uint16_t>(1'024 + dice_.below(2));
    } else if (dice_.percent(10)) {
        datagram.flow.theirs = address("192.0.2.66");
    }
    datagram.reads_table = true;
    datagram.text = [name = name_of(*contact), ping, code, forged, in_order](const Trial& r) {
        std::string text = answer_to(ping_of(r, name, ping), code, "phone");
        if (!in_order) {
            text.insert(text.find("\r\n"), "\r\nServer: phone");
        }
        const std::size_t mark = text.find("z9hG4bKP");
        if (forged && mark != std::string::npos) {
            text[mark + 20] = text[mark + 20] == 'A' ? 'B' : 'A';
        }
        return text;
    };
    add_touches(run, {user_of(contact->aor)}, datagram);
    return datagram;
}

// The core's answer to a check; or somebody else's who has overheard it.
Datagram Town::peer_pong() {
    const std::uint64_t age_us = dice_.percent(80) ? dice_.below(900'000) : 40'000'000;
    Datagram datagram;
    datagram.flow = dice_.percent(80) ? from(kCore, kSip) : stranger_flow();
    datagram.reads_table = true;  // and the clock
    datagram.text = [age_us](const Trial& run) {
        std::array<char, 2048> room;
        sip::Writer out(room.data(), room.size());
        const Edges& edges = run.edges();
        const std::array peers{from(kCore, kSip)};
        (void)route::build_peer_check(route::Peers(peers)[0], edges.keys(), edges.now().us - age_us,
                                      out);
        return answer_to(out.view(), 200, "core");
    };
    return datagram;
}

Datagram Town::request_of_stranger() {
    const net::Flow flow = stranger_flow();
    const std::string host = net::far_end(flow);
    Request request;
    request.method = dice_.of<std::string>({"REGISTER", "REGISTER", "INVITE", "INVITE", "OPTIONS",
                                            "MESSAGE", "ACK", "CANCEL", "BREW", "NOTIFY"});
    request.from = user();
    request.to = request.method == "REGISTER" ? request.from : user();
    request.via = dice_.percent(50) ? host + ";rport" : host.substr(0, host.find(':')) + ":9999";
    request.branch = new_branch();
    request.call_id = "odd-" + std::to_string(next_id_);
    if (request.method == "REGISTER") {
        request.headers = dice_.percent(50) ? "" : "Contact: <sip:evil@192.0.2.66:9000>\r\n";
    } else if (dice_.percent(80)) {
        request.uri = "sip:" + (dice_.percent(15) ? "112" : request.to) + "@example.com";
    }
    if (dice_.percent(15)) {
        request.headers += "Route: <sip:" + std::string(30, 'A') + "@198.51.100.1:5060;lr>\r\n";
    }
    request.headers += dice_.percent(5) ? "Require: teleport\r\nProxy-Require: teleport\r\n" : "";
    request.headers += dice_.percent(5) ? "Event: keep-alive\r\n" : "";
    if (request.method == "INVITE") {
        calls_.push_back({number_, request, flow, {}});
    }
    Datagram datagram = plain(flow, request);
    if (dice_.percent(20)) {  // next to nothing, so that hardly any answer is small enough
        datagram.text = [request, uri = request.uri](const Trial&) {
            return request.method + " " + uri +
                   " SIP/2.0\r\nv:SIP/2.0/UDP a;branch=" + request.branch +
                   "\r\nf:<sip:a>;tag=1\r\nt:<sip:a>\r\ni: " + request.call_id + "\r\nCSeq:1 " +
                   request.method + "\r\n\r\n";
        };
    }
    return datagram;
}

// To nothing that was asked, or to what has gone to another.
Datagram Town::response_of_stranger(const Trial& run) {
    Request request;
    request.method = "INVITE";
    request.via = "198.51.100.1:5060;rport";
    request.branch = "z9hG4bK" + std::string(dice_.percent(50) ? "F" : "P") +
                     std::string(30 + dice_.below(40), 'A');
    request.from = request.to = user();
    request.call_id = "odd-" + std::to_string(++next_id_);
    Datagram datagram;
    datagram.flow = stranger_flow();
    datagram.text = [request](const Trial&) { return answer_to(request.text(), 200, "t"); };
    const auto heard = std::find_if(mail_.begin(), mail_.end(), [](const Mail& mail) {
        return mail.kind == Mail::Kind::kRequest;
    });
    if (heard != mail_.end() && dice_.percent(50)) {
        datagram = answer(run, heard->number);
        datagram.flow = stranger_flow();
    }
    return datagram;
}

Datagram Town::noise(const Trial& run) {
    Datagram datagram;
    datagram.flow = dice_.percent(50)
                        ? stranger_flow()
                        : phones_[dice_.below(static_cast<unsigned>(phones_.size()))].flow;
    std::string text;
    switch (dice_.below(6)) {
        case 0:
            text = dice_.percent(50) ? "\r\n\r\n" : std::string(4, '\0');
            break;
        case 1:
            text = stun_request(dice_.percent(70));
            break;
        case 2:
            break;
        case 3:
            for (unsigned left = dice_.below(200); left != 0; --left) {
                text += static_cast<char>(dice_.below(256));
            }
            break;
        default: {  // what somebody has said, damaged on the way
            if (datagrams_.empty()) {
                break;
            }
            const auto heard = std::next(datagrams_.begin(),
                                         dice_.below(static_cast<unsigned>(datagrams_.size())));
            text = run.text(heard->first);
            datagram.touches = heard->second.touches;
            datagram.is_damaged = true;
            if (dice_.percent(30)) {
                text.resize(dice_.below(static_cast<unsigned>(text.size() + 1)));
            }
            for (unsigned left = text.empty() ? 0 : dice_.below(6); left != 0; --left) {
                text[dice_.below(static_cast<unsigned>(text.size()))] =
                    dice_.of<char>({'\0', '\r', '\n', ' ', ';', ':', '<', '"', '9', '\x80'});
            }
            // Its branch, its nonce and its tokens are those of the run that it was heard in.
            if (text.find("nonce=") != std::string::npos ||
                text.find("198.51.100.1") != std::string::npos ||
                text.find("2001:db8::1]") != std::string::npos) {
                text = text.substr(0, 20);
            }
        }
    }
    datagram.text = [text](const Trial&) { return text; };
    return datagram;
}

// The same bytes again, by the same flow or, overheard, by another.
std::optional<Datagram> Town::copy(bool elsewhere) {
    if (datagrams_.empty()) {
        return std::nullopt;
    }
    const std::size_t last = datagrams_.rbegin()->first;
    const std::size_t back = dice_.percent(70) ? dice_.below(6) : dice_.below(60);
    const auto original = datagrams_.find(last - std::min(last, back));
    if (original == datagrams_.end() || original->second.is_copy) {
        return std::nullopt;
    }
    Datagram datagram = original->second;
    datagram.text = [number = original->first](const Trial& run) { return run.text(number); };
    datagram.needs = {original->first};
    datagram.reads_table = false;
    if (elsewhere) {
        datagram.flow = stranger_flow();
        datagram.is_copy = datagram.flow != original->second.flow;
    }
    return datagram;
}

std::optional<Step> Town::control(const Trial& run) {
    if (dice_.percent(10)) {
        draining_ = !draining_ && dice_.percent(50);
        return Drain{draining_};
    }
    const std::vector<table::ContactView>& contacts = run.contacts();
    const table::ContactView* contact = choose(dice_, contacts);
    if (contact == nullptr) {
        return std::nullopt;
    }
    using Kind = Control::Kind;
    Control control;
    control.contact = name_of(*contact);
    control.kind =
        dice_.of<Kind>({Kind::kExpire, Kind::kRemoveUnreachable, Kind::kRetarget, Kind::kRemove,
                        Kind::kLearn, Kind::kLearn, Kind::kLearn, Kind::kLearn});
    control.learned.state =
        dice_.percent(60) ? table::Reach::kReachable : table::Reach::kUnreachable;
    control.learned.missed = static_cast<std::uint8_t>(dice_.below(3));
    control.learned.flags = table::QualifyView::kEverAnswered;
    return control;
}

Pass Town::pass() {
    const unsigned kind = dice_.below(100);
    const unsigned most_ms = kind < 60   ? 3'000
                             : kind < 92 ? 40'000
                             : kind < 99 ? 400'000
                                         : 9'000'000;
    return {1 + dice_.below(most_ms)};
}

// The AORs that the text names, and those that stand at its flow; their flows; its Call-ID.
void add_touches(const Trial& run, const std::vector<std::string>& users, Datagram& datagram) {
    const std::string text = datagram.text(run);
    std::set<std::string> aors;
    for (const std::string& user : users) {
        aors.insert(user + "@example.com");
    }
    constexpr std::string_view kDomain = "@example.com";
    for (std::size_t at = 0; (at = text.find(kDomain, at)) != std::string::npos; ++at) {
        const std::size_t begin = text.rfind("sip:", at);
        if (begin != std::string::npos) {
            aors.insert(text.substr(begin + 4, at + kDomain.size() - begin - 4));
        }
    }
    std::vector<net::Flow> flows{datagram.flow, via_flow(text, datagram.flow)};
    const std::vector<table::ContactView>& contacts = run.contacts();
    for (const table::ContactView& contact : contacts) {
        if (std::find(flows.begin(), flows.end(), contact.state.flow) != flows.end()) {
            aors.insert(std::string(contact.aor));
        }
    }
    for (const table::ContactView& contact : contacts) {
        if (aors.contains(std::string(contact.aor))) {
            flows.push_back(contact.state.flow);
        }
    }
    for (const std::string& aor : aors) {
        datagram.touches.insert("a:" + aor);
    }
    for (const net::Flow& flow : flows) {
        if (flow.theirs != kCore) {
            datagram.touches.insert("f:" + flow_text(flow));
        }
    }
    datagram.touches.insert("c:" + call_id_of(text));
}

}  // namespace pinhole::edge::test
