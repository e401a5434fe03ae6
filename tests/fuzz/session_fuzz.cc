// SPDX-License-Identifier: BSD-3-Clause
// A small session over the edges of two workers (session.h says what must hold): several packets of
// several senders. The input is cut at 0x1d; a whole SIP message is a session too, of one packet.
//
//   input    = [settings] packet *(0x1d packet)
//   settings = 0x01 to 0x07, the sum of: 1 the core is redirected; 2 phones are asked for
//              passwords; 4 an AOR holds two contacts, and a third replaces one
//   packet   = [control] text
//   control  = 0x80 and: 0x40 it stands in one burst with the next packet
//                        0x20 the second worker receives it
//                        0x18 time that passes before it: none, 0.6 s, 40 s, an hour
//                        0x07 the sender, as in Session::kSenders; or 6 or 7:
//
// 6: the text is an Ethernet frame, which names its sender. 7: it is an event, as Session::act()
// lists them. A packet without a control byte comes from the first phone.
#include "dataplane/net/packet.h"
#include "tests/fuzz/session.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

namespace {

using pinhole::edge::test::Session;
using pinhole::edge::test::SessionSettings;

namespace net = pinhole::net;

constexpr char kSeparator = '\x1d';
constexpr std::array<std::uint32_t, 4> kTimes_ms{0, 600, 40'000, 3'600'000};
// Instead of a sender.
constexpr unsigned kFrame = 6;
constexpr unsigned kEvent = 7;
// How many sessions edges are used for.
constexpr unsigned kMaxUses = 128;

struct Control {
    unsigned sender = 0;
    std::uint32_t time_ms = 0;
    unsigned worker = 0;
    bool goes_on = false;
};

Control take_control(std::string_view& text) {
    const unsigned byte = text.empty() ? 0 : static_cast<unsigned char>(text.front());
    if (byte < 0x80) {
        return {};
    }
    text.remove_prefix(1);
    return {byte & 0x07, kTimes_ms[byte >> 3 & 3], byte >> 5 & 1, (byte & 0x40) != 0};
}

void play_frame(Session& session, std::string_view text, unsigned worker) {
    const net::Bytes frame{reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
    net::Datagram datagram;
    if (net::parse_packet(frame, datagram) != net::PacketKind::kUdp || !datagram.answerable()) {
        return;
    }
    const net::Bytes payload = datagram.payload;
    pinhole::edge::test::require(payload.data() >= frame.data() &&
                                     payload.data() + payload.size() <= frame.data() + frame.size(),
                                 "a payload lies in its frame");
    session.receive(datagram.text(), datagram.flow(0), worker);
}

void play_one(Session& session, std::string_view text) {
    const Control control = take_control(text);
    session.pass_ms(control.time_ms);
    if (control.sender == kFrame) {
        play_frame(session, text, control.worker);
    } else if (control.sender == kEvent) {
        session.act(text, control.worker);
    } else {
        session.receive(text, Session::kSenders[control.sender], control.worker);
    }
    if (!control.goes_on) {
        session.run();
    }
}

// Edges are dear to make, so many sessions use the same, and each begins as if they were new. What
// an earlier session leaves in them all the same does not stay for long.
Session& session_of(const SessionSettings& settings) {
    struct Kept {
        std::unique_ptr<Session> session;
        unsigned uses = 0;
    };
    static std::array<Kept, 8> all;
    Kept& kept =
        all[(settings.redirect ? 1 : 0) + (settings.digest ? 2 : 0) + (settings.replace ? 4 : 0)];
    if (kept.uses++ % kMaxUses == 0) {
        kept.session.reset();
        kept.session = std::make_unique<Session>(settings);
    }
    kept.session->begin();
    return *kept.session;
}

}  // namespace

// libFuzzer's entropic schedule counts how often each feature is seen, and a session has thousands:
// that took nine tenths of the time. A flag on the command line comes later and wins.
extern "C" int LLVMFuzzerInitialize(int* argc, char*** argv) {
    static char flag[] = "-entropic=0";
    static std::vector<char*> args(*argv, *argv + *argc);
    args.insert(args.begin() + 1, flag);
    args.push_back(nullptr);
    *argc = static_cast<int>(args.size()) - 1;
    *argv = args.data();
    return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string_view rest{reinterpret_cast<const char*>(data), size};
    SessionSettings settings;
    if (!rest.empty() && rest.front() >= 1 && rest.front() <= 7) {
        const int bits = rest.front();
        settings = {(bits & 1) != 0, (bits & 2) != 0, (bits & 4) != 0};
        rest.remove_prefix(1);
    }
    Session& session = session_of(settings);
    for (std::size_t packets = 0; packets < Session::kMaxPackets; ++packets) {
        const std::size_t end = rest.find(kSeparator);
        play_one(session, rest.substr(0, end));
        if (end == std::string_view::npos) {
            break;
        }
        rest.remove_prefix(end + 1);
    }
    session.run();
    return 0;
}
