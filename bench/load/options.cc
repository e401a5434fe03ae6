// SPDX-License-Identifier: BSD-3-Clause
#include "bench/load/options.h"

#include "bench/load/digest.h"
#include "bench/load/messages.h"
#include "bench/load/nat_gateways.h"
#include "bench/load/send_batch.h"
#include "control/manual/programs.h"
#include "dataplane/sip/uri.h"

#include <CLI/CLI.hpp>

#include <array>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <map>

namespace pinhole::load {
namespace {

// As they were typed; understood when all are there.
struct Texts {
    std::string edge;
    std::string gateways_at;
    std::string core_address;
    std::string router;
    std::string next_hop;
    std::string next_hop_mac;
    std::string timeouts = "never";
    double seconds = 0;
    double settle_s = 0;
    double timeout_s = 2;
    double patience_s = 10;
    int core = -1;
};

constexpr double kNs = 1e9;
constexpr std::uint64_t kDefaultDuration_ns = 10'000'000'000;

void add_population(CLI::App& app, Options& options, Texts& texts) {
    Plan& plan = options.plan;
    app.add_option("--phones", plan.phones, "How many phones there are")
        ->check(CLI::Range(1U, kMaxPhones))
        ->capture_default_str();
    app.add_option("--gateways", plan.gateways, "How many gateways they stand behind")
        ->check(CLI::PositiveNumber)
        ->capture_default_str();
    app.add_option("--gateways-at", texts.gateways_at,
                   "The first gateway's public address; the others follow it "
                   "[100.64.0.1 or 2001:db8:64::1]");
    app.add_option("--timeouts", texts.timeouts,
                   "How long gateways remember an idle mapping: SECONDS[:WEIGHT],... or never")
        ->capture_default_str();
    app.add_option("--domain", plan.domain, "What phones have after the @")->capture_default_str();
    app.add_option("--expires", plan.expires_s, "What they ask for, in seconds")
        ->capture_default_str();
    app.add_option("--password", plan.password,
                   "Of all phones; without one, challenges count as refusals");
    app.add_option("--seed", plan.seed, "Of all that is left to chance")->capture_default_str();
}

void add_network(CLI::App& app, Options& options, Texts& texts) {
    app.add_option("--port", options.port,
                   "memif:PATH, af_packet:IF, af_xdp:IF (all its frames), pci:ADDRESS, vdev:ARGS");
    app.add_flag("--memif-server", options.memif_server, "Serve memif's socket, not its client");
    app.add_option("--memif-id", options.memif_id, "The same at both ends")->capture_default_str();
    app.add_option("--core", texts.core, "The CPU to run on; without, any");
    app.add_option("--edge", texts.edge, "The registrar: ADDRESS or ADDRESS:PORT");
    app.add_option("--core-address", texts.core_address,
                   "Where calls come from: ADDRESS or ADDRESS:PORT");
    app.add_option("--router", texts.router,
                   "Our address on the link, which the edge's routes to the gateways lead to "
                   "[the first gateway]");
    app.add_option("--next-hop", texts.next_hop, "Who takes our packets on the link [the edge]");
    app.add_option("--next-hop-mac", texts.next_hop_mac, "Its MAC; without, it is asked for");
    app.add_option("--patience", texts.patience_s, "Seconds that the edge may take to answer first")
        ->capture_default_str();
}

void add_pace(CLI::App& app, Options& options, Texts& texts) {
    static const std::map<std::string, Play> kPlays{
        {"register", Play::kRegister}, {"refresh", Play::kRefresh}, {"live", Play::kLive},
        {"call", Play::kCall},         {"echo", Play::kEcho},       {"reflect", Play::kReflect}};
    Plan& plan = options.plan;
    app.add_option("play", plan.play,
                   "register: each phone once; and then refresh: phones by chance, at the pace; "
                   "live: each in time; call: the core calls phones by chance. echo: the other end "
                   "sends all back; reflect: is that other end, until it is stopped")
        ->transform(CLI::CheckedTransformer(kPlays))
        ->option_text("register|refresh|live|call|echo|reflect");
    app.add_option("--rate", plan.rate_per_s,
                   "Open loop: so many a second, whatever the answers do");
    app.add_option("--window", plan.window,
                   "Closed loop: so many under way; with --rate, 0 sets no bound")
        ->capture_default_str();
    app.add_option("--register-rate", plan.register_rate_per_s,
                   "The same, of the registrations before what is measured");
    app.add_option("--register-window", plan.register_window, "Likewise")->capture_default_str();
    app.add_option("--call-rate", plan.call_rate_per_s, "Calls a second to a live population");
    app.add_option("--seconds", texts.seconds, "How long [10, but all phones register]");
    app.add_option("--settle", texts.settle_s,
                   "Seconds that a live population lives before what is measured");
    app.add_option("--count", plan.count, "How many questions");
    app.add_option("--timeout", texts.timeout_s, "Seconds after which a question is lost")
        ->capture_default_str();
}

struct End {
    net::Address address;
    std::uint16_t port;
};

End read_end(const std::string& text, const char* option) {
    std::string_view host;
    std::uint16_t port = 0;
    std::optional<net::Address> address = net::parse_address(text);
    if (!address && sip::parse_host_port(text, host, port)) {
        address = net::parse_address(host);
    }
    if (!address) {
        throw CLI::ValidationError(option, "must be ADDRESS or ADDRESS:PORT, not '" + text + "'");
    }
    return {*address, port == 0 ? std::uint16_t{5060} : port};
}

net::Address read_address(const std::string& text, const char* option,
                          const net::Address& otherwise) {
    if (text.empty()) {
        return otherwise;
    }
    const auto address = net::parse_address(text);
    if (!address) {
        throw CLI::ValidationError(option, "must be an IPv4 or IPv6 address, not '" + text + "'");
    }
    return *address;
}

net::Mac read_mac(const std::string& text) {
    std::array<unsigned, 6> parts{};
    char end = 0;
    if (std::sscanf(text.c_str(), "%2x:%2x:%2x:%2x:%2x:%2x%c", &parts[0], &parts[1], &parts[2],
                    &parts[3], &parts[4], &parts[5], &end) != 6) {
        throw CLI::ValidationError("--next-hop-mac",
                                   "must be a MAC as 02:00:00:00:00:01, not '" + text + "'");
    }
    net::Mac mac;
    for (std::size_t i = 0; i < mac.size(); ++i) {
        mac[i] = static_cast<std::uint8_t>(parts[i]);
    }
    return mac;
}

void understand_network(const Texts& texts, Options& options) {
    Plan& plan = options.plan;
    const End edge = read_end(texts.edge, "--edge");
    plan.edge = edge.address;
    plan.edge_port = edge.port;
    const net::Address first =
        *net::parse_address(edge.address.is_v4() ? "100.64.0.1" : "2001:db8:64::1");
    plan.first_gateway = read_address(texts.gateways_at, "--gateways-at", first);
    if (!texts.core_address.empty()) {
        const End core = read_end(texts.core_address, "--core-address");
        plan.core = core.address;
        plan.core_port = core.port;
    } else if (plan.play == Play::kCall || plan.call_rate_per_s > 0) {
        throw CLI::ValidationError("--core-address", "is missing: who calls?");
    }
    options.own = read_address(texts.router, "--router", plan.first_gateway);
    options.next_hop = read_address(texts.next_hop, "--next-hop", plan.edge);
    if (!texts.next_hop_mac.empty()) {
        options.next_hop_mac = read_mac(texts.next_hop_mac);
    }
    const bool v4 = plan.edge.is_v4();
    if (plan.first_gateway.is_v4() != v4 ||
        (!texts.core_address.empty() && plan.core.is_v4() != v4)) {
        throw CLI::ValidationError("--edge",
                                   "is of another IP version than the gateways or the core");
    }
}

void check_population(const Plan& plan) {
    if (plan.gateways > plan.phones) {
        throw CLI::ValidationError("--gateways", "there are more gateways than phones");
    }
    if ((plan.phones + plan.gateways - 1) / plan.gateways > NatGateways::kMaxPhonesBehind) {
        throw CLI::ValidationError("--gateways", "too few: at most " +
                                                     std::to_string(NatGateways::kMaxPhonesBehind) +
                                                     " phones can stand behind one, a port each");
    }
    const std::uint32_t last = net::load_be32(plan.first_gateway.bytes.data() + 12);
    if (last + (plan.gateways - 1) < last) {
        throw CLI::ValidationError("--gateways-at", "so many addresses do not follow it");
    }
    std::array<char, SendBatch::kCapacity> message;
    if (Messages(plan).write_register(Fields(0, 0, 0), 0, nullptr, message.data()) == 0) {
        throw CLI::ValidationError("--domain", "is too long");
    }
}

void understand(const Texts& texts, Options& options) {
    Plan& plan = options.plan;
    if (texts.core >= 0) {
        options.cores = {static_cast<unsigned>(texts.core)};
    }
    if (plan.play == Play::kReflect) {
        return;
    }
    understand_network(texts, options);
    const auto timeouts = Timeouts::parse(texts.timeouts);
    if (!timeouts) {
        throw CLI::ValidationError("--timeouts", "must be like 30:70,60:20,300:10, or never");
    }
    plan.timeouts = *timeouts;
    check_population(plan);
    plan.timeout_ns = static_cast<std::uint64_t>(texts.timeout_s * kNs);
    plan.duration_ns = static_cast<std::uint64_t>(texts.seconds * kNs);
    plan.settle_ns = static_cast<std::uint64_t>(texts.settle_s * kNs);
    options.patience_ns = static_cast<std::uint64_t>(texts.patience_s * kNs);
    if (plan.duration_ns == 0 && plan.count == 0 && plan.play != Play::kRegister) {
        plan.duration_ns = kDefaultDuration_ns;
    }
    if (plan.rate_per_s <= 0 && plan.window == 0) {
        throw CLI::ValidationError("--window", "0 is no pace without --rate");
    }
}

}  // namespace

std::optional<int> read_options(int argc, char** argv, Options& options) {
    CLI::App app{
        "Plays phones behind NAT gateways, and the core that calls them, against a SIP "
        "registrar; counts every answer, every loss and every wrong answer.",
        "pinhole-load"};
    app.set_version_flag("--version", "pinhole-load " PINHOLE_VERSION);
    manual::add_manual_flag(app, manual::pinhole_load_page);
    Texts texts;
    add_pace(app, options, texts);
    add_population(app, options, texts);
    add_network(app, options, texts);
    app.add_option("--json", options.json, "A file for all figures; - is standard output");
    app.add_flag("--quiet", options.quiet, "No line a second");
    CLI::Option* subscribers =
        app.add_option("--subscribers", options.subscribers,
                       "Only write this file, user:realm:HA1 a phone, for the registrar's digest");
    app.add_option("--realm", options.realm, "The realm in it")->needs(subscribers);
    try {
        app.parse(argc, argv);
        if (!options.subscribers.empty()) {
            if (options.realm.empty() || options.plan.password.empty()) {
                throw CLI::ValidationError("--subscribers", "needs --realm and --password");
            }
            return std::nullopt;
        }
        for (const char* name : {"play", "--port", "--edge"}) {
            if (options.plan.play == Play::kReflect && name == std::string_view("--edge")) {
                continue;
            }
            if (app.get_option(name)->count() == 0) {
                throw CLI::RequiredError(name);
            }
        }
        understand(texts, options);
        return std::nullopt;
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? 0 : 2;
    }
}

bool write_subscribers(const Options& options) {
    std::ofstream file(options.subscribers);
    DigestClient digester;
    for (std::uint32_t phone = 0; phone < options.plan.phones && file; ++phone) {
        const Fields fields(phone, 0, 0);
        const std::array<std::string_view, 5> secret{fields.phone(), ":", options.realm, ":",
                                                     options.plan.password};
        file << fields.phone() << ':' << options.realm << ':'
             << digester.hash(Algorithm::kMd5, secret).view() << '\n';
    }
    return static_cast<bool>(file.flush());
}

}  // namespace pinhole::load
