// SPDX-License-Identifier: BSD-3-Clause
// The configuration as plain structs: what the operator's TOML file says, checked and typed. The
// values here are the defaults, and nowhere else; schema.cc names, bounds and explains each key.
// Pure; filled in once at start, then read by any thread.
#pragma once

#include "dataplane/net/address.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace pinhole::config {

// Enumerators stand in the order of their names in the schema's `choices`.
enum class Hugepages : std::uint8_t { kAuto, kOn, kOff };
enum class Idle : std::uint8_t { kAuto, kSpin, kSleep };
enum class DeviceKind : std::uint8_t { kAfPacket, kAfXdp, kPci, kMemif, kVdev };
enum class PortRole : std::uint8_t { kAccess, kCore, kBoth };
enum class MemifRole : std::uint8_t { kClient, kServer };
enum class TooBrief : std::uint8_t { kReject, kRaise };
enum class FullAor : std::uint8_t { kReject, kReplace };
enum class AuthMode : std::uint8_t { kOff, kDigest, kUnset };
enum class CallUnreachable : std::uint8_t { kFail, kTry };
enum class CoreMode : std::uint8_t { kProxy, kRedirect };
enum class SocketMode : std::uint8_t { kGroup, kOwner };
enum class LogLevel : std::uint8_t { kDebug, kInfo, kWarning, kError };

struct Dataplane {
    std::uint32_t workers = 1;
    std::vector<std::uint32_t> cores;  // empty: picked at start; else one CPU a worker
    std::uint64_t max_contacts = 1'000'000;
    Hugepages hugepages = Hugepages::kAuto;
    Idle idle = Idle::kAuto;
    bool dumpcap = false;
};

// "af_packet:eth0": the argument is an interface (af_packet, af_xdp), a PCI address in full
// (0000:03:00.0), an absolute path (memif) or a DPDK device string (vdev).
struct DeviceSpec {
    DeviceKind kind = DeviceKind::kAfPacket;
    std::string argument;

    // True if the kernel owns the interface; else the kernel's share goes by a TAP named as the
    // port.
    [[nodiscard]] bool has_kernel_interface() const {
        return kind == DeviceKind::kAfPacket || kind == DeviceKind::kAfXdp;
    }
    bool operator==(const DeviceSpec&) const = default;
};

struct Port {
    // Unique. Filled in by the loader if the file has none: the interface for af_packet and af_xdp,
    // else "pinhole<index>", which is then the TAP's name too. At most 15 characters, as an
    // interface's.
    std::string name;
    DeviceSpec device;
    std::vector<net::Address> addresses;  // empty: all of the kernel interface's
    PortRole role = PortRole::kBoth;
    std::vector<std::uint16_t> sip_ports{5060};  // never empty; unique
    std::uint32_t memif_id = 0;
    MemifRole memif_role = MemifRole::kClient;
};

// A domain that we are registrar for. A name in lower case, or an address in canonical text without
// brackets.
struct Domain {
    std::string host;
    std::optional<net::Address> address;  // if the host is one
    std::uint16_t port = 0;               // 0: whatever port the URI has, or none
    bool operator==(const Domain&) const = default;
};

struct Registrar {
    std::vector<Domain> domains;  // never empty
    std::uint32_t default_expires = 3600;
    std::uint32_t min_expires = 60;
    std::uint32_t max_expires = 7200;
    std::uint32_t max_contacts_per_aor = 10;
    std::uint32_t expires_spread_percent = 10;
    TooBrief too_brief = TooBrief::kReject;
    FullAor full_aor = FullAor::kReject;
    std::vector<std::string> service_route;  // URIs with lr; the first names us
    std::vector<net::Address> path_peers;
    bool gruu = true;
};

// The mode has no default: who wants no authentication has to say so.
struct Auth {
    AuthMode mode = AuthMode::kUnset;
    std::string realm;
    std::string subscribers;  // an absolute path
    std::vector<std::string> algorithms{"MD5"};
    bool allow_legacy = false;
    std::uint32_t nonce_lifetime_s = 86'400;
    std::vector<std::string> aliases;  // "user part of an AOR:subscriber"
};

struct Qualify {
    bool enabled = true;
    std::uint32_t interval_s = 25;
    std::uint32_t timeout_ms = 3000;
    std::uint32_t max_missed = 3;
    std::uint32_t remove_after_s = 600;         // 0: never
    std::uint32_t max_pings_per_s = 0;          // 0: as many as are due
    std::uint32_t max_address_pings_per_s = 0;  // likewise
    std::uint32_t gateways = 65'536;            // to keep in mind
    std::uint32_t gateway_prefix_v4 = 32;       // leading bits that are one gateway
    bool ledger = true;
    bool learn_intervals = false;
    std::uint32_t max_interval_s = 600;
    CallUnreachable call_unreachable = CallUnreachable::kFail;
};

// A peer is a single address, never a prefix: phones' requests are sent there. Known by its
// address, whatever port it sends from; what we send goes to `port`.
struct Peer {
    net::Address address;
    std::uint16_t port = 5060;
    bool operator==(const Peer&) const = default;
};

struct Core {
    std::vector<Peer> peers;
    CoreMode mode = CoreMode::kProxy;
    bool assert_identity = true;
    std::uint32_t check_interval_s = 5;  // 0: the peers are not checked
    std::uint32_t check_timeout_ms = 1000;
    std::uint32_t check_max_missed = 3;
};

// What anybody may ask of us who has proved nothing, a minute and at once.
struct Limits {
    bool enabled = true;
    std::uint32_t flow_per_minute = 1'200;
    std::uint32_t flow_burst = 200;
    std::uint32_t address_per_minute = 6'000;
    std::uint32_t address_burst = 1'000;
    std::uint32_t phone_per_minute = 60;
    std::uint32_t phone_burst = 10;
    std::uint32_t guesses_per_minute = 2;
    std::uint32_t guesses_burst = 5;
    std::uint32_t address_guesses_per_minute = 20;
    std::uint32_t address_guesses_burst = 50;
    std::uint32_t sources = 65'536;
};

// A worker that has more to do than it can.
struct Overload {
    bool enabled = true;
    std::uint32_t retry_after_s = 60;  // and up to twice that
};

// Calls for help, beside urn:service:sos.
struct Emergency {
    std::vector<std::string> numbers;
    bool unregistered = true;
};

// An address and TCP port to listen on; port 0 means off.
struct Listen {
    net::Address address;
    std::uint16_t port = 0;
    [[nodiscard]] bool enabled() const { return port != 0; }
    bool operator==(const Listen&) const = default;
};

struct Http {
    Listen listen{net::Address::v4(0x7f000001), 9060};
};

struct Control {
    std::string socket = "/run/pinhole/control.sock";
    SocketMode mode = SocketMode::kGroup;
    std::string group;  // empty: that of the process
};

// The keys under branches, tokens, tags and pings.
struct Keys {
    std::string file = "/var/lib/pinhole/keys.json";  // empty: new ones at each start
    std::uint32_t rotate_h = 24;                      // 0: never
};

struct Journal {
    std::string directory;  // empty: nothing is kept
    std::string memory = "/dev/shm/pinhole";
    std::uint32_t sync_ms = 200;
    std::uint32_t log_mb = 32;
};

struct Screen {
    std::string rules;  // an absolute path; empty: nothing is screened
};

struct Log {
    LogLevel level = LogLevel::kInfo;
};

struct Config {
    Dataplane dataplane;
    std::vector<Port> ports;
    Registrar registrar;
    Auth auth;
    Qualify qualify;
    Core core;
    Limits limits;
    Overload overload;
    Emergency emergency;
    Http http;
    Control control;
    Keys keys;
    Journal journal;
    Screen screen;
    Log log;
};

}  // namespace pinhole::config
