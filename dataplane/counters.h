// SPDX-License-Identifier: BSD-3-Clause
// What a worker counts: plain memory of its own, one writer (the worker), read by the metrics
// whenever they are scraped. No lock, no atomic read-modify-write. Pure.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace pinhole {

// One writer; any reader. Relaxed: a scrape wants recent figures, not an ordering among them.
class Counter {
  public:
    void add(std::uint64_t n = 1) {
        value_.store(value_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
    }
    [[nodiscard]] std::uint64_t get() const { return value_.load(std::memory_order_relaxed); }

  private:
    std::atomic<std::uint64_t> value_{0};
};

// Why a packet came to nothing. One name a value, in kDropReasonNames: the metric's `reason` label.
enum class DropReason : std::uint8_t {
    kNotIp,           // neither IPv4 nor IPv6, on a port whose kernel sees every packet anyway
    kNotOurs,         // another host's address or port, likewise
    kBadIp,           // lengths or header that contradict the packet
    kBadUdp,          // UDP length that contradicts IP's
    kBadChecksum,     // neither right nor the partial value that a veth hands up
    kTruncated,       // longer by its IP header than by its frame
    kFragment,        // a fragment that was never completed, or one too many
    kNotSip,          // a datagram that is no SIP message
    kKeepalive,       // CRLF, NULs, nothing: noise that keeps a pinhole open
    kMalformed,       // SIP so broken that no answer can be addressed
    kBadResponse,     // a response whose top Via is not ours or whose MAC does not hold
    kWrongSender,     // a response from elsewhere than where its request went
    kStranger,        // a request to relay, from nobody we relay for
    kAbsorbedAck,     // the ACK to an answer of our own
    kAckNowhere,      // an ACK that leads nowhere: it may not be answered
    kNoRoute,         // no route in the kernel's table
    kNoNeighbour,     // next hop not resolved yet: the kernel was asked
    kTooLarge,        // an answer or a forwarded message that outgrows what we send
    kNoMbuf,          // no packet buffer
    kTxFull,          // the TX queue took no more
    kHandoffFull,     // the owner's command ring took no more
    kContended,       // a record that stayed claimed for too long
    kAmplification,   // an answer larger than 1.5 times an unauthenticated request
    kKernelPathFull,  // the queue to the kernel took no more
    kFlowLimit,       // more requests of one flow than [limits] lets through
    kAddressLimit,    // more of one address, or of one IPv6 network
    kScreened,        // hit a screening rule that drops, or one that rejects and no answer may go
    kTarpit,          // hit a screening rule that tarpits, or came in the silence after that
    kOverload,        // refused by a worker that has more to do than it can, without an answer
    kGuessing,        // credentials from where too many wrong ones have come
    kCount
};
inline constexpr std::array<std::string_view, static_cast<std::size_t>(DropReason::kCount)>
    kDropReasonNames{
        "not_ip",        "not_ours",     "bad_ip",        "bad_udp",          "bad_checksum",
        "truncated",     "fragment",     "not_sip",       "keepalive",        "malformed",
        "bad_response",  "wrong_sender", "stranger",      "absorbed_ack",     "ack_nowhere",
        "no_route",      "no_neighbour", "too_large",     "no_mbuf",          "tx_full",
        "handoff_full",  "contended",    "amplification", "kernel_path_full", "flow_limit",
        "address_limit", "screened",     "tarpit",        "overload",         "guessing"};

// The methods with a counter of their own; all others count as kOther. Order is the metric's only.
enum class MethodLabel : std::uint8_t {
    kRegister,
    kInvite,
    kAck,
    kBye,
    kCancel,
    kOptions,
    kSubscribe,
    kNotify,
    kMessage,
    kInfo,
    kUpdate,
    kPrack,
    kRefer,
    kPublish,
    kOther,
    kCount
};
inline constexpr std::array<std::string_view, static_cast<std::size_t>(MethodLabel::kCount)>
    kMethodLabelNames{"REGISTER", "INVITE",    "ACK",    "BYE",     "CANCEL",
                      "OPTIONS",  "SUBSCRIBE", "NOTIFY", "MESSAGE", "INFO",
                      "UPDATE",   "PRACK",     "REFER",  "PUBLISH", "other"};

// Who calls for help.
enum class EmergencySender : std::uint8_t { kRegistered, kUnregistered, kCount };
inline constexpr std::array<std::string_view, static_cast<std::size_t>(EmergencySender::kCount)>
    kEmergencySenderNames{"registered", "unregistered"};

// Contacts that name no phone. Nothing is ever sent to a Contact's host, so they harm nobody; they
// tell of somebody who tries.
enum class OddContact : std::uint8_t { kOurs, kLoopback, kMulticast, kCount };
inline constexpr std::array<std::string_view, static_cast<std::size_t>(OddContact::kCount)>
    kOddContactNames{"ours", "loopback", "multicast"};

// Whom an overloaded worker refuses, in the order of admit::Rank without the first.
enum class Refused : std::uint8_t { kNewcomer, kUnproven, kOther, kCount };
inline constexpr std::array<std::string_view, static_cast<std::size_t>(Refused::kCount)>
    kRefusedNames{"newcomer", "unproven", "other"};

// What comes of a request that has to prove who sends it; those up to kReplayed are challenged.
enum class AuthResult : std::uint8_t {
    kChallenged,      // no credentials for our realm
    kUnreadable,      // broken, not as we asked for them, or for another server's URI
    kWrong,           // a password that isn't the user's
    kUnknownUser,     // gets what a wrong password does
    kStale,           // a nonce that has expired, or that we don't know any more
    kReplayed,        // an nc that was used
    kForbidden,       // a good password, for another user's AOR
    kGuessed,         // dropped unread: too many wrong ones have come from there
    kContended,       // dropped: the AOR's nonces were in use all the while
    kGood,            // ... and new
    kRetransmission,  // ... and the same request again
    kCount
};
inline constexpr std::array<std::string_view, static_cast<std::size_t>(AuthResult::kCount)>
    kAuthResultNames{"challenged", "unreadable", "wrong",         "unknown_user",
                     "stale",      "replayed",   "forbidden",     "guessed",
                     "contended",  "good",       "retransmission"};

inline constexpr unsigned kMaxResponseCode = 699;

struct alignas(64) CoreCounters {
    Counter rx_packets, rx_bytes, tx_packets, tx_bytes;
    Counter cycles_busy, cycles_idle;
    Counter handoffs;         // commands sent to another worker
    Counter handoffs_late;    // of them, those that were not answered within a second
    Counter handoffs_served;  // commands of other workers that this one carried out
    Counter to_kernel;        // packets passed to the kernel by the TAP
    Counter from_kernel;      // packets of the kernel's sent out by us
    Counter reassembled, fragmented;
    Counter refreshed_in_place;
    Counter pings_sent, pongs;
    Counter peer_checks_sent;     // OPTIONS to core peers
    Counter calls_in, calls_out;  // INVITEs forwarded to a phone, to a core peer
    Counter responses_forwarded;
    Counter table_full;    // newcomers refused with 503
    Counter no_peer;       // phones' requests refused with 503: no core peer is alive
    Counter wrong_target;  // pongs from another flow than the contact's
    Counter stun_answers;  // Binding Requests answered
    Counter retargeted;    // contacts found at their Contact's port and reached there since
    Counter displaced;     // contacts whose flow another phone has registered by: suspect since
    std::array<Counter, static_cast<std::size_t>(MethodLabel::kCount)> requests;
    std::array<Counter, static_cast<std::size_t>(DropReason::kCount)> drops;
    std::array<Counter, static_cast<std::size_t>(EmergencySender::kCount)> emergencies;
    std::array<Counter, static_cast<std::size_t>(OddContact::kCount)> odd_contacts;
    std::array<Counter, static_cast<std::size_t>(Refused::kCount)> refused;
    std::array<Counter, static_cast<std::size_t>(AuthResult::kCount)> auth;
    Counter auth_uri_differs;  // of these: a digest over another URI than the request's
    std::array<Counter, kMaxResponseCode + 1> responses;  // that we sent ourselves, by code

    void drop(DropReason reason) { drops[static_cast<std::size_t>(reason)].add(); }
    void emergency(EmergencySender sender) { emergencies[static_cast<std::size_t>(sender)].add(); }
};

// ICMP errors that answer what we have sent, by what came of them. Written by the service thread.
struct IcmpCounters {
    Counter learned;  // a path MTU, less than what was known
    Counter ignored;  // a path MTU that is no news, or too small to be believed
    Counter other;    // an unreachable phone, mostly: pings find that out better
};

}  // namespace pinhole
