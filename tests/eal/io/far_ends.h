// SPDX-License-Identifier: BSD-3-Clause
// The packets of a call as its two ends send them to the edge: the core calls, the phone answers
// and hangs up. What the edge makes of a packet, and the next is an answer to, is decided by the
// same functions that its worker calls, with pins of their own, so that none of it is known to the
// worker before. For benchmarks; one thread.
#pragma once

#include "tests/eal/io/edge.h"
#include "tests/unit/route/world.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace pinhole::io {

enum class Step : std::uint8_t { kInvite, kTrying, kRinging, kOk, kAck, kBye, kByeOk, kCount };
inline constexpr auto kSteps = static_cast<std::size_t>(Step::kCount);

[[nodiscard]] constexpr bool is_from_core(Step step) {
    return step == Step::kInvite || step == Step::kAck || step == Step::kByeOk;
}

class FarEnds {
  public:
    using Call = std::array<std::string, kSteps>;

    explicit FarEnds(Edge& edge) : edge_(edge) {}

    // The call that begins with this INVITE of the core's, for the phone at `phone`, as the edge
    // sees it.
    Call call(const std::string& invite, const net::Flow& phone) {
        Call out;
        const route::Sent ringing = forwarded(invite, core(), true);
        out[at(Step::kInvite)] = invite;
        out[at(Step::kTrying)] = route::answer_to(ringing, 100, "Trying");
        out[at(Step::kRinging)] = route::answer_to(ringing, 180, "Ringing");
        out[at(Step::kOk)] = with_sdp(route::answer_to(ringing, 200, "OK"));
        out[at(Step::kAck)] =
            in_dialog("ACK", "sip:100@192.168.1.10:5060", "203.0.113.10", ringing);
        out[at(Step::kBye)] = in_dialog("BYE", "sip:203.0.113.10:5060", "192.168.1.10", ringing);
        out[at(Step::kByeOk)] =
            route::answer_to(forwarded(out[at(Step::kBye)], phone, false), 200, "OK");
        return out;
    }

  private:
    static std::size_t at(Step step) { return static_cast<std::size_t>(step); }
    static net::Flow core() { return at_edge(kCore, kSip); }

    static std::string with_sdp(const std::string& answer) {
        const std::string sdp =
            "v=0\r\no=- 2 2 IN IP4 192.168.1.10\r\ns=-\r\nc=IN IP4 192.168.1.10\r\nt=0 0\r\n"
            "m=audio 11780 RTP/AVP 8 101\r\na=rtpmap:101 telephone-event/8000\r\na=sendrecv\r\n";
        return route::replace(answer, "Content-Length: 0\r\n\r\n",
                              "Contact: <sip:100@192.168.1.10:5060>\r\nContent-Type: "
                              "application/sdp\r\nContent-Length: " +
                                  std::to_string(sdp.size()) + "\r\n\r\n" + sdp);
    }

    // Of either end: which of both tags is whose means nothing to the edge.
    static std::string in_dialog(const std::string& method, const std::string& uri,
                                 const std::string& host, const route::Sent& invite) {
        sip::Message message;
        (void)sip::parse(invite.text, message);
        const std::string call_id(message.call_id());
        std::string out = method + " " + uri + " SIP/2.0\r\nVia: SIP/2.0/UDP " + host +
                          ":5060;rport;branch=z9hG4bK" + method + call_id +
                          "\r\nMax-Forwards: 70\r\n";
        for (const std::string& route : invite.values(sip::HeaderId::kRecordRoute)) {
            out += "Route: " + route + "\r\n";
        }
        return out +
               "From: <sip:100@example.com>;tag=t9\r\nTo: <sip:+4930123456@core.example.net>"
               ";tag=t1\r\nCall-ID: " +
               call_id + "\r\nCSeq: 2 " + method +
               "\r\nUser-Agent: Yealink SIP-T46U 108.86.0.90\r\nContent-Length: 0\r\n\r\n";
    }

    route::Sent forwarded(const std::string& text, const net::Flow& from, bool from_core) {
        const Moment now = edge_.now();
        const edge::Surroundings& around = edge_.around();
        const route::Context context{.table = edge_.table(),
                                     .qualify = edge_.qualify(),
                                     .identity = around.identity,
                                     .peers = around.peers,
                                     .peer_health = edge_.peer_health(),
                                     .emergency = around.emergency,
                                     .keys = around.keys,
                                     .pins = pins_,
                                     .now_us = now.us,
                                     .now_ms = now.ms,
                                     .now_s = now.s};
        sip::Message message;
        sip::Writer out(room_.data(), room_.size());
        route::Sent sent;
        if (sip::parse(text, message) == sip::ParseError::kOk) {
            sent.decision =
                route::decide(message, {.flow = from, .from_core_peer = from_core, .peer_index = 0},
                              context, out);
        }
        sent.text = std::string(out.view());
        return sent;
    }

    Edge& edge_;
    route::PinTable pins_{1024};
    std::vector<char> room_ = std::vector<char>(16'384);
};

}  // namespace pinhole::io
