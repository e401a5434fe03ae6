// SPDX-License-Identifier: BSD-3-Clause
// What the daemon can tell and do, as the HTTP server sees it: main.cc implements it over the real
// workers, tests over a fake. Every function may be called by several server threads at once, may
// block for milliseconds, and must not throw. Values are copies: nothing here points into the
// binding table.
#pragma once

#include "control/metrics/metrics.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pinhole::api {

struct PortStatus {
    std::string name;
    std::string device;  // "af_packet:eth0"
    std::string mac;
    bool link_up = false;
    unsigned queues = 0;
    std::string role;                    // access | core | both
    std::vector<std::string> addresses;  // without brackets
    std::vector<std::uint16_t> sip_ports;
};

struct Status {
    std::string version;
    double uptime_s = 0;
    bool draining = false;
    unsigned workers = 0;
    std::uint64_t contacts = 0;
    std::uint64_t aors = 0;
    std::uint64_t max_contacts = 0;
    std::uint64_t memory_bytes = 0;  // reserved for table and packets
    std::string memory_kind;         // "hugepages", "2 MB pages (transparent)", "4 KB pages"
    std::vector<PortStatus> ports;
    metrics::QualifyFigures qualify;
    metrics::KeyFigures keys;
    metrics::JournalFigures journal;
    std::vector<metrics::PeerFigures> peers;
};

// Sums since start; a reader takes two and divides.
struct CoreStatus {
    unsigned core = 0;
    unsigned cpu = 0;  // the lcore it is pinned to
    std::uint64_t contacts = 0;
    std::uint64_t rx_packets = 0, tx_packets = 0, drops = 0;
    std::uint64_t registers = 0, refreshed_in_place = 0;
    std::uint64_t calls_in = 0, calls_out = 0;
    std::uint64_t pings_sent = 0, pongs = 0;
    std::uint64_t handoffs = 0;
    std::uint64_t cycles_busy = 0, cycles_idle = 0;
};
// Reads what a worker's counters hold; cpu stays 0.
[[nodiscard]] CoreStatus core_status(const metrics::CoreFigures& figures);

// Of all cores together, a second; the oldest first.
inline constexpr std::array<const char*, 7> kRateNames{
    "registers", "calls", "rx_packets", "tx_packets", "drops", "pings_sent", "pongs"};
struct Rates {
    double every_s = 0;    // between two points
    std::size_t most = 0;  // points that are kept
    std::array<std::vector<float>, kRateNames.size()> per_s;
};

struct Binding {
    std::string contact;   // the URI as the phone wrote it
    std::uint64_t id = 0;  // the contact id (slot and generation)
    std::string far_end;   // "67.194.23.55:32947": where the phone is reached
    std::string near_end;  // ours
    std::string port;      // the configured port's name
    metrics::ContactState state = metrics::ContactState::kUnknown;
    std::optional<double> rtt_s;  // of the last answered ping
    unsigned missed = 0;          // pings unanswered in a row
    std::string alg = "none";     // what its gateway does to SIP: nat::alg_name()
    bool at_contact = false;      // at the port that its Contact names, not the one it sends from
    bool suspect = false;         // another phone has registered by its flow: it gets no calls
    std::uint32_t expires_in_s = 0;
    std::uint64_t registered_ago_s = 0;  // since the last REGISTER
    std::uint16_t q_thousandths = 1000;
    std::uint32_t cseq = 0;
    std::string instance;  // +sip.instance, if any
    std::uint32_t reg_id = 0;
    std::string params;  // the Contact's other parameters, as text
    std::string path;    // the proxies on the way there (RFC 3327), if any
};

struct AorBindings {
    std::string aor;  // "sip:alice@example.com"
    std::vector<Binding> bindings;
};

// What happened to a contact, the oldest first.
struct StoryEvent {
    std::string event;   // as qualify::event_name() has it: "registered", "answered", "missed" ...
    unsigned times = 1;  // in a row; 255: or more
    std::uint64_t ago_s = 0;       // the last time
    std::optional<double> rtt_s;   // of an answer
    std::optional<unsigned> port;  // the phone's as its gateway shows it; of registered, moved
};

struct ContactStory {
    std::uint64_t id = 0;
    std::optional<Binding> binding;  // nullopt: it is gone
    bool waiting = false;            // a ping is under way
    std::vector<StoryEvent> events;
};

// Why a phone does or does not ring.
struct Story {
    std::string aor;
    bool kept = true;                // false: [qualify] ledger is off
    bool tries_unreachable = false;  // [qualify] call_unreachable = "try"
    std::vector<ContactStory> contacts;
};

// What was learned about one kind of phone behind a gateway.
struct GatewayLesson {
    std::string agent;  // "Yealink"
    std::uint64_t phones = 0;
    double interval_s = 0;         // that they are pinged by
    std::uint32_t survived_s = 0;  // idle time known to be survived; 0: none beyond the fixed
    std::uint32_t died_s = 0;      // known not to be; 0: none
    std::uint32_t tried_s = 0;     // that one of them tries, or tried last; 0: none
    std::uint64_t losses = 0;      // mappings that died
};

struct Gateway {
    std::string address;  // "67.194.23.55", "2001:db8:1:2::/64"
    std::uint64_t phones = 0;
    std::uint64_t rebinds = 0;  // contacts that came back by another mapping
    std::uint64_t pings = 0;
    std::uint64_t missed = 0;
    std::vector<GatewayLesson> lessons;
    // Of the phones, those whose SIP is rewritten on the way: consistently, half, broken.
    std::array<std::uint64_t, 3> rewritten{};
    std::uint64_t outages = 0;  // times that its phones fell silent together
};

// Phones that fell silent together, and are.
struct Outage {
    std::string where;  // a gateway, or a prefix of several: "67.194.23.0/24"
    std::uint64_t phones = 0;
    std::uint64_t since_ago_s = 0;
};

struct Nat {
    bool learns = false;
    double fixed_interval_s = 0;
    std::uint64_t gateways = 0;  // that have phones
    std::uint64_t phones = 0;
    std::vector<Gateway> largest;  // by phones
    std::vector<Outage> outages;   // likewise; what lies within a silent prefix is not named again
};

struct ListPage {
    std::vector<AorBindings> aors;
    std::string next;  // hand in as `after` for what follows; empty: that was all
};

struct RemoveResult {
    enum class Code : std::uint8_t { kRemoved, kUnknownAor, kUnknownContact, kBusy };
    Code code = Code::kUnknownAor;
    std::size_t removed = 0;
};

// What was read again, what is wrong (then the old stays in use) and what is odd; a sentence each.
struct ReloadResult {
    std::vector<std::string> done;
    std::vector<std::string> problems;
    std::vector<std::string> warnings;
};

// A capture that has begun, or the sentence why there is none.
struct CaptureStart {
    std::uint64_t id = 0;
    std::string problem;
};

// What has come since the last one.
struct CaptureChunk {
    std::string bytes;         // whole blocks of pcapng
    std::uint64_t missed = 0;  // packets since the beginning that the file lacks
};

// ok, or the sentence why not.
struct Health {
    bool ok = false;
    std::string reason;
};

class System {
  public:
    virtual ~System() = default;

    [[nodiscard]] virtual Status status() = 0;
    [[nodiscard]] virtual std::vector<CoreStatus> cores() = 0;
    // Of the last minutes, those before anybody asked too.
    [[nodiscard]] virtual Rates rates() = 0;
    // `aor` is "sip:user@domain", as the client wrote it but percent-decoded and with its scheme;
    // the implementation makes it canonical. No binding: nullopt.
    [[nodiscard]] virtual std::optional<AorBindings> show(std::string_view aor) = 0;
    // What happened to the AOR's contacts lately, as far as it is known, including contacts that
    // are gone. No AOR at all: nullopt.
    [[nodiscard]] virtual std::optional<Story> why(std::string_view aor) = 0;
    // The gateways that most phones are behind, at most `limit` of them.
    [[nodiscard]] virtual Nat nat(std::size_t limit) = 0;
    // AORs that begin with `prefix` ("sip:" is put before it if missing; empty means all), at most
    // `limit` of them, from the cursor `after` (opaque, from an earlier page; empty: from the
    // beginning; one that makes no sense: nullopt). In no particular order, each AOR that stays
    // during the walk exactly once.
    [[nodiscard]] virtual std::optional<ListPage> list(std::string_view prefix, std::size_t limit,
                                                       std::string_view after) = 0;
    // All contacts of the AOR, or, with `contact` not empty, the one with that URI or with that id
    // in decimal.
    [[nodiscard]] virtual RemoveResult remove(std::string_view aor, std::string_view contact) = 0;
    // Reads the configuration and its files again: all that may change while pinhole runs is taken
    // up, or nothing. May take seconds.
    [[nodiscard]] virtual ReloadResult reload() = 0;
    // No new bindings from here on, and, in `stop_after_s`, the end; or bindings again. False: try
    // again.
    [[nodiscard]] virtual bool drain(bool on, std::optional<std::uint32_t> stop_after_s) = 0;
    // Packets as they pass the ports. One capture at a time; who doesn't take for some seconds has
    // lost it. `filter` as net::CaptureFilter reads it. An unknown id: nullopt, false.
    [[nodiscard]] virtual CaptureStart capture_start(std::string_view filter) = 0;
    [[nodiscard]] virtual std::optional<CaptureChunk> capture_take(std::uint64_t id) = 0;
    [[nodiscard]] virtual bool capture_stop(std::uint64_t id) = 0;
    // Is the process alive, i.e. do its loops turn? / May it be sent traffic?
    [[nodiscard]] virtual Health healthy() = 0;
    [[nodiscard]] virtual Health ready() = 0;
    // Prometheus' text format; metrics::to_text() makes it.
    [[nodiscard]] virtual std::string metrics_text() = 0;
};

}  // namespace pinhole::api
