// SPDX-License-Identifier: BSD-3-Clause
#include "tests/unit/edge/property_run.h"

#include "tests/unit/auth/support.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

namespace pinhole::edge::test {
namespace {

const auth::Subscribers* subscribers() {
    static const auto all = auth::subscribers_of({"100", "101", "102", "103", "104", "105"},
                                                 {auth::Algorithm::kMd5, auth::Algorithm::kSha256});
    return all.get();
}

EdgeSettings settings_of(const Scene& scene, unsigned workers) {
    EdgeSettings settings = scene.edges;
    settings.workers = workers;
    if (scene.digest) {
        settings.auth = auth::DigestPolicy{auth::Nonces("example.com", 1),
                                           auth::test_hash(),
                                           {auth::Algorithm::kMd5, auth::Algorithm::kSha256},
                                           600,
                                           false,
                                           {}};
    }
    return settings;
}

std::string line_of(const table::ContactView& contact, bool with_id) {
    table::StoredParams::Room room;
    const table::ContactState& state = contact.state;
    std::string line = std::string(contact.aor) + " <" + std::string(contact.uri) + ">" +
                       std::string(contact.params.text(room)) + " path " +
                       std::string(contact.path) + " at " + flow_text(state.flow);
    for (const std::uint64_t number :
         {std::uint64_t{contact.reg_id}, std::uint64_t{contact.registered_at_s}, state.call_id_hash,
          std::uint64_t{state.expires_at_s}, std::uint64_t{state.cseq},
          std::uint64_t{state.refreshed_at_ms}, std::uint64_t{state.q},
          std::uint64_t{state.flags}}) {
        line += " " + std::to_string(number);
    }
    return with_id ? line + " id " + std::to_string(contact.id.packed()) : line;
}

// The characters of a token before "@" and the edge's own address.
void mask_tokens(std::string& text, const std::string& host) {
    for (std::size_t at = 0; (at = text.find("@" + host, at)) != std::string::npos; ++at) {
        const std::size_t begin = text.rfind("sip:", at);
        const std::size_t size = begin == std::string::npos ? 0 : at - begin - 4;
        if (size == 30 || size == 38 || size == 70) {
            text.replace(begin + 4, size, "TOKEN");
            at = begin;
        }
    }
}

// As "nonce=" and the digest over it.
void mask(std::string& text, const std::string& name) {
    const std::string begin = name + "=\"";
    for (std::size_t at = 0; (at = text.find(begin, at)) != std::string::npos; ++at) {
        const std::size_t from = at + begin.size();
        text.replace(from, text.find('"', from) - from, "*");
    }
}

}  // namespace

Trial::Trial(const Scene& scene, unsigned workers)
    : scene_(scene), edges_(std::make_unique<Edges>(settings_of(scene, workers))) {
    numbers_.resize(workers);
    const std::vector<std::string> numbers{"112"};
    edges_->around().emergency = route::Emergency(numbers, true);
    edges_->subscribe(subscribers());
    LiveSettings live = edges_->live();
    live.redirect = scene.redirect;
    live.assert_identity = scene.assert_identity;
    edges_->set_live(live);
    for (unsigned worker = 0; worker < workers; ++worker) {
        edges_->sink(worker).refuses_pongs = scene.pongs_refused;
    }
}

void Trial::put(std::size_t number, const Datagram& datagram, unsigned worker) {
    const std::string& text = texts_[number] = datagram.text(*this);
    edges_->put(worker, datagram.flow, text);
    numbers_[worker].push_back(number);
}

void Trial::settle() {
    edges_->settle();
    collect();
}

void Trial::collect() {
    for (unsigned worker = 0; worker < edges_->workers(); ++worker) {
        for (Sent& sent : edges_->sent(worker)) {
            const std::size_t number = numbers_[worker].at(sent.packet);
            if (!sent_.emplace(number, std::move(sent)).second) {
                std::abort();  // two datagrams for one
            }
        }
        TestSink& sink = edges_->sink(worker);
        for (const PongNotice& pong : std::exchange(sink.pongs, {})) {
            const auto name = names_.find(pong.id.packed());
            pongs_.insert((name == names_.end() ? "nobody" : name->second) + " " +
                          std::to_string(pong.code) + " " + std::to_string(pong.rtt_us) + " " +
                          std::to_string(pong.flow_matches) + std::to_string(pong.is_probe));
            last_pong_ = pong;
        }
        peer_pongs_ += std::exchange(sink.peer_pongs, {}).size();
    }
    read_table();
    for (const table::ContactView& contact : contacts_) {
        table::StoredParams::Room room;
        names_.try_emplace(contact.id.packed(), std::string(contact.aor) + " " +
                                                    std::string(contact.uri) +
                                                    std::string(contact.params.text(room)));
    }
}

void Trial::take(const Step& step) {
    if (const auto* pass = std::get_if<Pass>(&step)) {
        edges_->pass_ms(pass->milliseconds);
    } else if (const auto* drain = std::get_if<Drain>(&step)) {
        LiveSettings live = edges_->live();
        live.draining = drain->on;
        edges_->set_live(live);
    } else if (const auto* control = std::get_if<Control>(&step)) {
        carry_out(*control);
    }
    settle();
}

void Trial::carry_out(const Control& control) {
    const auto contact = find(control.contact);
    if (!contact) {
        return;
    }
    Command command;
    command.id = contact->id;
    switch (control.kind) {
        case Control::Kind::kLearn: {
            table::QualifyView learned = control.learned;
            learned.generation = contact->id.generation;
            edges_->qualify().write_control(contact->id.slot, learned);
            return;
        }
        case Control::Kind::kExpire:
            command.kind = CommandKind::kExpire;
            break;
        case Control::Kind::kRemoveUnreachable:
            command.kind = CommandKind::kRemoveUnreachable;
            command.since_ms = edges_->now().stamp_ms();
            break;
        case Control::Kind::kRetarget:
            command.kind = CommandKind::kRetarget;
            break;
        case Control::Kind::kRemove:
            command.kind = CommandKind::kRemove;
            break;
    }
    const table::BindingTable& table = edges_->table();
    edges_->command(table.shard_of(table.hash()(contact->aor)), command);
}

const Sent* Trial::sent(std::size_t number) const {
    const auto found = sent_.find(number);
    return found == sent_.end() ? nullptr : &found->second;
}

std::string Trial::said(std::size_t number) const {
    const Sent* found = sent(number);
    return found == nullptr ? "" : found->text;
}

Totals Trial::totals() const {
    Totals sum;
    for (unsigned worker = 0; worker < edges_->workers(); ++worker) {
        const TestSink& sink = edges_->sink(worker);
        const CoreCounters& counters = edges_->counters(worker);
        sum.received += sink.received;
        sum.answered += sink.answered;
        sum.released += sink.released;
        sum.kept += sink.kept;
        sum.held += sink.held();
        for (const Counter& drop : counters.drops) {
            sum.drops += drop.get();
        }
        sum.strangers += edges_->drops(worker, DropReason::kStranger);
        sum.handoffs += counters.handoffs.get();
        sum.served += counters.handoffs_served.get();
        for (const Counter& response : counters.responses) {
            sum.responses += response.get();
        }
        sum.responses_forwarded += counters.responses_forwarded.get();
        sum.stun += counters.stun_answers.get();
        sum.pongs += counters.pongs.get();
        sum.calls += counters.calls_in.get() + counters.calls_out.get();
    }
    sum.pongs_taken = scene_.pongs_refused ? 0 : pongs_.size() + peer_pongs_;
    sum.peer_pongs_taken = scene_.pongs_refused ? 0 : peer_pongs_;
    return sum;
}

std::uint64_t Trial::responses(unsigned code) const {
    std::uint64_t sum = 0;
    for (unsigned worker = 0; worker < edges_->workers(); ++worker) {
        sum += edges_->responses(worker, code);
    }
    return sum;
}

std::map<std::size_t, std::string> Trial::answers() const {
    std::map<std::size_t, std::string> all;
    for (const auto& [number, sent] : sent_) {
        all[number] = flow_text(sent.flow) + "\n" + without_chance(sent.text);
    }
    return all;
}

// The views stay good until the next round: nobody else changes the table meanwhile.
void Trial::read_table() {
    contacts_.clear();
    table::ListCursor cursor;
    while (edges_->table().list(cursor, ~0U, [&](const table::Record& record) {
        for (std::size_t i = 0; i < record.contact_count(); ++i) {
            table::ContactView contact;
            if (!record.read(i, contact)) {
                std::abort();  // nobody else is at it
            }
            contacts_.push_back(contact);
        }
    })) {
    }
}

std::vector<table::ContactView> Trial::contacts_at(const net::Flow& flow) const {
    std::vector<table::ContactView> all = contacts();
    std::erase_if(all, [&](const table::ContactView& c) { return c.state.flow != flow; });
    return all;
}

std::vector<std::string> Trial::table(bool with_ids) const {
    std::vector<std::string> lines;
    for (const table::ContactView& contact : contacts()) {
        lines.push_back(line_of(contact, with_ids));
    }
    std::sort(lines.begin(), lines.end());
    return lines;
}

std::optional<table::ContactView> Trial::find(const ContactName& name) const {
    const std::string aor = name.user + "@example.com";
    for (const table::ContactView& contact : contacts()) {
        table::StoredParams::Room room;
        if (contact.aor == aor && contact.uri == name.uri &&
            contact.params.text(room) == name.params) {
            return contact;
        }
    }
    return std::nullopt;
}

std::string flow_text(const net::Flow& flow) {
    return net::near_end(flow) + "-" + net::far_end(flow);
}

std::vector<std::string> headers_of(std::string_view text, std::string_view name) {
    std::vector<std::string> values;
    const std::string line = "\r\n" + std::string(name) + ": ";
    for (std::size_t at = text.find(line); at != std::string_view::npos;
         at = text.find(line, at + 2)) {
        const std::size_t begin = at + line.size();
        values.emplace_back(text.substr(begin, text.find("\r\n", begin) - begin));
    }
    return values;
}

std::string header_of(std::string_view text, std::string_view name) {
    const auto values = headers_of(text, name);
    return values.empty() ? "" : values.front();
}

std::string call_id_of(std::string_view text) {
    const std::string whole = header_of(text, "Call-ID");
    return whole.empty() ? header_of(text, "i") : whole;
}

std::string param_of(std::string_view value, std::string_view name) {
    const std::size_t at = value.find(";" + std::string(name) + "=");
    if (at == std::string_view::npos) {
        return "";
    }
    const std::size_t begin = at + name.size() + 2;
    return std::string(value.substr(begin, value.find_first_of(";,>", begin) - begin));
}

net::Flow via_flow(std::string_view text, const net::Flow& arrival) {
    const std::string via = header_of(text, "Via");
    const std::size_t begin = via.find(' ') + 1;
    const std::string sent_by = via.substr(begin, via.find(';') - begin);
    const std::size_t host_end = sent_by.find(':', sent_by.find(']') + 1);
    std::string host = sent_by.substr(0, host_end);
    if (host.starts_with("[") && host.ends_with("]")) {
        host = host.substr(1, host.size() - 2);
    }
    net::Flow flow = arrival;
    if (via.find(";rport") == std::string::npos && net::parse_address(host) == arrival.theirs) {
        flow.their_udp_port =
            host_end == std::string::npos
                ? kSip
                : static_cast<std::uint16_t>(std::atoi(sent_by.c_str() + host_end + 1));
    }
    return flow;
}

std::string answer_to(std::string_view request, unsigned code, const std::string& tag) {
    std::string text = "SIP/2.0 " + std::to_string(code) + " X\r\n";
    for (const char* name : {"Via", "Record-Route", "From", "To", "Call-ID", "CSeq"}) {
        for (const std::string& value : headers_of(request, name)) {
            const bool tagged = name != std::string_view("To") || tag.empty() ||
                                value.find(";tag=") != std::string::npos;
            text += std::string(name) + ": " + value + (tagged ? "" : ";tag=" + tag) + "\r\n";
        }
    }
    return text + "Content-Length: 0\r\n\r\n";
}

std::string without_chance(std::string text) {
    mask(text, "nonce");
    mask(text, "response");
    mask_tokens(text, "198.51.100.1");
    mask_tokens(text, "[2001:db8::1]");
    return text;
}

}  // namespace pinhole::edge::test
