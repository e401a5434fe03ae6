// SPDX-License-Identifier: BSD-3-Clause
// What checking a password costs by itself: bursts of 32 digests as a REGISTER has them (two
// hashes, of 45 and 140 bytes), by each variant of MD5 and by OpenSSL one at a time; and making and
// reading nonces.
#include "dataplane/auth/digest.h"
#include "dataplane/auth/nonce.h"

#include <benchmark/benchmark.h>
#include <openssl/evp.h>

#include <array>
#include <memory>
#include <string>
#include <vector>

namespace pinhole::auth {
namespace {

constexpr std::size_t kBurst = Digester::kMost;

void set_ns(benchmark::State& state) {
    state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kBurst));
}

// Two of these are a digest's.
void md5(benchmark::State& state, const Md5Variant& variant) {
    const auto messages = std::make_unique<Md5Message[]>(kBurst);
    std::vector<Md5Message*> all;
    for (std::size_t i = 0; i < kBurst; ++i) {
        (void)messages[i].add(std::string(140, static_cast<char>('a' + i % 26)));
        all.push_back(&messages[i]);
    }
    for (auto _ : state) {
        variant.many(all);
        benchmark::DoNotOptimize(messages[0].digest);
    }
    set_ns(state);
}

void md5_openssl(benchmark::State& state) {
    EVP_MD_CTX* context = EVP_MD_CTX_new();
    const std::string text(140, 'a');
    std::array<unsigned char, 16> out;
    for (auto _ : state) {
        for (std::size_t i = 0; i < kBurst; ++i) {
            EVP_DigestInit_ex(context, EVP_md5(), nullptr);
            EVP_DigestUpdate(context, text.data(), text.size());
            EVP_DigestFinal_ex(context, out.data(), nullptr);
        }
        benchmark::DoNotOptimize(out);
    }
    EVP_MD_CTX_free(context);
    set_ns(state);
}

void digests(benchmark::State& state, Algorithm algorithm) {
    Digester digester;
    const std::array<std::uint8_t, kMaxHashBytes> ha1{1};
    for (auto _ : state) {
        digester.clear();
        for (std::size_t i = 0; i < kBurst; ++i) {
            (void)digester.add({.algorithm = algorithm,
                                .ha1 = ha1.data(),
                                .method = "REGISTER",
                                .uri = "sip:example.com:5060",
                                .nonce = "AQAAAABAAABlU_EAxxxxxxx",
                                .nc = "00000001",
                                .cnonce = "0a4f113b",
                                .qop = "auth"});
        }
        digester.run();
        benchmark::DoNotOptimize(digester.result(0));
    }
    set_ns(state);
}

void nonce_read(benchmark::State& state) {
    const Nonces nonces("example.com", 1);
    const tokens::MasterKey key{1, {1}};
    const tokens::Keys keys({&key, 1});
    constexpr std::uint64_t kAor = 0x0123456789abcdef;
    const NonceText text = nonces.make(keys, kAor, Stamp::of(1, 2, 3));
    for (auto _ : state) {
        for (std::size_t i = 0; i < kBurst; ++i) {
            benchmark::DoNotOptimize(nonces.read(keys, text.view(), kAor));
        }
    }
    set_ns(state);
}

const int kRegistered = [] {
    for (const Md5Variant& variant : md5_variants()) {
        benchmark::RegisterBenchmark((std::string("md5_140_bytes/") + variant.name).c_str(),
                                     [&variant](benchmark::State& s) { md5(s, variant); });
    }
    benchmark::RegisterBenchmark("md5_140_bytes/openssl", md5_openssl);
    for (std::size_t i = 0; i < kAlgorithms; ++i) {
        const auto algorithm = static_cast<Algorithm>(i);
        benchmark::RegisterBenchmark(("digest/" + std::string(name_of(algorithm))).c_str(),
                                     [algorithm](benchmark::State& s) { digests(s, algorithm); });
    }
    benchmark::RegisterBenchmark("nonce_read", nonce_read);
    return 0;
}();

}  // namespace
}  // namespace pinhole::auth

BENCHMARK_MAIN();
