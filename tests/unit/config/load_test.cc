// SPDX-License-Identifier: BSD-3-Clause
// Each mistake by itself: its line, its key and what is said about it; then several at once, and a
// good file whole.
#include "control/config/load.h"

#include "tests/unit/config/pieces.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace pinhole::config {
namespace {

TEST(Load, MinimalFileIsGoodAndHasDefaults) {
    const Loaded loaded = parse(Pieces{}.text());
    ASSERT_TRUE(loaded.issues.empty()) << list(loaded);
    const Config& config = loaded.config;
    EXPECT_EQ(config.dataplane.workers, 1u);
    EXPECT_EQ(config.dataplane.max_contacts, 1'000'000u);
    ASSERT_EQ(config.ports.size(), 1u);
    EXPECT_EQ(config.ports[0].name, "eth0");
    EXPECT_EQ(config.ports[0].sip_ports, std::vector<std::uint16_t>{5060});
    EXPECT_EQ(config.registrar.domains[0].host, "example.com");
    EXPECT_EQ(config.auth.mode, AuthMode::kOff);
    EXPECT_EQ(config.core.peers[0], (Peer{net::Address::v4(0xcb00710a), 5060}));
    EXPECT_EQ(config.http.listen.port, 9060);
}

TEST(Load, EveryKeyIsTaken) {
    const Loaded loaded = parse(R"(
[dataplane]
workers = 2
cores = [2, 3]
max_contacts = 4_000_000
hugepages = "off"
idle = "sleep"
[[port]]
device = "af_xdp:eth1"
name = "access"
addresses = ["198.51.100.1", "2001:db8::1"]
role = "access"
sip_port = [5060, 5080]
[[port]]
device = "memif:/run/core.sock"
role = "core"
sip_port = 5062
memif_id = 7
memif_role = "server"
[registrar]
domains = ["Example.COM", "198.51.100.1:5080", "[2001:db8::1]"]
default_expires = 600
min_expires = 30
max_expires = 1800
max_contacts_per_aor = 4
too_brief = "raise"
full_aor = "replace"
path_peers = ["192.0.2.5", "2001:db8::5"]
gruu = false
[auth]
mode = "off"
[qualify]
enabled = true
interval_s = 20
timeout_ms = 2000
max_missed = 5
call_unreachable = "try"
remove_after_s = 0
[core]
peers = ["203.0.113.10:5062", "[2001:db8::5]:5070", "2001:db8::6"]
mode = "redirect"
assert_identity = false
check_interval_s = 10
check_timeout_ms = 500
check_max_missed = 2
[emergency]
numbers = ["112", "*911#"]
unregistered = false
[http]
listen = ""
[control]
socket = "/tmp/c.sock"
[journal]
directory = ""
[log]
level = "debug"
)");
    ASSERT_TRUE(loaded.issues.empty()) << list(loaded);
    const Config& c = loaded.config;
    EXPECT_EQ(c.dataplane.workers, 2u);
    EXPECT_EQ(c.dataplane.cores, (std::vector<std::uint32_t>{2, 3}));
    EXPECT_EQ(c.dataplane.max_contacts, 4'000'000u);
    EXPECT_EQ(c.dataplane.hugepages, Hugepages::kOff);
    EXPECT_EQ(c.dataplane.idle, Idle::kSleep);
    ASSERT_EQ(c.ports.size(), 2u);
    EXPECT_EQ(c.ports[0].device, (DeviceSpec{DeviceKind::kAfXdp, "eth1"}));
    EXPECT_EQ(c.ports[0].name, "access");
    EXPECT_EQ(c.ports[0].addresses.size(), 2u);
    EXPECT_EQ(c.ports[0].role, PortRole::kAccess);
    EXPECT_EQ(c.ports[0].sip_ports, (std::vector<std::uint16_t>{5060, 5080}));
    EXPECT_EQ(c.ports[1].device, (DeviceSpec{DeviceKind::kMemif, "/run/core.sock"}));
    EXPECT_EQ(c.ports[1].name, "pinhole1");
    EXPECT_EQ(c.ports[1].role, PortRole::kCore);
    EXPECT_EQ(c.ports[1].memif_id, 7u);
    EXPECT_EQ(c.ports[1].memif_role, MemifRole::kServer);
    ASSERT_EQ(c.registrar.domains.size(), 3u);
    EXPECT_EQ(c.registrar.domains[0].host, "example.com");
    EXPECT_EQ(c.registrar.domains[1].port, 5080);
    EXPECT_EQ(c.registrar.domains[2].host, "2001:db8::1");
    EXPECT_EQ(c.registrar.default_expires, 600u);
    EXPECT_EQ(c.registrar.min_expires, 30u);
    EXPECT_EQ(c.registrar.max_expires, 1'800u);
    EXPECT_EQ(c.registrar.max_contacts_per_aor, 4u);
    EXPECT_EQ(c.registrar.too_brief, TooBrief::kRaise);
    EXPECT_EQ(c.registrar.full_aor, FullAor::kReplace);
    EXPECT_FALSE(c.registrar.gruu);
    EXPECT_EQ(c.registrar.path_peers, (std::vector{net::Address::v4(0xc0000205),
                                                   net::parse_address("2001:db8::5").value()}));
    EXPECT_EQ(c.qualify.interval_s, 20u);
    EXPECT_EQ(c.qualify.timeout_ms, 2'000u);
    EXPECT_EQ(c.qualify.max_missed, 5u);
    EXPECT_EQ(c.qualify.call_unreachable, CallUnreachable::kTry);
    EXPECT_EQ(c.qualify.remove_after_s, 0u);
    EXPECT_EQ(c.core.mode, CoreMode::kRedirect);
    EXPECT_FALSE(c.core.assert_identity);
    EXPECT_EQ(c.emergency.numbers, (std::vector<std::string>{"112", "*911#"}));
    EXPECT_FALSE(c.emergency.unregistered);
    ASSERT_EQ(c.core.peers.size(), 3u);
    EXPECT_EQ(c.core.check_interval_s, 10u);
    EXPECT_EQ(c.core.check_timeout_ms, 500u);
    EXPECT_EQ(c.core.check_max_missed, 2u);
    EXPECT_EQ(c.core.peers[0].port, 5062);
    EXPECT_EQ(c.core.peers[1].port, 5070);
    EXPECT_EQ(c.core.peers[2].port, 5060);
    EXPECT_FALSE(c.http.listen.enabled());
    EXPECT_EQ(c.control.socket, "/tmp/c.sock");
    EXPECT_EQ(c.log.level, LogLevel::kDebug);
}

TEST(Load, AllErrorsComeAtOnceInTheOrderOfTheFile) {
    const Loaded loaded = parse(
        "[dataplane]\nworkers = 0\nidle = \"x\"\n[[port]]\ndevice = \"eth0\"\n[auth]\nmode = "
        "\"basic\"\n");
    ASSERT_EQ(loaded.issues.size(), 6u) << list(loaded);
    EXPECT_EQ(loaded.issues[0].line, 2u);
    EXPECT_EQ(loaded.issues[0].column, 11u);
    EXPECT_EQ(loaded.issues[1].line, 3u);
    EXPECT_EQ(loaded.issues[2].line, 5u);
    EXPECT_EQ(loaded.issues[3].line, 7u);
    EXPECT_EQ(loaded.issues[4].line, 0u);
    EXPECT_FALSE(loaded.ok());
}

TEST(Load, Digest) {
    Pieces pieces;
    pieces.auth =
        "[auth]\nmode = \"digest\"\nrealm = \"example.com\"\nsubscribers = \"/s\"\nalgorithms = "
        "[\"SHA-256\", \"MD5\"]\nallow_legacy = true\nnonce_lifetime_s = 600\naliases = "
        "[\"100:pbx\"]\n";
    const Loaded loaded = parse(pieces.text());
    ASSERT_TRUE(loaded.issues.empty()) << list(loaded);
    const Auth& auth = loaded.config.auth;
    EXPECT_EQ(auth.mode, AuthMode::kDigest);
    EXPECT_EQ(auth.realm, "example.com");
    EXPECT_EQ(auth.subscribers, "/s");
    EXPECT_EQ(auth.algorithms, (std::vector<std::string>{"SHA-256", "MD5"}));
    EXPECT_TRUE(auth.allow_legacy);
    EXPECT_EQ(auth.nonce_lifetime_s, 600U);
    EXPECT_EQ(auth.aliases, std::vector<std::string>{"100:pbx"});
}

TEST(Load, OneListMayHaveSeveralErrors) {
    Pieces pieces;
    pieces.core = core("[\"a\",\n \"203.0.113.10\",\n 7]");
    const Loaded loaded = parse(pieces.text());
    std::vector<std::uint32_t> lines;
    for (const Issue& issue : loaded.issues) {
        lines.push_back(issue.line);
    }
    EXPECT_EQ(lines, (std::vector<std::uint32_t>{8, 10})) << list(loaded);
}

TEST(Load, MemifPortsMayShareASocket) {
    Pieces pieces;
    pieces.port = port("device = \"memif:/a\"\n") + port("device = \"memif:/a\"\nmemif_id = 1\n");
    const Loaded loaded = parse(pieces.text());
    EXPECT_TRUE(loaded.issues.empty()) << list(loaded);
}

TEST(Load, MissingFileIsASentence) {
    const Loaded loaded = load_file("/nonexistent/pinhole.toml");
    ASSERT_EQ(loaded.issues.size(), 1u);
    EXPECT_FALSE(loaded.ok());
    EXPECT_EQ(describe(loaded.issues, "/nonexistent/pinhole.toml"),
              "/nonexistent/pinhole.toml: error\n"
              "    can't be read: is the path right, and may this user read it?\n");
}

TEST(Load, NoInputThrows) {
    for (const char* text :
         {"", "\xff\xfe", "[[[", "a=1\na=2", "port = 1", "port = [1, {}]", "x = 1979-05-27",
          "[[port]]\n[[port.x]]", "[qualify]\ninterval_s = {}\n", "[dataplane]\ncores = {}\n"}) {
        EXPECT_FALSE(parse(text).ok()) << text;
    }
}

TEST(Describe, BreaksAtEightyColumns) {
    const std::string text = describe({{Severity::kError, 12, 5, "a.b",
                                        std::string(30, 'x') + " " + std::string(45, 'y') + " zz"}},
                                      "p.toml");
    EXPECT_EQ(text, "p.toml:12:5: error: a.b\n    " + std::string(30, 'x') + " " +
                        std::string(45, 'y') + "\n    zz\n");
}

}  // namespace
}  // namespace pinhole::config
