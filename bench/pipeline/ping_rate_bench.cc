// SPDX-License-Identifier: BSD-3-Clause
// How many pings a second the control thread and one worker carry together, in real time. Every
// contact is pinged at the interval that makes so many pings a second (10 M at 25 s are 400,000),
// every phone answers at once, and nothing else comes. A turn is a second; each row lasts three
// intervals and then its turns. The rows show whether pings leave evenly and in time and are
// answered, not what they cost.
//
//   pings_a_second, answered   carried, and the part of them that the keeper has got an answer to
//   busiest_10_ms, promised    the most that left in any 10 ms; 1.2 times the mean and a burst
//   stall_ms                   the longest stall of this thread: what came meanwhile leaves at once
//   late, overdue              the part sent more than 100 ms late; those that wait at the end
//   lag_ms                     of 99 in 100, due until handed over; the bucket's upper end
//   control_busy               the part of its core that the control thread took
#include "bench/pipeline/control_beside.h"
#include "bench/pipeline/measure.h"
#include "control/qualify/ping_pace.h"

#include <algorithm>
#include <array>
#include <ctime>
#include <string>

namespace pinhole::io {
namespace {

constexpr std::int64_t kSeconds = 20;
constexpr std::uint32_t kLeastInterval_ms = 2'500;
constexpr unsigned kIntervalsBefore = 3;  // all have been pinged more than once by then
constexpr double kBar = 1.2;
constexpr std::size_t kSpan_ms = 10;

// The worker, and phones that answer what it sends.
class Phones {
  public:
    explicit Phones(Edge& edge) : edge_(edge), tsc_a_ms_(rte_get_tsc_hz() / 1000) {}

    void run_ms(std::uint64_t ms) {
        const std::uint64_t end = rte_rdtsc() + ms * tsc_a_ms_;
        std::uint64_t looked = rte_rdtsc();
        for (std::uint64_t now = looked; now < end; now = rte_rdtsc()) {
            stall_ = std::max(stall_, now - looked);
            looked = now;
            edge_.worker(0).round();
            count(now / tsc_a_ms_);
            for (rte_mbuf* sent : edge_.frames_sent(0)) {
                if (rte_mbuf* answer = answer_to_ping(edge_, sent); answer != nullptr) {
                    edge_.put(0, answer);
                }
            }
        }
    }
    void count_anew() { busiest_ = stall_ = 0; }
    [[nodiscard]] double stall_ms() const {
        return static_cast<double>(stall_) / static_cast<double>(tsc_a_ms_);
    }
    [[nodiscard]] std::uint64_t busiest() const { return busiest_; }
    [[nodiscard]] std::uint64_t sent() const { return edge_.counters(0).pings_sent.get(); }

  private:
    // What has left since it was last asked, as of this millisecond.
    void count(std::uint64_t now_ms) {
        for (; counted_ms_ < now_ms; ++counted_ms_) {
            std::uint64_t& oldest = left_[(counted_ms_ + 1) % left_.size()];
            in_span_ -= oldest;
            oldest = 0;
            if (now_ms - counted_ms_ > left_.size()) {
                counted_ms_ = now_ms - left_.size();
            }
        }
        const std::uint64_t left = sent() - sent_before_;
        sent_before_ += left;
        left_[now_ms % left_.size()] += left;
        in_span_ += left;
        busiest_ = std::max(busiest_, in_span_);
    }

    Edge& edge_;
    const std::uint64_t tsc_a_ms_;
    std::array<std::uint64_t, kSpan_ms> left_{};  // by millisecond
    std::uint64_t in_span_ = 0;
    std::uint64_t busiest_ = 0;
    std::uint64_t stall_ = 0;  // in cycles
    std::uint64_t counted_ms_ = 0;
    std::uint64_t sent_before_ = sent();
};

// Of what the keeper counts, all that is compared.
struct Count {
    double sent = 0;
    double answered = 0;
    double late = 0;
    std::array<double, qualify::Histogram::kBuckets> lag{};

    explicit Count(const qualify::Figures& figures)
        : sent(static_cast<double>(figures.sent.get())),
          answered(static_cast<double>(figures.answered.get())),
          late(static_cast<double>(figures.late.get())) {
        for (std::size_t i = 0; i < lag.size(); ++i) {
            lag[i] = static_cast<double>(figures.lag.bucket(i));
        }
    }
};

// Milliseconds that 99 in 100 have not exceeded, as far as buckets tell.
double lag_ms(const Count& before, const Count& after) {
    double above = (after.sent - before.sent) / 100;
    for (std::size_t i = after.lag.size(); i-- > 0;) {
        above -= after.lag[i] - before.lag[i];
        if (above < 0) {
            const std::size_t bound = std::min(i, qualify::Histogram::kBoundsUs.size() - 1);
            return static_cast<double>(qualify::Histogram::kBoundsUs[bound]) / 1'000;
        }
    }
    return 0;
}

void ping_rate(benchmark::State& state, std::uint32_t wanted) {
    Pipeline& p = the_pipeline({.contacts = static_cast<std::uint32_t>(state.range(0)),
                                .keeps_sent = true,
                                .deep_queue = true});
    const auto interval_ms =
        std::max(static_cast<std::uint32_t>(std::uint64_t{p.contacts()} * 1'000 / wanted),
                 kLeastInterval_ms);
    Phones phones(p.edge());
    ControlBeside control(p, interval_ms);
    phones.run_ms(std::uint64_t{kIntervalsBefore} * interval_ms);
    phones.count_anew();
    const Count before(control.figures());
    double seconds = 0;
    const double busy_before = control.busy_s();
    for (auto _ : state) {
        phones.run_ms(1'000);
        seconds += 1;
        state.SetIterationTime(1);
    }
    const double busy = control.busy_s() - busy_before;
    const Count after(control.figures());
    const double sent = after.sent - before.sent;
    if (sent == 0) {
        state.SkipWithError("no pings came");
        return;
    }
    state.counters["pings_a_second"] = sent / seconds;
    state.counters["answered"] = (after.answered - before.answered) / sent;
    state.counters["busiest_10_ms"] = static_cast<double>(phones.busiest());
    state.counters["promised"] =
        kBar * kSpan_ms / 1'000 * sent / seconds + qualify::PingPace::kBurst;
    state.counters["stall_ms"] = phones.stall_ms();
    state.counters["late"] = (after.late - before.late) / sent;
    state.counters["overdue"] = static_cast<double>(control.figures().overdue.get());
    state.counters["lag_ms"] = lag_ms(before, after);
    state.counters["control_busy"] = busy / seconds;
}

}  // namespace

void add_ping_rate(std::int64_t contacts) {
    for (const std::uint32_t rate : {400'000, 600'000, 800'000}) {
        const std::string name =
            rate == 400'000 ? "ping_rate" : "ping_rate_" + std::to_string(rate / 1'000) + "k";
        benchmark::RegisterBenchmark(name.c_str(), ping_rate, rate)
            ->Arg(contacts)
            ->UseManualTime()
            ->Iterations(turns(kSeconds));
    }
}

}  // namespace pinhole::io
