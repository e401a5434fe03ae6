// SPDX-License-Identifier: BSD-3-Clause
// What a REGISTER costs before anything is looked up: the scan in each variant, the whole parse,
// the fields a registrar reads, the answer; and one copy of the message as the floor. `warm` works
// on one message, `cold` walks a ring of messages that the second-level cache doesn't hold, each
// with other lengths, so that no branch is learned by heart.
#include "dataplane/sip/message.h"
#include "dataplane/sip/name_addr.h"
#include "dataplane/sip/reply.h"
#include "dataplane/sip/via.h"
#include "tests/unit/sip/samples.h"

#include <benchmark/benchmark.h>

#include <cstring>
#include <random>
#include <string>
#include <vector>

namespace {

using namespace pinhole;
using namespace pinhole::sip;

// `count` REGISTERs as different phones would send them: names and numbers of random length.
std::vector<std::string> phones(std::size_t count) {
    std::mt19937 random(1);
    std::vector<std::string> out;
    for (std::size_t i = 0; i < count; ++i) {
        std::string text(samples::kYealinkRegister);
        for (const char* piece : {"1846295110", "2887415863", "0_3245693412", "66.86.0.15"}) {
            text.insert(text.find(piece), std::string(random() % 12, '7'));
        }
        out.push_back(text);
    }
    return out;
}

constexpr std::size_t kRing = 8192;  // about 6 MB

template <class Work>
void run(benchmark::State& state, Work work) {
    const auto ring = phones(state.range(0) == 0 ? 1 : kRing);
    std::size_t i = 0;
    for (auto _ : state) {
        work(std::string_view(ring[i]));
        i = i + 1 < ring.size() ? i + 1 : 0;
    }
    state.SetLabel(std::to_string(ring[0].size()) + " bytes");
}

void copy(benchmark::State& state) {
    char out[2048];
    run(state, [&out](std::string_view text) {
        std::memcpy(out, text.data(), text.size());
        benchmark::DoNotOptimize(out);
        benchmark::ClobberMemory();
    });
}

void scan(benchmark::State& state, const ScanVariant& variant) {
    Lines lines;
    run(state, [&](std::string_view text) {
        variant.scan(text, lines);
        benchmark::DoNotOptimize(lines);
    });
}

void whole_parse(benchmark::State& state) {
    Message message;
    run(state, [&message](std::string_view text) {
        benchmark::DoNotOptimize(parse(text, message));
        benchmark::DoNotOptimize(message);
    });
}

// Parse and what a REGISTER's work needs of it: To, Contact with its parameters, the top Via, the
// AOR.
void registrar_fields(benchmark::State& state) {
    Message message;
    run(state, [&message](std::string_view text) {
        NameAddr contact;
        char aor[kMaxAor];
        bool good = parse(text, message) == ParseError::kOk && message.to_address() != nullptr &&
                    parse_name_addr(message.first(HeaderId::kContact), contact, true) &&
                    message.top_via() != nullptr;
        benchmark::DoNotOptimize(good);
        benchmark::DoNotOptimize(canonical_aor(message.to_address()->uri, aor));
        benchmark::DoNotOptimize(contact_params(contact));
    });
}

void parse_and_reply(benchmark::State& state) {
    Message message;
    char out[2048];
    const Reply reply{.code = 200,
                      .via = {net::Address::v4(0x43c21737), 32947},
                      .to_tag = "a1b2c3d4",
                      .extra_headers = "Contact: <sip:1001@192.168.1.10:5060>;expires=60\r\n"};
    run(state, [&](std::string_view text) {
        Writer writer(out, sizeof out);
        bool good = parse(text, message) == ParseError::kOk && write_reply(message, reply, writer);
        benchmark::DoNotOptimize(good);
        benchmark::ClobberMemory();
    });
}

void add(const char* name, void (*function)(benchmark::State&)) {
    benchmark::RegisterBenchmark(name, function)->ArgName("cold")->Arg(0)->Arg(1);
}

}  // namespace

int main(int argc, char** argv) {
    add("floor_copy", copy);
    for (const ScanVariant& variant : scan_variants()) {
        benchmark::RegisterBenchmark((std::string("scan_") + variant.name).c_str(), scan, variant)
            ->ArgName("cold")
            ->Arg(0)
            ->Arg(1);
    }
    add("parse", whole_parse);
    add("parse_registrar_fields", registrar_fields);
    add("parse_and_reply", parse_and_reply);
    benchmark::Initialize(&argc, argv);
    benchmark::RunSpecifiedBenchmarks();
    benchmark::Shutdown();
    return 0;
}
