// SPDX-License-Identifier: BSD-3-Clause
// What screening costs a message, beside the floor of the same run: the parse without it. Over
// REGISTERs of 800 bytes as a Yealink phone sends them, none of which is hit: conf/screen.rules as
// it ships, its parts by field, and one rule over the whole datagram.
#include "dataplane/screen/rule_file.h"
#include "dataplane/screen/rule_set.h"
#include "tests/unit/sip/samples.h"

#include <benchmark/benchmark.h>

#include <fstream>
#include <sstream>
#include <string>

namespace {

using namespace pinhole;

const std::string kText(sip::samples::kYealinkRegister);

std::string default_rules() {
    std::ifstream file(PINHOLE_CONF_DIR "/screen.rules");
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
}

void parse_alone(benchmark::State& state) {
    sip::Message message;
    for (auto _ : state) {
        benchmark::DoNotOptimize(sip::parse(kText, message));
        benchmark::ClobberMemory();
    }
}

void parse_and_screen(benchmark::State& state, const std::string& rules_text) {
    screen::RuleFile file = screen::read_rules(rules_text);
    const auto rules = screen::RuleSet::compile(file.rules, 1, file.complaints);
    if (rules == nullptr || !file.complaints.empty()) {
        state.SkipWithError("the rules are bad");
        return;
    }
    sip::Message message;
    for (auto _ : state) {
        benchmark::DoNotOptimize(sip::parse(kText, message));
        const screen::Matches matches = rules->match(kText, &message, 0);
        const screen::Verdict verdict = rules->judge(matches, 0);
        benchmark::DoNotOptimize(verdict);
        if (!verdict.passes()) {
            state.SkipWithError("a real phone was hit");
            return;
        }
    }
    state.counters["rules"] = static_cast<double>(rules->rules().size());
}

BENCHMARK(parse_alone);
BENCHMARK_CAPTURE(parse_and_screen, no_rules, "");
BENCHMARK_CAPTURE(parse_and_screen, one_of_user_agent,
                  "user-agent /friendly-scanner|sipvicious/i drop n\n");
BENCHMARK_CAPTURE(parse_and_screen, one_of_any, "any /friendly-scanner|sipvicious/i drop n\n");
BENCHMARK_CAPTURE(parse_and_screen, conf_screen_rules, default_rules());

}  // namespace

BENCHMARK_MAIN();
