// SPDX-License-Identifier: BSD-3-Clause
// The world of session_fuzz: two workers' edges over one table with two phones in it, more senders,
// and what must hold whatever they send.
//
// - The edge hands every packet back once, and holds none when all workers have come to rest.
// - A sender that is no core peer reaches the core and nobody else, so no phone. It is answered
//   where it sends from; or at the port of its Via, if that names its address and has no rport
//   (RFC 3261 §18.2.2, RFC 3581).
// - A core peer reaches flows that phones are or have been registered by, and flows whose requests
//   went to the core.
// - An answer to a sender that has proved nothing is no larger than route::answer_limit().
// - What is sent can be read, but for a CSeq or Call-ID that an answer must repeat as it came.
// - The same packet once more gets the same answer.
//
// A promise that doesn't hold ends the program, as libFuzzer wants it. One thread.
#pragma once

#include "dataplane/auth/subscribers.h"
#include "tests/unit/edge/edges.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pinhole::edge::test {

// Says which promise does not hold, and ends the program.
void require(bool promise, std::string_view what);

struct SessionSettings {
    bool redirect = false;  // [core] mode = "redirect"
    bool digest = false;    // [auth] mode = "digest"
    bool replace = false;   // an AOR holds two contacts, and a third replaces one
};

class Session {
  public:
    static constexpr std::size_t kMaxPackets = 24;
    static constexpr std::uint32_t kMaxContacts = 64;
    static constexpr std::string_view kRealm = "example.com";
    static constexpr std::string_view kUser = "100";  // the one whose password is known
    // A phone, its neighbour behind the same NAT, a phone of IPv6, a core peer, a stranger, and the
    // first phone after its gateway has given it another port.
    static const std::array<net::Flow, 6> kSenders;

    explicit Session(const SessionSettings& settings);

    // Begins a session: two phones are registered, nobody else is, and so much time
    // has passed that all else is over. To make new edges would take longer than a session.
    void begin();
    void pass_ms(std::uint32_t milliseconds);
    // Puts a packet into the burst in hand.
    void receive(std::string_view text, const net::Flow& by, unsigned worker);
    // The first character of `what` says what happens; the rest is for it:
    //   a  the receiver of the last request answers it; rest: the code, else 200
    //   c  the receiver of the last response sends the next request of the dialog; rest: the
    //      method, else BYE
    //   d  the receiver of the last request does the same
    //   r  the last packet comes again
    //   l  the request that was challenged last comes with the password of kUser
    //   p  contact `rest` answers a ping
    //   e, u, t  the control thread has contact `rest` removed as expired (e) or as unreachable
    //      (u), or reached at the port that its Contact names (t)
    void act(std::string_view what, unsigned worker);
    // Has the workers do all there is to do, and looks at what came of it.
    void run();

  private:
    struct Received {
        std::string text;
        net::Flow by;
        unsigned worker = 0;

        [[nodiscard]] bool is_core() const { return by.theirs == kCore; }
        // Is it no response?
        [[nodiscard]] bool asks() const {
            const std::size_t at = std::min(text.find_first_not_of("\r\n"), text.size());
            return text.compare(at, 4, "SIP/") != 0;
        }
    };

    void remove_all();
    void add_phone(const std::string& user, const std::string& uri, const net::Flow& flow);
    [[nodiscard]] std::vector<Sent> play_burst();

    void check(const Sent& sent);
    [[nodiscard]] bool answers_unreadable() const;
    [[noreturn]] void fail(std::string_view what, const Sent& sent) const;
    [[nodiscard]] bool may_follow(const Received& packet, const Sent& sent,
                                  const sip::Message& message) const;
    [[nodiscard]] static bool comes_back(const Received& packet, const Sent& sent,
                                         const sip::Message& message);
    // Where the sender of this expects an answer.
    [[nodiscard]] static net::Flow answer_flow(std::string_view text, const net::Flow& by);
    [[nodiscard]] bool is_small(const Received& packet, const Sent& sent) const;

    void note(const Received& cause, const Sent& sent, const sip::Message& message);
    void note_registered(const Sent& sent);
    void note_table();
    [[nodiscard]] bool is_reachable(const net::Flow& flow) const;
    void note_reachable(const net::Flow& flow);

    void answer(std::string_view rest, unsigned worker);
    void go_on(const std::optional<Sent>& seen, std::string_view method, unsigned worker);
    void log_in(unsigned worker);
    void pong(std::string_view rest, unsigned worker);
    void command(CommandKind kind, std::string_view rest);
    void send_command(CommandKind kind, const table::ContactView& contact);
    [[nodiscard]] std::optional<table::ContactView> contact_in(std::string_view rest);

    const bool digest_;
    Edges edges_;
    std::unique_ptr<auth::Subscribers> subscribers_;
    std::vector<Received> burst_;
    Received last_packet_;
    std::optional<Sent> last_request_;
    std::optional<Sent> last_response_;
    std::optional<Received> challenged_;
    std::string challenge_;  // its nonce
    bool is_proxy_challenge_ = false;
    unsigned nonce_count_ = 0;
    std::vector<net::Flow> reachable_;  // where the core may have something sent
    std::vector<net::Flow> proved_;     // whose senders have shown a secret
};

}  // namespace pinhole::edge::test
