// SPDX-License-Identifier: BSD-3-Clause
// What phones and the core write, and how they understand what they read. Every request names its
// sender and its purpose in the branch and the Call-ID, so that an answer is recognized without
// looking anything up:
//
//   branch   z9hG4bK-RRRRRRRR-PPPPPPPP-SSSSSSSS   run, phone, sequence
//   Call-ID  PPPPPPPP-RRRRRRRR@10.1xx.1xx.1xx     a phone's REGISTERs
//            PPPPPPPP-RRRRRRRR-SSSSSSSS@core      a call
//
// A REGISTER is as a Yealink phone sends it. Pure.
#pragma once

#include "bench/load/digest.h"
#include "bench/load/plan.h"
#include "bench/load/template.h"
#include "dataplane/sip/message.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace pinhole::load {

// Who asked what: a phone's index and the sequence of its REGISTER or of the call.
struct Ticket {
    std::uint32_t phone = 0;
    std::uint32_t sequence = 0;
    bool operator==(const Ticket&) const = default;
};

class Messages {
  public:
    explicit Messages(const Plan& plan);

    // Each writes into SendBatch::kCapacity bytes and returns the length, 0 if it does not fit.
    // `logins` is null, or knows the phone.
    [[nodiscard]] std::size_t write_register(const Fields& fields, std::uint32_t phone,
                                             Logins* logins, char* out) const;
    [[nodiscard]] std::size_t write_invite(const Fields& fields, char* out) const;
    // To a failure or redirection: it belongs to the INVITE's transaction (RFC 3261 §17.1.1.3).
    [[nodiscard]] std::size_t write_ack(const Fields& fields, const sip::Message& answer,
                                        char* out) const;
    // The first thing sent, to see that the edge is there and the way back leads here.
    [[nodiscard]] std::size_t write_hello(const Fields& fields, char* out) const;

    // By the top Via's branch; none if this run put no such question.
    [[nodiscard]] std::optional<Ticket> ticket_of(const sip::Message& message) const;
    // Whether the Call-ID is that of this phone's REGISTERs, of this call.
    [[nodiscard]] bool is_registration(std::string_view call_id, const Fields& fields) const;
    [[nodiscard]] bool is_call(std::string_view call_id, const Fields& fields) const;

    [[nodiscard]] const std::string& request_uri() const { return request_uri_; }

  private:
    std::string run_;
    std::string branch_;  // up to the phone
    std::string request_uri_;
    Template register_head_;
    Template register_tail_;
    Template invite_;
    Template ack_head_;
    Template ack_tail_;
    Template hello_;
};

// What a 200 to a REGISTER says of the phone's contact.
struct Granted {
    bool found = false;
    bool others = false;       // a contact that is not this phone's
    std::string_view contact;  // this phone's
};
[[nodiscard]] Granted granted_to(const sip::Message& answer, const Fields& fields);

// What a Contact value says; 0 if nothing.
[[nodiscard]] std::uint32_t expires_of(std::string_view contact);

// Whether a URI ("sip:10000007@...") names this phone.
[[nodiscard]] bool names_phone(std::string_view uri, const Fields& fields);
// Whether the answer has a Contact, and none that names another phone. One that names no phone at
// all may be a token of the edge's.
[[nodiscard]] bool may_redirect_to(const sip::Message& answer, const Fields& fields);

// A phone's answer to a ping or a call that came from `source`. 0 if it does not fit.
struct AnswerSource {
    net::Address address;
    std::uint16_t udp_port = 0;
};
[[nodiscard]] std::size_t write_answer(const sip::Message& request, unsigned code,
                                       const AnswerSource& source, char* out);

}  // namespace pinhole::load
