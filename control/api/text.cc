// SPDX-License-Identifier: BSD-3-Clause
#include "control/api/text.h"

#include "control/api/members.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cstdio>
#include <vector>

namespace pinhole::api {
namespace {

using nlohmann::json;

constexpr std::size_t kColumns = 80;

std::string share(double part, double whole) {
    return whole == 0 ? "-" : format("%.1f %%", 100 * part / whole);
}

std::string bytes(std::uint64_t count) {
    constexpr double kMega = 1 << 20;
    constexpr double kGiga = 1 << 30;
    const auto value = static_cast<double>(count);
    return value >= kGiga ? format("%.1f GB", value / kGiga) : format("%.0f MB", value / kMega);
}

// Rows under a heading, each column as wide as its widest cell; the first is left, the others right
// aligned unless `left` says so. The last column may be cut to fit the terminal.
class Table {
  public:
    explicit Table(std::vector<std::string> head, std::vector<bool> left)
        : left_(std::move(left)), rows_{std::move(head)} {}

    void add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }

    [[nodiscard]] std::string str() const {
        std::vector<std::size_t> widths(left_.size(), 0);
        for (const auto& row : rows_) {
            for (std::size_t i = 0; i < row.size(); ++i) {
                widths[i] = std::max(widths[i], row[i].size());
            }
        }
        std::string out;
        for (const auto& row : rows_) {
            std::string line;
            for (std::size_t i = 0; i < row.size(); ++i) {
                const std::string pad(widths[i] - row[i].size(), ' ');
                line += (i == 0 ? "" : "  ") + (left_[i] ? row[i] + pad : pad + row[i]);
            }
            line.erase(line.find_last_not_of(' ') + 1);
            out += line + "\n";
        }
        return out;
    }

  private:
    std::vector<bool> left_;
    std::vector<std::vector<std::string>> rows_;
};

// "label      text", the text broken at spaces, its lines one below the other.
void add_field(std::string& out, std::size_t indent, std::string_view label,
               const std::string& value) {
    constexpr std::size_t kLabelWidth = 12;
    if (value.empty()) {
        return;
    }
    std::string line(indent, ' ');
    line += label;
    line.append(label.size() < kLabelWidth ? kLabelWidth - label.size() : 1, ' ');
    const std::size_t hang = line.size();
    bool first = true;
    std::size_t begin = 0;
    while (begin <= value.size()) {
        const std::size_t end = std::min(value.find(' ', begin), value.size());
        const std::string word = value.substr(begin, end - begin);
        if (!first && line.size() + 1 + word.size() > kColumns) {
            out += line + "\n";
            line.assign(hang, ' ');
            first = true;
        }
        line += (first ? "" : " ") + word;
        first = false;
        begin = end + 1;
    }
    out += line + "\n";
}

std::string joined(const json& list) {
    std::string out;
    for (const json& item : list) {
        out += (out.empty() ? "" : " ") +
               (item.is_string() ? printable(item.get_ref<const std::string&>()) : item.dump());
    }
    return out;
}

void add_port(std::string& out, const json& port) {
    const bool up = flag(port, "link_up");
    add_field(out, 0, "port " + text(port, "name"),
              text(port, "device") + (up ? ", up" : ", DOWN") + ", " + text(port, "mac") + ", " +
                  text(port, "role") + ", " + std::to_string(number(port, "queues")) +
                  (number(port, "queues") == 1 ? " queue" : " queues"));
    const std::string addresses = joined(member(port, "addresses"));
    add_field(out, 0, "",
              (addresses.empty() ? "no address: the kernel's interface has none" : addresses) +
                  ", UDP " + joined(member(port, "sip_ports")));
}

void add_peer(std::string& out, const json& peer) {
    const std::string state = text(peer, "state");
    std::string how = "not checked";
    if (flag(peer, "checked")) {
        how = (state == "down" ? "DOWN" : state) + " for " +
              duration(static_cast<std::uint64_t>(real(peer, "for_s")));
        if (member(peer, "rtt_s").is_number()) {
            how += ", round trip " + milliseconds(real(peer, "rtt_s"));
        }
    }
    add_field(out, 0, "core peer", text(peer, "peer") + ", " + how);
}

// What /readyz is silent of: the phones are kept as well as ever, and are reached by other edges no
// better.
void add_peers(std::string& out, const json& status) {
    const std::vector<const json*> peers = objects(status, "peers");
    for (const json* peer : peers) {
        add_peer(out, *peer);
    }
    const auto is_down = [](const json* peer) { return text(*peer, "state") == "down"; };
    if (!peers.empty() && std::all_of(peers.begin(), peers.end(), is_down)) {
        add_field(out, 0, "", "NO CORE PEER IS UP: phones' calls get 503");
    }
}

std::string state_text(const json& binding) {
    const std::string state = text(binding, "state");
    const std::uint64_t missed = number(binding, "missed");
    if (flag(binding, "suspect")) {
        return "SUSPECT: another phone has registered from there; no calls until this one does";
    }
    std::string out = state == "unknown" ? "unknown: has never answered a ping" : state;
    if (member(binding, "rtt_s").is_number()) {
        out += ", round trip " + milliseconds(real(binding, "rtt_s"));
    }
    if (missed != 0) {
        out += ", " + std::to_string(missed) + (missed == 1 ? " ping" : " pings") + " missed";
    }
    return out;
}

// Of a phone whose SIP comes as it wrote it there is nothing to say.
std::string alg_text(const json& binding) {
    const std::string alg = text(binding, "alg");
    if (alg == "consistent") {
        return "its gateway rewrites SIP, consistently";
    }
    if (alg == "half") {
        return "HALF: its gateway, or the phone itself, rewrites some addresses and not others";
    }
    return alg == "broken" ? "BROKEN: its SIP names addresses that lead nowhere" : "";
}

void add_binding(std::string& out, const json& binding) {
    out += "  " + text(binding, "contact") + "\n";
    add_field(out, 4, "reached at",
              text(binding, "far_end") + " from " + text(binding, "near_end") + " on " +
                  text(binding, "port") +
                  (flag(binding, "at_contact") ? ", the port that its Contact names" : ""));
    add_field(out, 4, "state", state_text(binding));
    add_field(out, 4, "ALG", alg_text(binding));
    add_field(out, 4, "registered",
              duration(number(binding, "registered_ago_s")) + " ago, expires in " +
                  duration(number(binding, "expires_in_s")));
    add_field(out, 4, "id", text(binding, "id") + ", q " + format("%.3g", real(binding, "q")));
    add_field(out, 4, "CSeq", std::to_string(number(binding, "cseq")));
    const std::uint64_t reg_id = number(binding, "reg_id");
    add_field(
        out, 4, "instance",
        text(binding, "instance") + (reg_id == 0 ? "" : ", reg-id " + std::to_string(reg_id)));
    add_field(out, 4, "parameters", text(binding, "params"));
    add_field(out, 4, "path", text(binding, "path"));
}

std::string keys_text(const json& keys) {
    std::string out = std::to_string(number(keys, "count")) + ", the newest " +
                      duration(number(keys, "age_s")) + " old, ";
    if (member(keys, "overdue") == true) {
        out += "the next can't be written: see the log";
    } else {
        out += member(keys, "next_in_s").is_number()
                   ? "the next in " + duration(number(keys, "next_in_s"))
                   : "no next";
    }
    return out + (member(keys, "kept") == false ? "; lost at a restart" : "");
}

std::string journal_text(const json& journal) {
    if (!journal.value("kept", false)) {
        return "none: bindings end with pinhole";
    }
    const std::string back = ", " + grouped(number(journal, "restored")) + " contacts came back";
    return journal.value("whole", false)
               ? "whole" + back
               : "BEHIND, see the log: a restart now would lose bindings" + back;
}

// Of the gateway's phones, those whose SIP is rewritten; "!" where it is not done well.
std::string alg_share(const json& gateway) {
    const json& alg = member(gateway, "alg");
    const std::uint64_t ill = number(alg, "half") + number(alg, "broken");
    const std::uint64_t all = number(alg, "consistent") + ill;
    if (all == 0) {
        return "-";
    }
    return format("%.0f %%", 100.0 * static_cast<double>(all) /
                                 std::max(real(gateway, "phones"), static_cast<double>(all))) +
           (ill != 0 ? "!" : "");
}

}  // namespace

std::string status_text(const json& status) {
    const json& qualify = member(status, "qualify");
    const json& states = member(qualify, "contacts_by_state");
    const json& rtt = member(qualify, "rtt");
    std::string out = "pinhole " + text(status, "version") + ", up " +
                      duration(static_cast<std::uint64_t>(real(status, "uptime_s"))) +
                      (status.value("draining", false) ? ", draining" : "") + "\n";
    add_field(out, 0, "workers", std::to_string(number(status, "workers")));
    add_field(
        out, 0, "contacts",
        grouped(number(status, "contacts")) + " of " + grouped(number(status, "max_contacts")) +
            " (" + share(real(status, "contacts"), real(status, "max_contacts")) + "), " +
            grouped(number(status, "aors")) + (number(status, "aors") == 1 ? " AOR" : " AORs"));
    add_field(out, 0, "states",
              grouped(number(states, "reachable")) + " reachable, " +
                  grouped(number(states, "unreachable")) + " unreachable, " +
                  grouped(number(states, "unknown")) + " never answered");
    add_field(out, 0, "pings",
              grouped(number(qualify, "sent")) + " sent, " + grouped(number(qualify, "answered")) +
                  " answered (" + share(real(qualify, "answered"), real(qualify, "sent")) + ")");
    if (number(rtt, "samples") != 0) {
        add_field(out, 0, "round trip",
                  milliseconds(real(rtt, "p50_s")) + " (median), " +
                      milliseconds(real(rtt, "p99_s")) + " (99th percentile)");
    }
    add_field(out, 0, "removed",
              grouped(number(qualify, "removed_expired")) + " expired, " +
                  grouped(number(qualify, "removed_unreachable")) + " unreachable");
    add_field(out, 0, "memory",
              bytes(number(status, "memory_bytes")) + ", " + text(status, "memory_kind"));
    add_field(out, 0, "keys", keys_text(member(status, "keys")));
    add_field(out, 0, "journal", journal_text(member(status, "journal")));
    for (const json* port : objects(status, "ports")) {
        add_port(out, *port);
    }
    add_peers(out, status);
    return out;
}

std::string cores_text(const json& cores) {
    Table table({"core", "cpu", "busy", "contacts", "REGISTER", "calls", "pings", "pongs", "rx",
                 "tx", "drops"},
                std::vector<bool>(11, false));
    for (const json* each : objects(cores, "cores")) {
        const json& core = *each;
        const double busy = real(core, "cycles_busy");
        table.add({std::to_string(number(core, "core")), std::to_string(number(core, "cpu")),
                   share(busy, busy + real(core, "cycles_idle")),
                   shortened(number(core, "contacts")), shortened(number(core, "registers")),
                   shortened(number(core, "calls_in") + number(core, "calls_out")),
                   shortened(number(core, "pings_sent")), shortened(number(core, "pongs")),
                   shortened(number(core, "rx_packets")), shortened(number(core, "tx_packets")),
                   shortened(number(core, "drops"))});
    }
    return table.str();
}

std::string show_text(const json& bindings) {
    const auto contacts = objects(bindings, "bindings");
    std::string out = text(bindings, "aor") + ", " + std::to_string(contacts.size()) +
                      (contacts.size() == 1 ? " contact" : " contacts") + "\n";
    for (const json* binding : contacts) {
        add_binding(out, *binding);
    }
    return out;
}

std::string nat_text(const json& nat) {
    Table table({"GATEWAY", "PHONES", "REBINDS", "MISSED", "ALG", "KIND", "OF IT", "PINGED EVERY",
                 "SURVIVES", "DIES AT"},
                {true, false, false, false, false, true, false, false, false, false});
    const auto seconds = [](std::uint64_t s) { return s == 0 ? "-" : std::to_string(s) + " s"; };
    for (const json* gateway : objects(nat, "largest")) {
        std::vector<std::string> row{
            text(*gateway, "address"), shortened(number(*gateway, "phones")),
            shortened(number(*gateway, "rebinds")),
            share(real(*gateway, "missed"), real(*gateway, "pings")), alg_share(*gateway)};
        for (const json* lesson : objects(*gateway, "lessons")) {
            row.insert(row.end(), {text(*lesson, "agent"), shortened(number(*lesson, "phones")),
                                   format("%.0f s", real(*lesson, "interval_s")),
                                   seconds(number(*lesson, "survived_s")),
                                   seconds(number(*lesson, "died_s"))});
            table.add(row);
            row.assign(5, "");
        }
    }
    std::string out = grouped(number(nat, "phones")) + " phones behind " +
                      grouped(number(nat, "gateways")) + " gateways";
    out += flag(nat, "learns") ? "\n" : "; intervals are not learned ([qualify] learn_intervals)\n";
    for (const json* outage : objects(nat, "outages")) {
        out += "OUTAGE: all " + grouped(number(*outage, "phones")) + " phones of " +
               text(*outage, "where") + " silent for " + duration(number(*outage, "since_ago_s")) +
               "\n";
    }
    return out + table.str();
}

std::string list_text(const json& page) {
    const auto aors = objects(page, "aors");
    if (aors.empty()) {
        return "no binding\n";
    }
    Table table({"AOR", "REACHED AT", "STATE", "EXPIRES IN"}, {true, true, true, false});
    for (const json* aor : aors) {
        for (const json* binding : objects(*aor, "bindings")) {
            table.add({text(*aor, "aor"), text(*binding, "far_end"),
                       flag(*binding, "suspect") ? "suspect" : text(*binding, "state"),
                       duration(number(*binding, "expires_in_s"))});
        }
    }
    std::string out = table.str();
    if (!text(page, "next").empty()) {
        out += "There are more: raise --limit or narrow --prefix.\n";
    }
    return out;
}

std::string grouped(std::uint64_t number) {
    std::string out = std::to_string(number);
    for (std::size_t i = out.size(); i > 3;) {
        i -= 3;
        out.insert(i, 1, ',');
    }
    return out;
}

std::string shortened(std::uint64_t number) {
    if (number < 100'000) {
        return std::to_string(number);
    }
    constexpr std::array<char, 6> kUnits{'k', 'M', 'G', 'T', 'P', 'E'};
    auto value = static_cast<double>(number);
    std::size_t unit = 0;
    for (value /= 1000; value >= 999.5 && unit + 1 < kUnits.size(); ++unit) {
        value /= 1000;
    }
    const int decimals = value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
    return format("%.*f%c", decimals, value, kUnits[unit]);
}

std::string duration(std::uint64_t seconds) {
    struct Unit {
        std::uint64_t size_s;
        const char* name;
    };
    constexpr std::array<Unit, 4> kUnits{{{86'400, "d"}, {3'600, "h"}, {60, "min"}, {1, "s"}}};
    for (std::size_t i = 0; i < kUnits.size(); ++i) {
        if (seconds < kUnits[i].size_s && i + 1 < kUnits.size()) {
            continue;
        }
        std::string out = std::to_string(seconds / kUnits[i].size_s) + " " + kUnits[i].name;
        if (i + 1 < kUnits.size()) {
            const std::uint64_t rest = seconds % kUnits[i].size_s / kUnits[i + 1].size_s;
            out += rest == 0 ? "" : " " + std::to_string(rest) + " " + kUnits[i + 1].name;
        }
        return out;
    }
    return {};
}

}  // namespace pinhole::api
