// SPDX-License-Identifier: BSD-3-Clause
// A whole packet through a worker's stages as far as they are pure: Ethernet, IP, UDP, then STUN, the
// registrar or routing, on an edge with registered phones and a core peer. Nothing is sent anywhere
// but back, to a phone that has registered or to the peer; a stranger reaches no phone; what is sent
// can be read; no answer is larger than it may be; the same packet once more gets the same answer.
//
// The input is a SIP message from a phone. A control character before it says who else sends it, or
// that what follows is no message but a frame.
#include "dataplane/net/packet.h"
#include "dataplane/net/stun.h"
#include "dataplane/route/answer.h"
#include "tests/unit/corpus/edge.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>

namespace {

using pinhole::corpus::Edge;
using pinhole::net::Bytes;
using pinhole::net::Datagram;
using pinhole::net::Flow;
using pinhole::route::Kind;
using pinhole::route::Sent;

namespace net = pinhole::net;
namespace route = pinhole::route;
namespace sip = pinhole::sip;

void require(bool promise) {
    if (!promise) {
        std::abort();
    }
}

// --- the first byte ---
constexpr std::uint8_t kSender = 3;  // phone, core peer, stranger, phone of IPv6
constexpr std::uint8_t kRedirect = 4;
constexpr std::uint8_t kFrame = 8;
constexpr std::uint8_t kLastControl = 0x1f;

Flow ipv6_flow() {
    return route::flow(Edge::kEdge6, 5060, "2001:db8:77::1", 5060);
}

class Played {
  public:
    explicit Played(bool redirect) {
        edge_.redirect = redirect;
        edge_.add({});
        edge_.add(
            {.aor = "200@example.com", .uri = "sip:200@[2001:db8:77::1]", .flow = ipv6_flow()});
    }

    void take_frame(Bytes frame) {
        Datagram datagram;
        if (net::parse_packet(frame, datagram) == net::PacketKind::kUdp && datagram.answerable()) {
            const Bytes payload = datagram.payload;
            require(payload.data() >= frame.data() &&
                    payload.data() + payload.size() <= frame.data() + frame.size());
            take(datagram.text(), datagram.flow(0));
        }
    }

    void take(std::string_view text, const Flow& by) {
        const bool core = edge_.peers.index_of(by.theirs).has_value();
        const Sent sent = edge_.take(text, by);
        check(sent, text, by, core);
        const Sent again = edge_.take(text, by);
        require(again.decision.kind == sent.decision.kind && again.text == sent.text);
    }

    [[nodiscard]] const Flow& core_flow() const { return edge_.peers[0].flow; }
    // A contact or a pin may stand otherwise than at first.
    [[nodiscard]] bool may_have_changed() const { return may_have_changed_; }

  private:
    void check(const Sent& sent, std::string_view text, const Flow& by, bool core) {
        const Flow& to = sent.decision.flow;
        sip::Message message;
        may_have_changed_ |= sent.decision.kind == Kind::kForward || sent.decision.code == 200;
        switch (sent.decision.kind) {
            case Kind::kForward:
                if (is_stun(text)) {
                    require(to == by);
                    break;
                }
                require(sip::parse(sent.text, message) == sip::ParseError::kOk);
                require(is_known(to) || to == core_flow());
                require(core || is_known(by) || to == core_flow() || !message.is_request);
                break;
            case Kind::kReply:
                require(to.theirs == by.theirs && sent.text.starts_with("SIP/2.0 "));
                require(core || sent.text.size() <= route::answer_limit(text.size(), by.is_v4()));
                break;
            default:
                require(sent.text.empty() || sent.decision.kind == Kind::kDrop);
                break;
        }
    }

    static bool is_stun(std::string_view text) {
        return net::stun_kind({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}) ==
               net::StunKind::kRequest;
    }

    [[nodiscard]] bool is_known(const Flow& flow) {
        std::array<pinhole::table::ContactId, 8> ids;
        return edge_.table->find_by_flow(flow, ids).count != 0;
    }

    Edge edge_;
    bool may_have_changed_ = false;
};

// Every input meets the same edge. It is dear to make, and most inputs change nothing.
Played& fresh(bool redirect) {
    static std::unique_ptr<Played> made[2];
    std::unique_ptr<Played>& played = made[redirect ? 1 : 0];
    if (played == nullptr || played->may_have_changed()) {
        played = std::make_unique<Played>(redirect);
    }
    return *played;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::uint8_t first = size == 0 ? 0 : data[0];
    const bool controlled = size != 0 && first <= kLastControl && first != '\r' && first != '\n';
    const std::uint8_t control = controlled ? first : 0;
    const Bytes rest{data + (controlled ? 1 : 0), size - (controlled ? 1 : 0)};
    Played& played = fresh((control & kRedirect) != 0);
    if ((control & kFrame) != 0) {
        played.take_frame(rest);
        return 0;
    }
    const Flow senders[] = {Edge::phone_flow(), played.core_flow(), Edge::stranger_flow(),
                            ipv6_flow()};
    played.take({reinterpret_cast<const char*>(rest.data()), rest.size()},
                senders[control & kSender]);
    return 0;
}
