// SPDX-License-Identifier: BSD-3-Clause
#include "bench/pipeline/pipeline.h"

#include "dataplane/auth/hex.h"
#include "tests/eal/io/scene.h"

#include <sys/mman.h>

#include <rte_mbuf.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace pinhole::io {
namespace {

constexpr std::uint16_t kFirstPort = 10'000;
constexpr std::uint32_t kPhonesBehind = 1000;

template <class T>
T must(Result<T> result) {
    if (!result) {
        std::fprintf(stderr, "%s\n", result.error().message.c_str());
        std::exit(1);
    }
    return result.take();
}

// As the daemon takes it for the subscribers: in 2 MB pages where there are any.
void* map_memory(std::size_t bytes) {
    void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) {
        return nullptr;
    }
    (void)madvise(memory, bytes, MADV_HUGEPAGE);
    return memory;
}
void unmap_memory(void* memory, std::size_t bytes) {
    munmap(memory, bytes);
}

// Nobody's password's: what a digest costs is the same for any.
std::array<std::uint8_t, auth::kMaxHashBytes> ha1_of(std::uint32_t phone) {
    std::array<std::uint8_t, auth::kMaxHashBytes> out{};
    std::memcpy(out.data(), &phone, sizeof phone);
    return out;
}

auth::DigestPolicy auth_policy() {
    return {auth::Nonces("example.com", 1),
            auth::UserHash(std::array<std::byte, auth::UserHash::kSeedBytes>{}),
            {auth::Algorithm::kMd5, auth::Algorithm::kSha256},
            3600,
            false,
            {}};
}

// Devices and TAPs of their own: several pipelines may stand side by side.
std::vector<DeviceSettings> devices() {
    static unsigned made = 0;
    const std::string number = std::to_string(made++);
    return {{.kind = DeviceKind::kVdev,
             .argument = "net_ring" + number,
             .tap_name = "ring" + number,
             .memif_server = false,
             .memif_id = 0},
            {.kind = DeviceKind::kVdev,
             .argument = "net_null" + number + ",no-rx=1",
             .tap_name = "null" + number,
             .memif_server = false,
             .memif_id = 0}};
}

}  // namespace

[[gnu::noinline]] void measured_round(Worker& worker) {
    worker.round();
}

net::Address far_address(std::uint32_t phone) {
    return net::Address::v4(0x43000000U + phone / kPhonesBehind);
}
std::uint16_t far_port(std::uint32_t phone) {
    return static_cast<std::uint16_t>(kFirstPort + phone % kPhonesBehind);
}
std::string user_of(std::uint32_t phone) {
    return std::to_string(100'000'000 + phone).substr(1);
}

Pipeline::Pipeline(const Eal& eal, Kind kind) : kind_(kind), policy_(auth_policy()) {
    EdgeSettings settings;
    settings.io = settings_for(kind.workers, devices());
    settings.max_contacts = kind.contacts + kSpare;
    settings.out = kind.keeps_sent ? 0 : 1;
    settings.refuse_when_overloaded = !kind.deep_queue;
    states_ =
        must(Region::reserve(settings.max_contacts * table::QualifyTable::bytes_per_contact() + 128,
                             HugepageMode::kOff, -1, "the states of all contacts"));
    state_carver_ = Carver(states_.bytes());
    settings.states = {Carver::take_fn, &state_carver_};
    if (kind.passwords) {
        settings.auth = policy_;
        nonces_ = must(Region::reserve(auth::NonceWindows::bytes_for(settings.max_contacts),
                                       HugepageMode::kOff, -1, "the nonces of all contacts"));
        nonce_carver_ = Carver(nonces_.bytes());
        settings.windows = {Carver::take_fn, &nonce_carver_};
    }
    edge_ = std::make_unique<Edge>(settings, [&](Qsbr& qsbr) {
        memory_ = must(daemon::TableMemory::make(settings.max_contacts, 1,
                                                 table::KeyedHash(std::array<std::byte, 32>{}), 0,
                                                 settings.io, eal, qsbr));
        return std::shared_ptr<table::BindingTable>(memory_, &memory_->table());
    });
    if (kind.passwords) {
        subscribe();
    }
    fill();
}

void Pipeline::subscribe() {
    const std::size_t all = kind_.contacts + kSpare;
    subscribers_ = std::make_unique<auth::Subscribers>(
        auth::Subscribers::Counts{all, all, 0}, auth::SubscriberMemory{map_memory, unmap_memory});
    if (!subscribers_->valid()) {
        std::fprintf(stderr, "no memory for %zu subscribers\n", all);
        std::exit(1);
    }
    for (std::uint32_t phone = 0; phone < all; ++phone) {
        const auth::UserName name = policy_.user_hash(user_of(phone));
        for (const auth::Algorithm algorithm : policy_.algorithms) {
            (void)subscribers_->add(algorithm, name, ha1_of(phone).data());
        }
    }
    subscribers_->finish();
    edge_->subscribe(subscribers_.get());
}

// Any worker may get any phone's REGISTER. A phone that finds no window for its nonce asks again.
void Pipeline::fill() {
    signed_a_ms_ = 16;  // millions at a millisecond each would outlive what they ask for
    for (std::uint32_t first = 0; first < kind_.contacts; first += kPackets) {
        const std::uint32_t n = std::min(kPackets, kind_.contacts - first);
        std::uint64_t before = 0;
        std::uint64_t answered = 0;
        do {
            before = edge_->table().counts().contacts;
            for (std::uint32_t i = 0; i < n; ++i) {
                edge_->put(any(kind_.workers), make_register(first + i));
            }
            for (unsigned round = 0; round < 2 * kBursts; ++round) {
                for (unsigned w = 0; w < kind_.workers; ++w) {
                    edge_->worker(w).round();
                }
                drop_sent();
            }
            answered = edge_->table().counts().contacts;
        } while (answered < first + n && answered != before);
    }
    signed_a_ms_ = 1;
    if (edge_->table().counts().contacts != kind_.contacts) {
        std::fprintf(stderr, "only %llu of %u phones could register\n",
                     static_cast<unsigned long long>(edge_->table().counts().contacts),
                     kind_.contacts);
        std::exit(1);
    }
}

void Pipeline::drop_sent() {
    for (unsigned w = 0; kind_.keeps_sent && w < kind_.workers; ++w) {
        std::vector<rte_mbuf*> frames = edge_->frames_sent(w);
        rte_pktmbuf_free_bulk(frames.data(), static_cast<unsigned>(frames.size()));
    }
}

rte_mbuf* Pipeline::make(const Template& message, const net::Flow& from, std::uint32_t phone) {
    rte_mbuf* mbuf = edge_->frame(from, message.text());
    message.patch(rte_pktmbuf_mtod_offset(mbuf, char*, net::headers_len(true)), phone, number_++);
    // Patched text, so no checksum: IPv4 allows that.
    auto* udp = rte_pktmbuf_mtod_offset(mbuf, std::uint8_t*, net::headers_len(true)) - net::kUdpLen;
    udp[6] = udp[7] = 0;
    return mbuf;
}

rte_mbuf* Pipeline::make_register(std::uint32_t phone) {
    return kind_.passwords
               ? make_signed(phone, auth::Algorithm::kMd5)
               : make(kYealinkRegister, to_edge(far_address(phone), far_port(phone)), phone);
}

rte_mbuf* Pipeline::make_signed(std::uint32_t phone, auth::Algorithm algorithm) {
    rte_mbuf* mbuf =
        make(register_with_digest(algorithm), to_edge(far_address(phone), far_port(phone)), phone);
    sign(mbuf, phone, algorithm);
    return mbuf;
}

void Pipeline::sign(rte_mbuf* mbuf, std::uint32_t phone, auth::Algorithm algorithm) {
    char* text = rte_pktmbuf_mtod_offset(mbuf, char*, net::headers_len(true));
    const std::string& marks = register_with_digest(algorithm).text();
    // Nonces of one moment that meet in a slot push out one another for good.
    if (number_ % signed_a_ms_ == 0) {
        edge_->pass_ms(1);
    }
    const Moment now = edge_->now();
    const auth::NonceText nonce = policy_.nonces.make(
        edge_->keys(), edge_->table().hash()(user_of(phone) + "@example.com"),
        auth::Stamp::of(now.s, static_cast<std::uint32_t>(now.ms % 1000), number_));
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

std::uint64_t Pipeline::run() {
    Worker& worker = edge_->worker(0);
    std::uint64_t cycles = 0;
    for (unsigned b = 0; b < kBursts; ++b) {
        if (b == kWarmBursts) {
            worker.round();
        }
        for (unsigned i = 0; i < kBurst; ++i) {
            edge_->put(0, packets_[b * kBurst + i]);
        }
        if (b < kWarmBursts) {
            worker.round();
            continue;
        }
        const std::uint64_t before = rte_rdtsc();
        measured_round(worker);
        cycles += rte_rdtsc() - before;
    }
    worker.round();
    return cycles;
}

void Pipeline::press(bool hard) {
    for (unsigned i = 0; i < 200; ++i) {
        for (unsigned n = 0; n < kBurst; ++n) {
            edge_->put(0, edge_->frame(to_edge(kCore, kSip), ""));
        }
        edge_->pass_ms(1);
        edge_->worker(0).round();
        if (!hard) {
            edge_->pass_ms(10);
            edge_->worker(0).round();
        }
    }
}

void Pipeline::forget(std::uint32_t first, std::uint32_t count) {
    table::BindingTable& table = edge_->table();
    for (std::uint32_t i = 0; i < count; ++i) {
        const std::string aor = user_of(first + i) + "@example.com";
        (void)table.change_owner(table.hash()(aor), aor,
                                 [](const table::Current& current, table::Edit& edit) {
                                     if (!current.contacts.empty()) {
                                         edit.drop(0);
                                     }
                                     return !current.contacts.empty();
                                 });
    }
    for (unsigned i = 0; i < 64; ++i) {
        for (unsigned w = 0; w < kind_.workers; ++w) {
            edge_->worker(w).round();
            table.reclaim_owner(w);
        }
    }
}

}  // namespace pinhole::io
