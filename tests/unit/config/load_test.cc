// SPDX-License-Identifier: BSD-3-Clause
// Each mistake by itself: its line, its key and what is said about it; then several at once, and a
// good file whole.
#include "control/config/load.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace pinhole::config {
namespace {

using ::testing::HasSubstr;

// A file without fault, in pieces, so that a case can replace one.
struct Pieces {
    std::string dataplane = "";
    std::string port = "[[port]]\ndevice = \"af_packet:eth0\"\n";
    std::string registrar = "[registrar]\ndomains = [\"example.com\"]\n";
    std::string auth = "[auth]\nmode = \"off\"\n";
    std::string core = "[core]\npeers = [\"203.0.113.10\"]\n";
    std::string rest = "";

    [[nodiscard]] std::string text() const {
        return dataplane + port + registrar + auth + core + rest;
    }
};

std::string list(const Loaded& loaded) {
    return describe(loaded.issues, "f");
}

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
mbufs = 65536
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
mtu = 9000
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
mode = "proxy"
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
    EXPECT_EQ(c.dataplane.mbufs, 65'536u);
    ASSERT_EQ(c.ports.size(), 2u);
    EXPECT_EQ(c.ports[0].device, (DeviceSpec{DeviceKind::kAfXdp, "eth1"}));
    EXPECT_EQ(c.ports[0].name, "access");
    EXPECT_EQ(c.ports[0].addresses.size(), 2u);
    EXPECT_EQ(c.ports[0].role, PortRole::kAccess);
    EXPECT_EQ(c.ports[0].sip_ports, (std::vector<std::uint16_t>{5060, 5080}));
    EXPECT_EQ(c.ports[1].device, (DeviceSpec{DeviceKind::kMemif, "/run/core.sock"}));
    EXPECT_EQ(c.ports[1].name, "pinhole1");
    EXPECT_EQ(c.ports[1].role, PortRole::kCore);
    EXPECT_EQ(c.ports[1].mtu, 9'000u);
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
    EXPECT_EQ(c.qualify.interval_s, 20u);
    EXPECT_EQ(c.qualify.timeout_ms, 2'000u);
    EXPECT_EQ(c.qualify.max_missed, 5u);
    EXPECT_EQ(c.qualify.call_unreachable, CallUnreachable::kTry);
    EXPECT_EQ(c.qualify.remove_after_s, 0u);
    ASSERT_EQ(c.core.peers.size(), 3u);
    EXPECT_EQ(c.core.peers[0].port, 5062);
    EXPECT_EQ(c.core.peers[1].port, 5070);
    EXPECT_EQ(c.core.peers[2].port, 5060);
    EXPECT_FALSE(c.http.listen.enabled());
    EXPECT_EQ(c.control.socket, "/tmp/c.sock");
    EXPECT_EQ(c.log.level, LogLevel::kDebug);
}

struct Case {
    const char* name;
    Pieces pieces;
    std::uint32_t line;
    const char* key;
    const char* says;
    Severity severity = Severity::kError;
};

class LoadCase : public ::testing::TestWithParam<Case> {};

TEST_P(LoadCase, IsTheOnlyComplaint) {
    const Case& c = GetParam();
    const Loaded loaded = parse(c.pieces.text());
    ASSERT_EQ(loaded.issues.size(), 1u) << list(loaded);
    EXPECT_EQ(loaded.ok(), c.severity == Severity::kWarning);
    const Issue& issue = loaded.issues[0];
    EXPECT_EQ(issue.severity, c.severity);
    EXPECT_EQ(issue.line, c.line);
    EXPECT_EQ(issue.key, c.key);
    EXPECT_THAT(issue.message, HasSubstr(c.says));
}

std::string port(const std::string& lines) {
    return "[[port]]\n" + lines;
}
std::string registrar(const std::string& lines) {
    return "[registrar]\ndomains = [\"example.com\"]\n" + lines;
}
std::string core(const std::string& peers) {
    return "[core]\npeers = " + peers + "\n";
}

const Case kCases[] = {
    {"Syntax", {.dataplane = "[dataplane\n"}, 1, "", "not TOML from here on"},
    {"UnknownSection", {.rest = "[qualfy]\n"}, 9, "qualfy", "did you mean [qualify]?"},
    {"UnknownSectionFar", {.rest = "[xyzzy]\n"}, 9, "xyzzy", "There are: dataplane port registrar"},
    {"UnknownKey",
     {.dataplane = "[dataplane]\nwokers = 1\n"},
     2,
     "dataplane.wokers",
     "did you mean workers?"},
    {"UnknownKeyOfPort",
     {.port = port("device = \"af_packet:eth0\"\nsip_prot = 5060\n")},
     3,
     "port[0].sip_prot",
     "did you mean sip_port?"},
    {"KeyOfAnotherSection",
     {.rest = "[qualify]\nrealm = \"x\"\n"},
     10,
     "qualify.realm",
     "it belongs in [auth]"},
    {"PlainPort",
     {.port = "[port]\ndevice = \"af_packet:eth0\"\n"},
     1,
     "port",
     "must be written [[port]]"},
    {"SectionIsNoTable", {.dataplane = "log = 3\n"}, 1, "log", "is 3, but must be a section"},

    {"NotAnInteger",
     {.dataplane = "[dataplane]\nworkers = \"2\"\n"},
     2,
     "dataplane.workers",
     "is \"2\", but must be an integer from 1 to 64"},
    {"Fraction",
     {.dataplane = "[dataplane]\nworkers = 1.5\n"},
     2,
     "dataplane.workers",
     "is 1.5, but"},
    {"WorkersZero",
     {.dataplane = "[dataplane]\nworkers = 0\n"},
     2,
     "dataplane.workers",
     "is 0, but must be an integer from 1 to 64"},
    {"ContactsTooMany",
     {.dataplane = "[dataplane]\nmax_contacts = 100_000_001\n"},
     2,
     "dataplane.max_contacts",
     "from 1 to 100000000"},
    {"ContactsNone",
     {.dataplane = "[dataplane]\nmax_contacts = 0\n"},
     2,
     "dataplane.max_contacts",
     "is 0"},
    {"Negative", {.dataplane = "[dataplane]\nmbufs = -1\n"}, 2, "dataplane.mbufs", "is -1, but"},
    {"NotAChoice",
     {.dataplane = "[dataplane]\nidle = \"fast\"\n"},
     2,
     "dataplane.idle",
     "is \"fast\", but must be one of \"auto\", \"spin\", \"sleep\""},
    {"NotABool",
     {.rest = "[qualify]\nenabled = 1\n"},
     10,
     "qualify.enabled",
     "is 1, but must be true or false"},
    {"CoresOdd",
     {.dataplane = "[dataplane]\nworkers = 2\ncores = [3]\n"},
     3,
     "dataplane.cores",
     "names 1 CPUs, but workers is 2"},
    {"CoresTwice",
     {.dataplane = "[dataplane]\nworkers = 2\ncores = [3, 3]\n"},
     3,
     "dataplane.cores",
     "stands in the list twice"},

    {"NoPort", {.port = ""}, 0, "port", "needs a port to take packets from"},
    {"NoDevice",
     {.port = port("role = \"both\"\n")},
     1,
     "port[0].device",
     "every [[port]] needs a device"},
    {"DeviceKind",
     {.port = port("device = \"eth0\"\n")},
     2,
     "port[0].device",
     "must be af_packet:INTERFACE"},
    {"DeviceInterface",
     {.port = port("device = \"af_packet:way_too_long_name\"\n")},
     2,
     "port[0].device",
     "interface name of 1 to 15 characters"},
    {"DevicePci",
     {.port = port("device = \"pci:03:00.0\"\n")},
     2,
     "port[0].device",
     "0000:03:00.0"},
    {"DeviceMemif",
     {.port = port("device = \"memif:sock\"\n")},
     2,
     "port[0].device",
     "absolute path"},
    {"DeviceVdev", {.port = port("device = \"vdev:\"\n")}, 2, "port[0].device", "a DPDK device"},
    {"DeviceTwice",
     {.port = port("device = \"af_packet:eth0\"\n") + port("device = \"af_packet:eth0\"\n")},
     4,
     "port[1].device",
     "which port[0] has already"},
    {"InterfaceTwice",
     {.port = port("device = \"af_packet:eth0\"\n") + port("device = \"af_xdp:eth0\"\n")},
     4,
     "port[1].device",
     "which port[0] has already"},
    {"NameTwice",
     {.port =
          port("device = \"af_packet:a\"\n") + port("device = \"af_packet:b\"\nname = \"a\"\n")},
     5,
     "port[1].name",
     "a name of its own"},
    {"NameBad",
     {.port = port("device = \"af_packet:a\"\nname = \"a/b\"\n")},
     3,
     "port[0].name",
     "must do as an interface name"},
    {"PortZero",
     {.port = port("device = \"af_packet:a\"\nsip_port = 0\n")},
     3,
     "port[0].sip_port",
     "an integer from 1 to 65535 or a list of them"},
    {"PortListBad",
     {.port = port("device = \"af_packet:a\"\nsip_port = [5060, 70000]\n")},
     3,
     "port[0].sip_port",
     "is 70000"},
    {"PortListEmpty",
     {.port = port("device = \"af_packet:a\"\nsip_port = []\n")},
     3,
     "port[0].sip_port",
     "at least one element"},
    {"AddressBad",
     {.port = port("device = \"af_packet:a\"\naddresses = [\"1.2.3\"]\n")},
     3,
     "port[0].addresses",
     "is \"1.2.3\", but must be one IPv4 or IPv6 address"},
    {"AddressPrefix",
     {.port = port("device = \"af_packet:a\"\naddresses = [\"192.0.2.1/24\"]\n")},
     3,
     "port[0].addresses",
     "without port, prefix length or zone"},
    {"MemifKeyElsewhere",
     {.port = port("device = \"af_packet:a\"\nmemif_id = 1\n")},
     3,
     "port[0].memif_id",
     "is for a memif port"},
    {"MtuOfTheKernel",
     {.port = port("device = \"af_packet:a\"\nmtu = 9000\n")},
     3,
     "port[0].mtu",
     "change it with ip link"},
    {"MtuSmall",
     {.port = port("device = \"memif:/a\"\nmtu = 576\n")},
     3,
     "port[0].mtu",
     "at least 1280"},
    {"NoAccess",
     {.port = port("device = \"af_packet:a\"\nrole = \"core\"\n")},
     3,
     "port[0].role",
     "no phone could register"},
    {"NoCorePort",
     {.port = port("device = \"af_packet:a\"\nrole = \"access\"\n")},
     3,
     "port[0].role",
     "the peers of [core] could not be heard"},

    {"NoDomains", {.registrar = ""}, 0, "registrar.domains", "names no domain"},
    {"DomainBad",
     {.registrar = "[registrar]\ndomains = [\"ok.example\", \"exa mple\"]\n"},
     4,
     "registrar.domains",
     "is \"exa mple\", but must be a domain name"},
    {"DomainNumeric",
     {.registrar = "[registrar]\ndomains = [\"ok.example\", \"1.2.3.400\"]\n"},
     4,
     "registrar.domains",
     "is \"1.2.3.400\""},
    {"DomainPort",
     {.registrar = "[registrar]\ndomains = [\"ok.example\", \"a.example:0\"]\n"},
     4,
     "registrar.domains",
     "its port must be a number from 1 to 65535"},
    {"ExpiresMinAboveMax",
     {.registrar = registrar("min_expires = 90\nmax_expires = 80\n")},
     5,
     "registrar.min_expires",
     "is 90, but must not be above max_expires, which is 80"},
    {"ExpiresDefault",
     {.registrar = registrar("default_expires = 7201\n")},
     5,
     "registrar.default_expires",
     "between min_expires and max_expires, 60 and 7200"},
    {"PathPeers",
     {.registrar = registrar("path_peers = [\"192.0.2.1\"]\n")},
     5,
     "registrar.path_peers",
     "believes no Path"},

    {"AuthMissing", {.auth = ""}, 0, "auth.mode", "mode = \"off\""},
    {"AuthWithoutMode", {.auth = "[auth]\n"}, 5, "auth.mode", "mode = \"off\""},
    {"AuthDigest",
     {.auth = "[auth]\nmode = \"digest\"\n"},
     6,
     "auth.mode",
     "digest authentication comes in a later one. Until then write mode = \"off\""},
    {"AuthSubscribers",
     {.auth = "[auth]\nmode = \"off\"\nsubscribers = \"s\"\n"},
     7,
     "auth.subscribers",
     "reads no subscribers"},
    {"AuthRealm",
     {.auth = "[auth]\nmode = \"off\"\nrealm = \"s\"\n"},
     7,
     "auth.realm",
     "remove the key"},

    {"NoPeers", {.core = ""}, 0, "core.peers", "names no peer", Severity::kWarning},
    {"PeerPrefix",
     {.core = core("[\"203.0.113.10\", \"203.0.113.0/24\"]")},
     8,
     "core.peers",
     "must be a single address"},
    {"PeerName",
     {.core = core("[\"203.0.113.10\", \"pbx.example.com\"]")},
     8,
     "core.peers",
     "names are not looked up"},
    {"PeerPort",
     {.core = core("[\"203.0.113.10\", \"203.0.113.11:99999\"]")},
     8,
     "core.peers",
     "its port must be"},
    {"PeerTwice",
     {.core = core("[\"203.0.113.10\", \"203.0.113.10:5060\"]")},
     8,
     "core.peers",
     "twice"},
    {"Redirect",
     {.core = core("[\"203.0.113.10\"]") + "mode = \"redirect\"\n"},
     9,
     "core.mode",
     "this version can't do"},

    {"TimeoutLong",
     {.rest = "[qualify]\ninterval_s = 2\n"},
     9,
     "qualify.timeout_ms",
     "at most 0.6 of interval_s, 1200 ms"},
    {"PingsTooFew",
     {.rest = "[qualify]\nmax_pings_per_s = 100\n"},
     10,
     "qualify.max_pings_per_s",
     "are 40000 a second",
     Severity::kWarning},
    {"QualifyOff",
     {.rest = "[qualify]\nenabled = false\n"},
     10,
     "qualify.enabled",
     "often after 30 s",
     Severity::kWarning},
    {"SocketRelative",
     {.rest = "[control]\nsocket = \"a.sock\"\n"},
     10,
     "control.socket",
     "absolute path"},
    {"ListenBad",
     {.rest = "[http]\nlisten = \"9060\"\n"},
     10,
     "http.listen",
     "must be ADDRESS:PORT"},
    {"ListenOpen",
     {.rest = "[http]\nlisten = \"0.0.0.0:9060\"\n"},
     10,
     "http.listen",
     "can read every registration",
     Severity::kWarning},
    {"Journal",
     {.rest = "[journal]\ndirectory = \"/var/lib/pinhole\"\n"},
     10,
     "journal.directory",
     "keeps nothing over a restart"},
};

INSTANTIATE_TEST_SUITE_P(Config, LoadCase, ::testing::ValuesIn(kCases),
                         [](const auto& tested) { return std::string(tested.param.name); });

TEST(Load, AllErrorsComeAtOnceInTheOrderOfTheFile) {
    const Loaded loaded = parse(
        "[dataplane]\nworkers = 0\nidle = \"x\"\n[[port]]\ndevice = \"eth0\"\n[auth]\nmode = "
        "\"digest\"\n");
    ASSERT_EQ(loaded.issues.size(), 6u) << list(loaded);
    EXPECT_EQ(loaded.issues[0].line, 2u);
    EXPECT_EQ(loaded.issues[0].column, 11u);
    EXPECT_EQ(loaded.issues[1].line, 3u);
    EXPECT_EQ(loaded.issues[2].line, 5u);
    EXPECT_EQ(loaded.issues[3].line, 7u);
    EXPECT_EQ(loaded.issues[4].line, 0u);
    EXPECT_FALSE(loaded.ok());
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
