// SPDX-License-Identifier: BSD-3-Clause
#include "control/config/schema.h"

#include "control/config/values.h"

#include <algorithm>
#include <array>
#include <type_traits>

namespace pinhole::config {
namespace {

// The one way to an enumeration's byte; std::uint8_t may alias anything.
template <typename Enum>
Choice choice(Enum& value) {
    static_assert(sizeof(Enum) == 1);
    return Choice{reinterpret_cast<std::uint8_t*>(&value)};
}

constexpr std::int64_t kDay = 86'400;
// RFC 3261 §20.19 allows 2**32-1 s; a year is more than any phone means.
constexpr std::int64_t kYear = 365 * kDay;

#define PH_FIELD(expression)          \
    [](Config& c, Port& p) -> Field { \
        (void)c;                      \
        (void)p;                      \
        return expression;            \
    }

constexpr std::array kProperties{
    Property{"dataplane", "workers", PH_FIELD(&c.dataplane.workers),
             "poll-mode cores; each owns a queue of every port and a shard of the table", 1, 64},
    Property{"dataplane", "cores", PH_FIELD(&c.dataplane.cores),
             "the CPUs to pin the workers to, one each; [] picks the last ones", 0, 1023},
    Property{"dataplane", "max_contacts", PH_FIELD(&c.dataplane.max_contacts),
             "memory is reserved for this many; newcomers past it get 503", 1, 100'000'000},
    Property{"dataplane", "hugepages", PH_FIELD(choice(c.dataplane.hugepages)),
             "auto takes them if there are any; on demands them", 0, 0, "auto | on | off"},
    Property{"dataplane", "idle", PH_FIELD(choice(c.dataplane.idle)),
             "what a worker does with nothing to do: spin for latency, sleep for power", 0, 0,
             "auto | spin | sleep"},
    Property{"dataplane", "dumpcap", PH_FIELD(&c.dataplane.dumpcap),
             "dpdk-dumpcap may look into the ports; hugepages are needed"},

    Property{"port", "device", PH_FIELD(&p.device),
             "af_packet:IF, af_xdp:IF, pci:ADDRESS, memif:PATH or vdev:ARGS"},
    Property{"port", "name", PH_FIELD(&p.name),
             "in metrics and logs, and of the TAP where there is one"},
    Property{"port", "addresses", PH_FIELD(&p.addresses),
             "SIP is served on these; [] means all that the kernel's interface has"},
    Property{"port", "role", PH_FIELD(choice(p.role)),
             "who may speak here: phones, the core, or both", 0, 0, "access | core | both"},
    Property{"port", "sip_port", PH_FIELD(&p.sip_ports),
             "UDP ports to serve; many gateways' ALGs meddle with 5060 alone", 1, 65'535},
    Property{"port", "memif_id", PH_FIELD(&p.memif_id),
             "of a memif port: the same number at both ends", 0, 65'535},
    Property{"port", "memif_role", PH_FIELD(choice(p.memif_role)),
             "of a memif port: one end is the server, the other the client", 0, 0,
             "client | server"},

    Property{"registrar", "domains", PH_FIELD(&c.registrar.domains),
             "what we are registrar for: names, addresses of ours, host:port"},
    Property{"registrar", "default_expires", PH_FIELD(&c.registrar.default_expires),
             "seconds granted to a phone that names none", 1, kYear},
    Property{"registrar", "min_expires", PH_FIELD(&c.registrar.min_expires),
             "seconds; a phone that asks for less is too brief", 1, kYear},
    Property{"registrar", "max_expires", PH_FIELD(&c.registrar.max_expires),
             "seconds; a phone that asks for more is granted this", 1, kYear},
    Property{"registrar", "max_contacts_per_aor", PH_FIELD(&c.registrar.max_contacts_per_aor),
             "phones that may share an address of record", 1, 32},
    Property{"registrar", "expires_spread_percent", PH_FIELD(&c.registrar.expires_spread_percent),
             "up to so much less is granted, so that phones don't refresh together", 0, 50},
    Property{"registrar", "too_brief", PH_FIELD(choice(c.registrar.too_brief)),
             "below min_expires: 423, or granted the minimum", 0, 0, "reject | raise"},
    Property{"registrar", "full_aor", PH_FIELD(choice(c.registrar.full_aor)),
             "past max_contacts_per_aor: 403, or the unreachable, then the oldest, gives way", 0, 0,
             "reject | replace"},
    Property{
        "registrar", "service_route", PH_FIELD(&c.registrar.service_route),
        "URIs with ;lr that a phone's own requests are to go by (RFC 3608); the first is ours"},
    Property{
        "registrar", "path_peers", PH_FIELD(&c.registrar.path_peers),
        "addresses of proxies that may add a Path (RFC 3327); from nobody else is one believed"},
    Property{
        "registrar", "gruu", PH_FIELD(&c.registrar.gruu),
        "tell a phone that asks the URIs that lead to it alone (RFC 5627), and take calls to them"},

    Property{"auth", "mode", PH_FIELD(choice(c.auth.mode)),
             "no default: whoever runs without passwords has to say so", 0, 0, "off | digest"},
    Property{"auth", "realm", PH_FIELD(&c.auth.realm), "for digest: the realm of the challenges"},
    Property{"auth", "subscribers", PH_FIELD(&c.auth.subscribers),
             "for digest: the file of user:realm:HA1 lines"},
    Property{"auth", "algorithms", PH_FIELD(&c.auth.algorithms),
             "for digest: offered in this order, those of which every subscriber has an HA1"},
    Property{"auth", "allow_legacy", PH_FIELD(&c.auth.allow_legacy),
             "for digest: clients without qop too; each of their nonces is good once"},
    Property{"auth", "nonce_lifetime_s", PH_FIELD(&c.auth.nonce_lifetime_s),
             "for digest: seconds after which a phone is challenged again", 60, 7 * kDay},
    Property{"auth", "aliases", PH_FIELD(&c.auth.aliases),
             "for digest: \"100:pbx\" lets the subscriber pbx register 100 as well"},

    Property{"qualify", "enabled", PH_FIELD(&c.qualify.enabled),
             "ping the phones; without it their NAT mappings die"},
    Property{"qualify", "interval_s", PH_FIELD(&c.qualify.interval_s),
             "seconds; a phone is pinged every 0.6 to 1.0 of this", 1, 3'600},
    Property{"qualify", "timeout_ms", PH_FIELD(&c.qualify.timeout_ms),
             "how long an answer may take", 50, 60'000},
    Property{"qualify", "max_missed", PH_FIELD(&c.qualify.max_missed),
             "unanswered in a row, by a phone that has answered before: unreachable", 1, 100},
    Property{"qualify", "call_unreachable", PH_FIELD(choice(c.qualify.call_unreachable)),
             "a call for an unreachable phone: 480, or tried all the same", 0, 0, "fail | try"},
    Property{"qualify", "remove_after_s", PH_FIELD(&c.qualify.remove_after_s),
             "unreachable this long: removed; 0 keeps it till it expires", 0, kYear},
    Property{"qualify", "max_pings_per_s", PH_FIELD(&c.qualify.max_pings_per_s),
             "an upper limit; 0 sends whatever is due", 0, 100'000'000},
    Property{"qualify", "max_address_pings_per_s", PH_FIELD(&c.qualify.max_address_pings_per_s),
             "likewise to one address (IPv6: one /64)", 0, 1'000'000},
    Property{"qualify", "learn_intervals", PH_FIELD(&c.qualify.learn_intervals),
             "learn how long each gateway's mappings last, and ping by that instead of interval_s"},
    Property{"qualify", "max_interval_s", PH_FIELD(&c.qualify.max_interval_s),
             "no phone is pinged more rarely than this, whatever was learned", 1, 3'600},
    Property{"qualify", "ledger", PH_FIELD(&c.qualify.ledger),
             "keep the last eight things that happened to each contact, for pinholectl why"},
    Property{"qualify", "gateways", PH_FIELD(&c.qualify.gateways),
             "public addresses of phones to keep in mind; others are treated like any", 1,
             4'000'000},
    Property{"qualify", "gateway_prefix_v4", PH_FIELD(&c.qualify.gateway_prefix_v4),
             "IPv4 addresses with so many leading bits in common are one gateway", 16, 32},

    Property{"core", "peers", PH_FIELD(&c.core.peers),
             "who may send calls in, and where phones' requests go"},
    Property{"core", "mode", PH_FIELD(choice(c.core.mode)),
             "forward calls to the phones, or tell the core where they are", 0, 0,
             "proxy | redirect"},
    Property{"core", "assert_identity", PH_FIELD(&c.core.assert_identity),
             "toward the core, who a phone says it is gives way to the AOR that it registered"},
    Property{"core", "check_interval_s", PH_FIELD(&c.core.check_interval_s),
             "seconds between two OPTIONS to a peer; 0 takes every peer for alive", 0, 3'600},
    Property{"core", "check_timeout_ms", PH_FIELD(&c.core.check_timeout_ms),
             "how long a peer's answer may take", 50, 60'000},
    Property{"core", "check_max_missed", PH_FIELD(&c.core.check_max_missed),
             "unanswered, or answered 503, in a row: phones' calls go to other peers", 1, 100},

    Property{"limits", "enabled", PH_FIELD(&c.limits.enabled),
             "hold back who asks for more than a phone does"},
    Property{"limits", "flow_per_minute", PH_FIELD(&c.limits.flow_per_minute),
             "requests of one address and port", 1, 60'000'000},
    Property{"limits", "flow_burst", PH_FIELD(&c.limits.flow_burst), "of these at once", 1, 70'000},
    Property{"limits", "address_per_minute", PH_FIELD(&c.limits.address_per_minute),
             "requests of one IPv4 address or IPv6 /64; four times that of a /56", 1, 60'000'000},
    Property{"limits", "address_burst", PH_FIELD(&c.limits.address_burst), "of these at once", 1,
             70'000},
    Property{"limits", "phone_per_minute", PH_FIELD(&c.limits.phone_per_minute),
             "added to both for each phone that is registered there", 0, 60'000},
    Property{"limits", "phone_burst", PH_FIELD(&c.limits.phone_burst), "likewise, at once", 0,
             10'000},
    Property{"limits", "guesses_per_minute", PH_FIELD(&c.limits.guesses_per_minute),
             "wrong passwords of one address for one user", 0, 60'000},
    Property{"limits", "guesses_burst", PH_FIELD(&c.limits.guesses_burst), "of these at once", 1,
             10'000},
    Property{"limits", "address_guesses_per_minute", PH_FIELD(&c.limits.address_guesses_per_minute),
             "wrong passwords of one address for all users", 0, 60'000},
    Property{"limits", "address_guesses_burst", PH_FIELD(&c.limits.address_guesses_burst),
             "of these at once", 1, 70'000},
    Property{"limits", "sources", PH_FIELD(&c.limits.sources),
             "flows, and addresses, that a worker remembers at once", 1'024, 16'777'216},

    Property{"overload", "enabled", PH_FIELD(&c.overload.enabled),
             "a worker with more to do than it can refuses strangers first, then newcomers"},
    Property{"overload", "retry_after_s", PH_FIELD(&c.overload.retry_after_s),
             "seconds after which who was refused comes back, spread up to twice that", 1, 3'600},

    Property{"emergency", "numbers", PH_FIELD(&c.emergency.numbers),
             "calls to these, as to urn:service:sos, are calls for help"},
    Property{"emergency", "unregistered", PH_FIELD(&c.emergency.unregistered),
             "whether phones that are not registered may call for help"},

    Property{"http", "listen", PH_FIELD(&c.http.listen),
             "metrics, health and read-only API; \"\" is off"},
    Property{"control", "socket", PH_FIELD(&c.control.socket), "where pinholectl finds the daemon"},
    Property{"control", "mode", PH_FIELD(choice(c.control.mode)),
             "the socket's: who may use pinholectl, its group or its owner alone", 0, 0,
             "0660 | 0600"},
    Property{"control", "group", PH_FIELD(&c.control.group),
             "the socket's; \"\" is the group that pinhole runs as"},
    Property{"keys", "file", PH_FIELD(&c.keys.file),
             "where the keys survive a restart, and calls under way with them; \"\" keeps none"},
    Property{"keys", "rotate_h", PH_FIELD(&c.keys.rotate_h),
             "hours after which a new key signs; the old one verifies 7 times that longer", 0,
             kYear / 3600},
    Property{"journal", "directory", PH_FIELD(&c.journal.directory),
             "where bindings survive a restart; \"\" keeps nothing"},
    Property{"journal", "memory", PH_FIELD(&c.journal.memory),
             "where what was answered survives a kill: a directory in tmpfs"},
    Property{"journal", "sync_ms", PH_FIELD(&c.journal.sync_ms),
             "what a power failure costs at most, and the time of a sync", 1, 60'000},
    Property{"journal", "log_mb", PH_FIELD(&c.journal.log_mb),
             "of each worker, in `memory`: how much waits for a slow disk; a power of two", 1,
             4'096},
    Property{"screen", "rules", PH_FIELD(&c.screen.rules),
             "the file of screening rules; \"\" is off"},
    Property{"log", "level", PH_FIELD(choice(c.log.level)), "the least that is logged", 0, 0,
             "debug | info | warning | error"},
};

#undef PH_FIELD

std::string quoted(std::string_view text) {
    return "\"" + std::string(text) + "\"";
}

std::string element_text(std::uint16_t value) {
    return std::to_string(value);
}
std::string element_text(std::uint32_t value) {
    return std::to_string(value);
}
std::string element_text(const std::string& value) {
    return quoted(value);
}
template <typename T>
std::string element_text(const T& value) {
    return quoted(to_text(value));
}

struct DefaultText {
    const Property& property;

    std::string operator()(const bool* value) const { return *value ? "true" : "false"; }
    std::string operator()(const std::uint32_t* value) const { return std::to_string(*value); }
    std::string operator()(const std::uint64_t* value) const { return std::to_string(*value); }
    std::string operator()(const std::string* value) const { return quoted(*value); }
    std::string operator()(const Listen* value) const { return quoted(to_text(*value)); }
    std::string operator()(const DeviceSpec*) const { return {}; }
    std::string operator()(Choice choice_of) const {
        const auto names = split_choices(property.choices);
        return *choice_of.value < names.size() ? quoted(names[*choice_of.value]) : std::string{};
    }
    template <typename T>
    std::string operator()(const std::vector<T>* values) const {
        std::string text = "[";
        for (const T& value : *values) {
            text += (text.size() > 1 ? ", " : "") + element_text(value);
        }
        return text + "]";
    }
};

struct Expected {
    const Property& property;

    [[nodiscard]] std::string range() const {
        return "from " + std::to_string(property.min) + " to " + std::to_string(property.max);
    }
    std::string operator()(const bool*) const { return "true or false"; }
    std::string operator()(const std::uint32_t*) const { return "an integer " + range(); }
    std::string operator()(const std::uint64_t*) const { return "an integer " + range(); }
    std::string operator()(const std::string*) const { return "a string"; }
    std::string operator()(const Listen*) const { return "a string, ADDRESS:PORT or \"\""; }
    std::string operator()(const DeviceSpec*) const { return "a string, KIND:ARGUMENT"; }
    std::string operator()(Choice) const {
        std::string text;
        for (const std::string_view name : split_choices(property.choices)) {
            text += (text.empty() ? "one of " : ", ") + quoted(name);
        }
        return text;
    }
    std::string operator()(const std::vector<std::uint16_t>*) const {
        return "an integer " + range() + " or a list of them";
    }
    std::string operator()(const std::vector<std::uint32_t>*) const {
        return "a list of integers " + range();
    }
    template <typename T>
    std::string operator()(const std::vector<T>*) const {
        return "a list of strings";
    }
};

}  // namespace

std::span<const Property> properties() {
    return kProperties;
}

const Property* find_property(std::string_view section, std::string_view name) {
    const auto* const found =
        std::find_if(kProperties.begin(), kProperties.end(), [&](const Property& property) {
            return property.section == section && property.name == name;
        });
    return found == kProperties.end() ? nullptr : found;
}

std::vector<std::string_view> section_names() {
    std::vector<std::string_view> names;
    for (const Property& property : kProperties) {
        if (names.empty() || names.back() != property.section) {
            names.push_back(property.section);
        }
    }
    return names;
}

std::vector<std::string_view> key_names(std::string_view section) {
    std::vector<std::string_view> names;
    for (const Property& property : kProperties) {
        if (property.section == section) {
            names.push_back(property.name);
        }
    }
    return names;
}

std::vector<std::string_view> split_choices(std::string_view choices) {
    static constexpr std::string_view kBetween = " | ";
    std::vector<std::string_view> names;
    while (!choices.empty()) {
        const auto end = choices.find(kBetween);
        names.push_back(choices.substr(0, end));
        choices.remove_prefix(end == std::string_view::npos ? choices.size()
                                                            : end + kBetween.size());
    }
    return names;
}

std::string expected(const Property& property) {
    Config config;
    Port port;
    return std::visit(Expected{property}, property.field(config, port));
}

std::string value_text(const Property& property, const Config& config, const Port& port) {
    Config config_copy = config;
    Port port_copy = port;
    const Field field = property.field(config_copy, port_copy);
    if (const auto* device = std::get_if<DeviceSpec*>(&field)) {
        static constexpr std::array<std::string_view, 5> kKinds{
            "af_packet:", "af_xdp:", "pci:", "memif:", "vdev:"};
        return quoted(std::string(kKinds[static_cast<std::size_t>((*device)->kind)]) +
                      (*device)->argument);
    }
    return std::visit(DefaultText{property}, field);
}

std::string default_text(const Property& property) {
    Config config;
    Port port;
    return std::visit(DefaultText{property}, property.field(config, port));
}

}  // namespace pinhole::config
