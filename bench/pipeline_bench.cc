// SPDX-License-Identifier: BSD-3-Clause
// What a packet costs one worker from its receive queue to its transmit queue, in memory: parsed, looked up, decided,
// answered, headers and checksums done in software. REGISTERs of 760 bytes as a Yealink phone sends them, no two alike
// (AOR, Call-ID and CSeq differ, so that no retransmission is measured); bursts of 32. Beside it, over the same packets,
// the floor: every line found and every header named, one random line and record batched with prefetch, 450 bytes
// written. Making packets is not timed. Of calls, `call_ns` is what the packets named cost together. Needs root, for the
// TAPs of the virtual devices, and no hugepages.
//
// The refreshes with a password have one of MD5 or SHA-256 under a nonce that is new each time, so that each takes a
// window, and often another's place; the floor has no password.
//
// 10 k and 1 M contacts; PINHOLE_BENCH_CONTACTS=4000000 adds a size. `ns` is the cost of a packet; `floors` how many
// times the floor that is, measured in turns with it. Medians; `best_ns` and `best_floors` are of the tenth of the turns
// that was disturbed least, for machines that have other work. PINHOLE_BENCH_TURNS sets their number. `scripts/bench
// --check` counts the instructions of measured_round() under callgrind.
#include "control/daemon/table_memory.h"
#include "dataplane/auth/digest.h"
#include "dataplane/auth/hex.h"
#include "dataplane/route/ping.h"
#include "tests/eal/io/edge.h"
#include "tests/eal/io/far_ends.h"
#include "tests/eal/io/scene.h"

#include <benchmark/benchmark.h>
#include <sodium.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <random>
#include <span>
#include <string>
#include <vector>

namespace pinhole::io {
namespace {

constexpr unsigned kBurst = Worker::kBurst;
constexpr unsigned kBursts =
    16;  // prepared together: the packets come from L2 or L3, as a NIC leaves them
constexpr unsigned kPackets = kBurst * kBursts;
constexpr std::uint32_t kSpare = 200'000;  // for first registrations

// Eight digits, so that a packet's fields can be patched where they stand.
void put_digits(char* at, std::uint32_t n) {
    for (int i = 7; i >= 0; --i, n /= 10) {
        at[i] = static_cast<char>('0' + n % 10);
    }
}

// A message with places for numbers, as "########" of a letter each.
struct Template {
    std::string text;

    void patch(char* to, char letter, std::uint32_t n) const {
        const std::string mark(8, letter);
        for (std::size_t at = text.find(mark); at != std::string::npos;
             at = text.find(mark, at + 8)) {
            put_digits(to + at, n);
        }
    }
};

// A: the phone's number; C: CSeq and branch.
const Template kRegister{
    "REGISTER sip:example.com:5060 SIP/2.0\r\n"
    "Via: SIP/2.0/UDP 192.168.1.10:5060;branch=z9hG4bKCCCCCCCC;rport\r\n"
    "From: \"AAAAAAAA\" <sip:AAAAAAAA@example.com:5060>;tag=3187662412\r\n"
    "To: \"AAAAAAAA\" <sip:AAAAAAAA@example.com:5060>\r\n"
    "Call-ID: 0_1714AAAAAAAA@192.168.1.10\r\n"
    "CSeq: CCCCCCCC REGISTER\r\n"
    "Contact: "
    "<sip:AAAAAAAA@192.168.1.10:5060>;+sip.instance=\"<urn:uuid:00000000-0000-1000-8000-"
    "AAAAAAAA1714>\"\r\n"
    "Allow: INVITE, INFO, PRACK, ACK, BYE, CANCEL, OPTIONS, NOTIFY, REGISTER, SUBSCRIBE, REFER, "
    "PUBLISH, UPDATE, MESSAGE\r\n"
    "Max-Forwards: 70\r\n"
    "User-Agent: Yealink SIP-T46U 108.86.0.90\r\n"
    "Expires: 3600\r\n"
    "Allow-Events: talk,hold,conference,refer,check-sync,uaCSTA\r\n"
    "Mac: 80:5e:c0:11:22:33\r\n"
    "Line: 1\r\nX-Model: T46U\r\n"
    "Supported: replaces, 100rel, timer, path, privacy\r\n"
    "Content-Length: 0\r\n\r\n"};
// The same of a phone that wants to be told its GRUUs.
const Template kRegisterGruu = [] {
    Template out = kRegister;
    const std::string plain = "replaces, 100rel, timer, path, privacy";
    out.text.replace(out.text.find(plain), plain.size(), "path, gruu, outbound, replaces, 100rel");
    return out;
}();
// The same with a password: N is for the nonce, R for the digest.
Template with_digest(auth::Algorithm algorithm) {
    Template out = kRegister;
    const std::string line =
        "Authorization: Digest username=\"AAAAAAAA\",realm=\"example.com\",nonce=\"" +
        std::string(auth::NonceText::kChars, 'N') + "\",uri=\"sip:example.com:5060\",response=\"" +
        std::string(2 * auth::hash_bytes(algorithm), 'R') +
        "\",algorithm=" + std::string(auth::name_of(algorithm)) +
        ",cnonce=\"0a4f113b\",nc=00000001,qop=auth\r\n";
    out.text.insert(out.text.find("Content-Length"), line);
    return out;
}
const std::array kWithDigest{with_digest(auth::Algorithm::kMd5),
                             with_digest(auth::Algorithm::kSha256)};

const Template kInvite{
    "INVITE sip:AAAAAAAA@example.com SIP/2.0\r\n"
    "Via: SIP/2.0/UDP 203.0.113.10:5060;branch=z9hG4bKCCCCCCCC;rport\r\n"
    "Max-Forwards: 70\r\n"
    "From: <sip:+4930123456@core.example.net>;tag=CCCCCCCC\r\n"
    "To: <sip:AAAAAAAA@example.com>\r\n"
    "Call-ID: CCCCCCCC@203.0.113.10\r\n"
    "CSeq: 1 INVITE\r\n"
    "Contact: <sip:203.0.113.10:5060>\r\n"
    "Content-Type: application/sdp\r\n"
    "Content-Length: 140\r\n\r\n" +
    std::string(
        "v=0\r\no=- 1 1 IN IP4 203.0.113.10\r\ns=-\r\nc=IN IP4 203.0.113.10\r\nt=0 0\r\n"
        "m=audio 20000 RTP/AVP 8 0 101\r\na=rtpmap:101 telephone-event/8000\r\na=ptime:20\r\n")
        .append(140, ' ')
        .substr(0, 140)};

const Template kOptions{
    "OPTIONS sip:AAAAAAAA@example.com SIP/2.0\r\n"
    "Via: SIP/2.0/UDP 192.168.1.10:5060;branch=z9hG4bKCCCCCCCC;rport\r\n"
    "Max-Forwards: 70\r\n"
    "From: <sip:AAAAAAAA@example.com>;tag=CCCCCCCC\r\n"
    "To: <sip:AAAAAAAA@example.com>\r\n"
    "Call-ID: CCCCCCCC@192.168.1.10\r\n"
    "CSeq: 1 OPTIONS\r\n"
    "User-Agent: as long as those of most phones are, so that an answer may go\r\n"
    "Content-Length: 0\r\n\r\n"};

// By its name callgrind knows what to count.
[[gnu::noinline]] void measured_round(Worker& worker) {
    worker.round();
}

// A phone's address as its gateway shows it.
net::Address far_address(std::uint32_t phone) {
    return net::Address::v4(0x43000000U + phone / 1000);
}
std::uint16_t far_port(std::uint32_t phone) {
    return static_cast<std::uint16_t>(10'000 + phone % 1000);
}

class Pipeline {
  public:
    Pipeline(std::uint32_t wanted, bool with_passwords)
        : contacts(wanted), passwords(with_passwords) {
        EdgeSettings settings;
        settings.io = settings_for(
            1, {{DeviceKind::kVdev, "net_ring0"}, {DeviceKind::kVdev, "net_null0,no-rx=1"}});
        settings.max_contacts = contacts + kSpare;
        settings.out = 1;
        settings.refuse_when_overloaded = true;
        if (passwords) {
            settings.auth = policy_;
        }
        edge = std::make_unique<Edge>(settings, [&](Qsbr& qsbr) {
            auto memory = daemon::TableMemory::make(settings.max_contacts, 1,
                                                    table::KeyedHash(std::array<std::byte, 32>{}),
                                                    0, settings.io, *eal(), qsbr);
            if (!memory) {
                std::fprintf(stderr, "%s\n", memory.error().message.c_str());
                std::exit(1);
            }
            const std::shared_ptr<daemon::TableMemory> kept = memory.take();
            return std::shared_ptr<table::BindingTable>(kept, &kept->table());
        });
        if (passwords) {
            subscribe();
        }
        for (std::uint32_t phone = 0; phone < contacts;) {
            phone += prepare_registers([&](unsigned i) { return phone + i; });
            run([](Worker& worker) { worker.round(); });
        }
    }
    static std::unique_ptr<Eal>& eal() {
        static std::unique_ptr<Eal> made;
        return made;
    }

    // A packet of each phone that `phone_of(i)` names.
    template <class PhoneOf>
    unsigned prepare_registers(PhoneOf&& phone_of,
                               auth::Algorithm algorithm = auth::Algorithm::kMd5,
                               const Template& message = kRegister) {
        ++cseq;
        for (unsigned i = 0; i < kPackets; ++i) {
            const std::uint32_t phone = phone_of(i);
            const net::Flow from = to_edge(far_address(phone), far_port(phone));
            if (passwords) {
                put(kWithDigest[static_cast<std::size_t>(algorithm)], from, phone);
                sign(packets[(at_ - 1) % kPackets], phone, algorithm);
            } else {
                put(message, from, phone);
            }
        }
        return kPackets;
    }
    void put(const Template& message, const net::Flow& from, std::uint32_t phone) {
        rte_mbuf* mbuf = edge->frame(from, message.text);
        char* text = rte_pktmbuf_mtod_offset(mbuf, char*, net::headers_len(true));
        message.patch(text, 'A', phone);
        message.patch(text, 'C', cseq * 1000 + at_ % kPackets);
        put(mbuf);
    }
    void put(rte_mbuf* mbuf) {
        // Patched text, so no checksum: IPv4 allows that.
        auto* udp =
            rte_pktmbuf_mtod_offset(mbuf, std::uint8_t*, net::headers_len(true)) - net::kUdpLen;
        udp[6] = udp[7] = 0;
        packets[at_++ % kPackets] = mbuf;
    }
    // All that was prepared, as the device gives it; cycles of the rounds alone. Then the queue is found empty, so that
    // what comes a few bursts at a time is no overload.
    template <class Round>
    std::uint64_t run(Round&& round) {
        std::uint64_t cycles = 0;
        for (unsigned b = 0; b < kBursts; ++b) {
            for (unsigned i = 0; i < kBurst; ++i) {
                edge->put(0, packets[b * kBurst + i]);
            }
            const std::uint64_t before = rte_rdtsc();
            round(edge->worker(0));
            cycles += rte_rdtsc() - before;
        }
        edge->worker(0).round();
        return cycles;
    }
    // As after a long time of more than it can do; or of less, the same work but with pauses.
    void press(bool hard) {
        for (unsigned i = 0; i < 200; ++i) {
            for (unsigned n = 0; n < kBurst; ++n) {
                edge->put(0, edge->frame(to_edge(kCore, kSip), ""));
            }
            edge->pass_ms(1);
            edge->worker(0).round();
            if (!hard) {
                edge->pass_ms(10);
                edge->worker(0).round();
            }
        }
    }
    std::uint32_t cseq = 0;  // thousands; up with every batch
    const std::uint32_t contacts;
    const bool passwords;
    std::unique_ptr<Edge> edge;
    std::array<rte_mbuf*, kPackets> packets{};
    std::mt19937 random{1};

  private:
    // Nobody's password's: what a digest costs is the same for any.
    static std::array<std::uint8_t, auth::kMaxHashBytes> ha1_of(std::uint32_t phone) {
        std::array<std::uint8_t, auth::kMaxHashBytes> out{};
        std::memcpy(out.data(), &phone, sizeof phone);
        return out;
    }
    static std::string user_of(std::uint32_t phone) {
        return std::to_string(100'000'000 + phone).substr(1);
    }
    void subscribe() {
        const std::size_t all = contacts + kSpare;
        subscribers_ = std::make_unique<auth::Subscribers>(auth::Subscribers::Counts{all, all, 0},
                                                           auth::SubscriberMemory::heap());
        for (std::uint32_t phone = 0; phone < all; ++phone) {
            const auth::UserName name = policy_.user_hash(user_of(phone));
            for (const auth::Algorithm algorithm : policy_.algorithms) {
                (void)subscribers_->add(algorithm, name, ha1_of(phone).data());
            }
        }
        subscribers_->finish();
        edge->subscribe(subscribers_.get());
    }
    void sign(rte_mbuf* mbuf, std::uint32_t phone, auth::Algorithm algorithm) {
        char* text = rte_pktmbuf_mtod_offset(mbuf, char*, net::headers_len(true));
        const std::string& marks = kWithDigest[static_cast<std::size_t>(algorithm)].text;
        // Nonces of one moment that meet in a slot push out one another for good.
        edge->pass_ms(1);
        const Moment now = edge->now();
        const auth::NonceText nonce = policy_.nonces.make(
            edge->keys(), user_of(phone) + "@example.com",
            auth::Stamp::of(now.s, static_cast<std::uint32_t>(now.ms % 1000), at_));
        const auto ha1 = ha1_of(phone);
        digester_.clear();
        (void)digester_.add({.algorithm = algorithm,
                             .ha1 = ha1.data(),
                             .method = "REGISTER",
                             .uri = "sip:example.com:5060",
                             .nonce = nonce.view(),
                             .nc = "00000001",
                             .cnonce = "0a4f113b",
                             .qop = "auth"});
        digester_.run();
        std::memcpy(text + marks.find("NNNN"), nonce.text.data(), nonce.text.size());
        auth::write_hex(digester_.result(0)->data(), auth::hash_bytes(algorithm),
                        text + marks.find("RRRR"));
    }

    unsigned at_ = 0;
    auth::Policy policy_{auth::Nonces("example.com", 1),
                         auth::UserHash(std::array<std::byte, auth::UserHash::kSeedBytes>{}),
                         {auth::Algorithm::kMd5, auth::Algorithm::kSha256},
                         3600,
                         false,
                         {}};
    std::unique_ptr<auth::Subscribers> subscribers_;
    auth::Digester digester_;
};

// The least that answering a REGISTER takes: see the top.
class Floor {
  public:
    explicit Floor(std::uint32_t contacts)
        : lines_(contacts / 4 + 1), contacts_(contacts), memory_(bytes(lines_, contacts)) {
        index_ = reinterpret_cast<std::uint64_t*>(memory_.bytes().data());
        records_ = index_ + lines_ * 8;
        for (std::size_t i = 0; i < lines_; ++i) {
            index_[i * 8] = random_() % contacts_;
        }
        std::memset(static_cast<void*>(records_), 1, std::size_t{contacts_} * 256);
    }

    std::uint64_t run(const std::array<rte_mbuf*, kPackets>& packets) {
        std::array<std::size_t, kPackets> at;
        std::generate(at.begin(), at.end(), [&] { return random_() % lines_ * 8; });
        const std::uint64_t before = rte_rdtsc();
        for (unsigned b = 0; b < kBursts; ++b) {
            burst(&packets[b * kBurst], &at[b * kBurst]);
        }
        return rte_rdtsc() - before;
    }

  private:
    static Region bytes(std::size_t lines, std::size_t contacts) {
        return Region::reserve(lines * 64 + contacts * 256, HugepageMode::kOff, -1, "the floor")
            .take();
    }

    void burst(rte_mbuf* const* packets, const std::size_t* at) {
        for (unsigned i = 0; i < kBurst; ++i) {
            rte_prefetch0(rte_pktmbuf_mtod(packets[i], void*));
            rte_prefetch0(&index_[at[i]]);
        }
        for (unsigned i = 0; i < kBurst; ++i) {
            for (unsigned line = 0; line < 4; ++line) {
                rte_prefetch0(&records_[index_[at[i]] * 32 + line * 8]);
            }
            const std::string_view text{
                rte_pktmbuf_mtod_offset(packets[i], char*, net::headers_len(true)),
                packets[i]->data_len - net::headers_len(true)};
            sip::scan_lines(text, lines_found_);
            for (unsigned h = 1; h < lines_found_.count; ++h) {
                const std::size_t start = lines_found_.start[h];
                ids_ += static_cast<unsigned>(sip::header_id(
                    text.substr(start, lines_found_.colon[h] - start), text.size() - start));
            }
        }
        for (unsigned i = 0; i < kBurst; ++i) {
            const std::uint64_t* record = &records_[index_[at[i]] * 32];
            ids_ += record[0] + record[8] + record[16] + record[24];
            std::memcpy(rte_pktmbuf_mtod(packets[i], char*), answer_.data(), answer_.size());
        }
        benchmark::DoNotOptimize(ids_);
    }

    std::size_t lines_;
    std::size_t contacts_;
    Region memory_;
    std::uint64_t* index_;
    std::uint64_t* records_;
    std::mt19937_64 random_{1};
    sip::Lines lines_found_;
    std::uint64_t ids_ = 0;
    std::array<char, 450> answer_{};
};

struct Scene {
    Scene(std::uint32_t contacts, bool passwords)
        : pipeline(contacts, passwords), floor(contacts) {}
    Pipeline pipeline;
    Floor floor;
};

// One at a time: their memory is wanted by the next.
std::unique_ptr<Scene> the_scene;

Scene& scene(std::int64_t contacts, bool passwords = false) {
    if (the_scene == nullptr || the_scene->pipeline.contacts != contacts ||
        the_scene->pipeline.passwords != passwords) {
        the_scene.reset();
        the_scene = std::make_unique<Scene>(static_cast<std::uint32_t>(contacts), passwords);
    }
    return *the_scene;
}

double ns_a_packet(std::uint64_t cycles) {
    return static_cast<double>(cycles) * 1e9 / static_cast<double>(rte_get_tsc_hz()) / kPackets;
}

// The value that one in `part` lies below.
double quantile(std::vector<double> values, std::size_t part) {
    const auto at = values.begin() + static_cast<std::ptrdiff_t>(values.size() / part);
    std::nth_element(values.begin(), at, values.end());
    return *at;
}

void report(benchmark::State& state, const std::vector<double>& ours,
            const std::vector<double>& floors) {
    if (ours.empty()) {
        return;  // skipped, with its reason
    }
    state.counters["bytes"] = static_cast<double>(kRegister.text.size());
    state.counters["ns"] = quantile(ours, 2);
    state.counters["floor_ns"] = quantile(floors, 2);
    state.counters["floors"] = quantile(ours, 2) / quantile(floors, 2);
    state.counters["best_ns"] = quantile(ours, 10);
    state.counters["best_floors"] = quantile(ours, 10) / quantile(floors, 10);
}

double floor_ns(Scene& s) {
    s.pipeline.prepare_registers(
        [&](unsigned) { return s.pipeline.random() % s.pipeline.contacts; });
    const double ns = ns_a_packet(s.floor.run(s.pipeline.packets));
    rte_pktmbuf_free_bulk(s.pipeline.packets.data(), kPackets);
    return ns;
}

// `prepare` makes kPackets of the kind measured. Each of them must come to `code`, or, where that is 0, be sent on.
template <class Prepare>
void measure(benchmark::State& state, unsigned code, Prepare&& prepare, bool passwords = false) {
    Scene& s = scene(state.range(0), passwords);
    Pipeline& p = s.pipeline;
    CoreCounters& counters = p.edge->counters(0);
    std::vector<double> ours;
    std::vector<double> floors;
    const auto good = [&] {
        return code == 0 ? counters.tx_packets.get() : counters.responses[code].get();
    };
    for (auto _ : state) {
        floors.push_back(floor_ns(s));
        prepare(p);
        const std::uint64_t before = good();
        const std::uint64_t cycles = p.run(measured_round);
        if (good() - before != kPackets) {
            state.SkipWithError("not all were answered");
            break;
        }
        ours.push_back(ns_a_packet(cycles));
        state.SetIterationTime(static_cast<double>(cycles) / static_cast<double>(rte_get_tsc_hz()));
    }
    report(state, ours, floors);
}

void refresh(benchmark::State& state) {
    measure(state, 200, [](Pipeline& p) {
        p.prepare_registers([&](unsigned) { return p.random() % p.contacts; });
    });
}

void refresh_gruu(benchmark::State& state) {
    measure(state, 200, [](Pipeline& p) {
        p.prepare_registers([&](unsigned) { return p.random() % p.contacts; },
                            auth::Algorithm::kMd5, kRegisterGruu);
    });
}

// With a journal: what it changes stands in the worker's log before it is answered.
void refresh_journal(benchmark::State& state) {
    constexpr std::size_t kBytes = std::size_t{1} << 20;
    table::ChangeLogHead head{};
    std::vector<std::uint64_t> data(kBytes / 8);
    table::ChangeLog log(head, {reinterpret_cast<std::byte*>(data.data()), kBytes});
    table::BindingTable& table = scene(state.range(0)).pipeline.edge->table();
    table.log_to(0, &log);
    measure(state, 200, [&](Pipeline& p) {
        log.took(log.written());
        p.prepare_registers([&](unsigned) { return p.random() % p.contacts; });
    });
    table.log_to(0, nullptr);
    if (log.lost() != 0 || log.written() == 0) {
        state.SkipWithError("the log was not written");
    }
}

template <auth::Algorithm kAlgorithm>
void refresh_with_password(benchmark::State& state) {
    measure(
        state, 200,
        [](Pipeline& p) {
            p.prepare_registers([&](unsigned) { return p.random() % p.contacts; }, kAlgorithm);
        },
        true);
}

// Spare numbers; all gone again by Expires once they are used up.
void first_registration(benchmark::State& state) {
    std::uint32_t next = 0;
    measure(state, 200, [&](Pipeline& p) {
        if (next + kPackets > kSpare / 2) {
            next = 0;
        }
        p.prepare_registers([&](unsigned i) { return p.contacts + next + i; });
        for (unsigned i = 0; i < kPackets; ++i) {
            const std::string aor =
                std::to_string(100'000'000 + p.contacts + next + i).substr(1) + "@example.com";
            (void)p.edge->table().change_owner(
                p.edge->table().hash()(aor), aor,
                [](const table::Current& current, table::Edit& edit) {
                    if (!current.contacts.empty()) {
                        edit.drop(0);
                    }
                    return !current.contacts.empty();
                });
        }
        for (unsigned i = 0; i < 64; ++i) {
            p.edge->worker(0).round();
            p.edge->table().reclaim_owner(0);
        }
        next += kPackets;
    });
}

void fetch(benchmark::State& state) {
    static const Template kFetch{[] {
        std::string text = kRegister.text;
        const std::size_t at = text.find("Contact:");
        return text.replace(at, 8, "X-Conta:");
    }()};
    measure(state, 200, [](Pipeline& p) {
        ++p.cseq;
        for (unsigned i = 0; i < kPackets; ++i) {
            const std::uint32_t phone = p.random() % p.contacts;
            p.put(kFetch, to_edge(far_address(phone), far_port(phone)), phone);
        }
    });
}

void invite_in(benchmark::State& state) {
    measure(state, 0, [](Pipeline& p) {
        ++p.cseq;
        for (unsigned i = 0; i < kPackets; ++i) {
            p.put(kInvite, to_edge(kCore, kSip), p.random() % p.contacts);
        }
    });
}

// kPackets calls of the core's to phones, of each these packets, one kind after the other.
void calls(benchmark::State& state, std::span<const Step> steps) {
    Scene& s = scene(state.range(0));
    Pipeline& p = s.pipeline;
    FarEnds ends(*p.edge);
    const Counter& sent = p.edge->counters(0).tx_packets;
    std::vector<FarEnds::Call> made(kPackets);
    std::vector<net::Flow> phones(kPackets);
    std::vector<double> ours;
    std::vector<double> floors;
    for (auto _ : state) {
        floors.push_back(floor_ns(s));
        ++p.cseq;
        for (unsigned i = 0; i < kPackets; ++i) {
            const std::uint32_t phone = p.random() % p.contacts;
            std::string invite = kInvite.text;
            kInvite.patch(invite.data(), 'A', phone);
            kInvite.patch(invite.data(), 'C', p.cseq * 1000 + i);
            phones[i] = to_edge(far_address(phone), far_port(phone));
            made[i] = ends.call(invite, at_edge(far_address(phone), far_port(phone)));
        }
        const std::uint64_t before = sent.get();
        std::uint64_t cycles = 0;
        for (const Step step : steps) {
            for (unsigned i = 0; i < kPackets; ++i) {
                p.put(p.edge->frame(is_from_core(step) ? to_edge(kCore, kSip) : phones[i],
                                    made[i][static_cast<std::size_t>(step)]));
            }
            cycles += p.run(measured_round);
        }
        if (sent.get() - before != kPackets * steps.size()) {
            state.SkipWithError("not all were sent on");
            break;
        }
        ours.push_back(ns_a_packet(cycles) / static_cast<double>(steps.size()));
        state.SetIterationTime(static_cast<double>(cycles) / static_cast<double>(rte_get_tsc_hz()));
    }
    report(state, ours, floors);
    state.counters["call_ns"] = quantile(ours, 2) * static_cast<double>(steps.size());
}

void response_back(benchmark::State& state) {
    static constexpr std::array kThese{Step::kOk};
    calls(state, kThese);
}

void invite_in_response_back(benchmark::State& state) {
    static constexpr std::array kThese{Step::kInvite, Step::kOk};
    calls(state, kThese);
}

void whole_call(benchmark::State& state) {
    static constexpr std::array kThese{Step::kInvite, Step::kTrying, Step::kRinging, Step::kOk,
                                       Step::kAck,    Step::kBye,    Step::kByeOk};
    calls(state, kThese);
}

// What comes in an avalanche. Of a hundred packets `known` are refreshes of phones by the flows that they are
// registered by; the others are phones whose gateways have come back with other mappings, or strangers' OPTIONS.
struct Mix {
    std::uint32_t known;
    bool moved;
};

// The worker's queue is never empty, as with ten times what it can do, or with any more than it can do: what it doesn't
// come to is lost in the queue. `goodput`: how much of what it does unpressed with nothing but what it is to serve, in
// requests answered with 200 a second, it does under that. Medians over pairs of rounds.
void avalanche(benchmark::State& state) {
    Pipeline& p = scene(state.range(0)).pipeline;
    const Mix mix{static_cast<std::uint32_t>(state.range(1)), state.range(2) != 0};
    CoreCounters& counters = p.edge->counters(0);
    const std::uint32_t half = p.contacts / 2;  // move; the others stay where they are
    std::uint32_t elsewhere = 0;
    const auto prepare = [&](bool strangers) {
        ++p.cseq;
        for (unsigned i = 0; i < kPackets; ++i) {
            const std::uint32_t phone = p.random() % half;
            const net::Flow other = to_edge(net::Address::v4(0x50000000U + ++elsewhere), 5060);
            if (p.random() % 100 < mix.known || (!mix.moved && !strangers)) {
                p.put(kRegister, to_edge(far_address(phone), far_port(phone)), phone);
            } else if (mix.moved) {
                p.put(kRegister, other, half + phone);
            } else {
                p.put(kOptions, other, phone);
            }
        }
    };
    const auto good = [&] { return static_cast<double>(counters.responses[200].get()); };
    const auto ns_a_good_one = [&] {
        const double before = good();
        const double ns = ns_a_packet(p.run(measured_round)) * kPackets;
        return ns / (good() - before);
    };
    std::vector<double> alone;
    std::vector<double> pressed;
    std::vector<double> ratios;
    double served = 0;
    double refused = 0;
    double told = 0;
    for (auto _ : state) {
        p.press(false);
        prepare(false);
        alone.push_back(ns_a_good_one());
        p.press(true);
        prepare(true);
        const double before = good();
        const auto told_before = static_cast<double>(counters.responses[503].get());
        pressed.push_back(ns_a_good_one());
        ratios.push_back(alone.back() / pressed.back());
        served += good() - before;
        told += static_cast<double>(counters.responses[503].get()) - told_before;
        refused += kPackets - (good() - before);
        state.SetIterationTime(pressed.back() * 1e-9);
    }
    state.counters["alone_ns"] = quantile(alone, 2);
    state.counters["pressed_ns"] = quantile(pressed, 2);
    state.counters["goodput"] = quantile(ratios, 2);
    state.counters["refused"] = refused / (served + refused);
    state.counters["told"] = told / std::max(refused, 1.0);
}

const int kRegistered = [] {
    std::vector<std::int64_t> sizes{10'000, 1'000'000};
    if (const char* more = std::getenv("PINHOLE_BENCH_CONTACTS")) {
        sizes.push_back(std::atoll(more));
    }
    const char* turns = std::getenv("PINHOLE_BENCH_TURNS");
    for (const std::int64_t n : sizes) {
        const auto add = [&](const char* name, void (*function)(benchmark::State&)) {
            benchmark::RegisterBenchmark(name, function)
                ->Arg(n)
                ->UseManualTime()
                ->Iterations(turns == nullptr ? 400 : std::max(std::atoll(turns), 1LL));
        };
        add("refresh", refresh);
        add("refresh_gruu", refresh_gruu);
        add("refresh_journal", refresh_journal);
        add("first_registration", first_registration);
        add("fetch", fetch);
        add("invite_in", invite_in);
        add("response_back", response_back);
        add("invite_in_response_back", invite_in_response_back);
        add("whole_call", whole_call);
        for (const auto& [known, moved] :
             {std::pair{100, 0}, {80, 0}, {50, 0}, {10, 0}, {80, 1}, {50, 1}, {10, 1}, {0, 1}}) {
            benchmark::RegisterBenchmark("avalanche", avalanche)
                ->ArgNames({"contacts", "known", "moved"})
                ->Args({n, known, moved})
                ->UseManualTime()
                ->Iterations(60);
        }
        add("refresh_md5", refresh_with_password<auth::Algorithm::kMd5>);
        add("refresh_sha256", refresh_with_password<auth::Algorithm::kSha256>);
    }
    return 0;
}();

}  // namespace
}  // namespace pinhole::io

int main(int argc, char** argv) {
    benchmark::Initialize(&argc, argv);
    using namespace pinhole::io;
    if (sodium_init() < 0) {
        return 1;
    }
    enter_own_namespace();
    auto started = Eal::start(settings_for(
        1, {{DeviceKind::kVdev, "net_ring0"}, {DeviceKind::kVdev, "net_null0,no-rx=1"}}));
    if (!started) {
        std::fprintf(stderr, "%s\n", started.error().message.c_str());
        return 1;
    }
    Pipeline::eal() = started.take();
    benchmark::RunSpecifiedBenchmarks();
    the_scene.reset();
    Pipeline::eal().reset();
    return 0;
}
