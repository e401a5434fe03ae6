// SPDX-License-Identifier: BSD-3-Clause
// What must be so of the whole edge, whatever comes: held by random stories of a town of phones, a
// core and strangers (property_town.h). Seeded: what fails, fails again. PINHOLE_MODEL_SECONDS goes
// on with further seeds for so long.
//
// The order of two datagrams may only matter if they have an AOR, a flow or a Call-ID in common: an
// AOR has one record and one window of nonces, a flow tells who calls and who is displaced, a
// Call-ID tells which requests belong together. What shares none of them may reach the workers in
// any order. In one exception the order in a burst isn't that of arrival: the digests of REGISTERs
// are checked before those of callers, so a caller may find that the nonce has been pushed out by
// a REGISTER behind it, and is challenged once more.
#include "tests/unit/edge/property_rules.h"
#include "tests/unit/edge/property_town.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace pinhole::edge::test {
namespace {

constexpr unsigned kSteps = 400;

// Each seed until `least` are through, then as long as the operator wants.
template <class Story>
void for_each_seed(unsigned least, Story&& tell) {
    using Clock = std::chrono::steady_clock;
    const char* seconds = std::getenv("PINHOLE_MODEL_SECONDS");
    const auto end =
        Clock::now() + std::chrono::seconds(seconds == nullptr ? 0 : std::atoi(seconds));
    for (unsigned seed = 0; (seed < least || Clock::now() < end) && !testing::Test::HasFailure();
         ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        tell(seed);
    }
}

// Rates and a full table are a matter of order, and each worker has its own: where runs are
// compared there are none.
Scene scene_of(unsigned seed, bool to_compare) {
    Scene scene;
    scene.digest = seed % 3 == 1;
    scene.redirect = seed % 5 == 4;
    scene.assert_identity = seed % 2 == 0;
    scene.pongs_refused = !to_compare && seed % 7 == 6;
    scene.edges.max_contacts = !to_compare && seed % 4 == 3 ? 5 : 1'000;
    scene.edges.policy.max_contacts_per_aor = static_cast<std::uint8_t>(2 + seed % 3);
    scene.edges.policy.too_brief =
        seed % 2 == 0 ? registrar::TooBrief::kReject : registrar::TooBrief::kRaise;
    scene.edges.policy.full_aor =
        seed % 4 < 2 ? registrar::FullAor::kReject : registrar::FullAor::kReplace;
    if (!to_compare && seed % 6 == 5) {
        scene.edges.limits = {.enabled = true,
                              .flow = {60, 8},
                              .address = {120, 20},
                              .phone = {30, 4},
                              .guesses = {2, 2},
                              .address_guesses = {4, 4}};
    }
    return scene;
}

// What happened in one run, to be done to others. A datagram's number is its place.
using Story = std::vector<Step>;

// A datagram at a time, each at some worker.
void live_through(Town& town, Trial& run, Dice& dice, Story& story) {
    story.push_back(town.next(run, story.size()));
    const std::size_t number = story.size() - 1;
    if (const auto* datagram = std::get_if<Datagram>(&story.back())) {
        run.put(number, *datagram, dice.below(run.edges().workers()));
        run.settle();
        town.note(run, number, *datagram);
    } else {
        run.take(story.back());
    }
}

// The same again: up to `most` datagrams at once, as far as none answers another, and, if they come
// to several workers, none has to do with another.
class Replay {
  public:
    Replay(const Scene& scene, unsigned workers, unsigned most, std::uint64_t seed)
        : run_(scene, workers), dice_(seed), most_(most) {}

    const Trial& all(const Story& story) {
        for (std::size_t number = 0; number < story.size(); ++number) {
            if (const auto* datagram = std::get_if<Datagram>(&story[number])) {
                put(number, *datagram);
            } else {
                flush();
                run_.take(story[number]);
            }
        }
        flush();
        return run_;
    }

  private:
    void put(std::size_t number, const Datagram& datagram) {
        if (must_wait(datagram) || numbers_.size() >= room_) {
            flush();
        }
        run_.put(number, datagram, dice_.below(run_.edges().workers()));
        numbers_.insert(number);
        touched_.insert(datagram.touches.begin(), datagram.touches.end());
        calls_ |= datagram.shows == Datagram::Shows::kToCall;
    }
    [[nodiscard]] bool must_wait(const Datagram& datagram) const {
        const auto is_needed = [&](std::size_t need) { return numbers_.contains(need); };
        const auto is_touched = [&](const std::string& what) { return touched_.contains(what); };
        const bool is_overtaken = calls_ && datagram.shows == Datagram::Shows::kToRegister;
        return datagram.reads_table || is_overtaken ||
               std::ranges::any_of(datagram.needs, is_needed) ||
               (run_.edges().workers() > 1 && std::ranges::any_of(datagram.touches, is_touched));
    }
    void flush() {
        run_.settle();
        numbers_.clear();
        touched_.clear();
        calls_ = false;
        room_ = 1 + dice_.below(most_);
    }

    Trial run_;
    Dice dice_;
    const unsigned most_;
    std::size_t room_ = 1;
    std::set<std::size_t> numbers_;  // of those that wait to be taken together
    std::set<std::string> touched_;
    bool calls_ = false;  // one of them with credentials
};

void expect_same(const Story& story, const Trial& first, const Trial& other) {
    EXPECT_EQ(other.totals().held, 0U);
    const auto answers = first.answers();
    const auto others = other.answers();
    for (std::size_t number = 0; number < story.size(); ++number) {
        const auto one = answers.find(number);
        const auto two = others.find(number);
        const std::string expected = one == answers.end() ? "nothing" : one->second;
        ASSERT_EQ(two == others.end() ? "nothing" : two->second, expected)
            << "step " << number << " of " << story.size() << "\n"
            << first.text(number);
    }
    EXPECT_EQ(other.table(), first.table());
    EXPECT_EQ(other.pongs(), first.pongs());
    const Totals a = first.totals(), b = other.totals();
    EXPECT_EQ(a.received, b.received);
    EXPECT_EQ(a.answered, b.answered);
    EXPECT_EQ(a.released, b.released);
    EXPECT_EQ(a.drops, b.drops);
}

// Each datagram by itself: counted once, a refusal changes nothing, nothing goes where nobody is.
TEST(Property, EachDatagramKeepsTheRules) {
    std::map<std::string, unsigned> codes;
    std::uint64_t kept = 0, pongs = 0, calls = 0, responses = 0, strangers = 0;
    for_each_seed(14, [&](unsigned seed) {
        const Scene scene = scene_of(seed, false);
        Trial run(scene, 1 + seed % 3);
        Town town(seed, scene);
        Dice dice(seed);
        Rules rules;
        for (std::size_t number = 0; number < kSteps; ++number) {
            const Step step = town.next(run, number);
            const auto* datagram = std::get_if<Datagram>(&step);
            if (datagram == nullptr) {
                run.take(step);
                continue;
            }
            rules.before(run, number, *datagram);
            run.put(number, *datagram, dice.below(run.edges().workers()));
            run.settle();
            ASSERT_EQ(rules.after(run), "") << "step " << number;
            town.note(run, number, *datagram);
            if (const Sent* sent = run.sent(number); sent != nullptr) {
                ++codes[sent->starts_with("SIP/2.0 ") ? sent->code() : "request"];
            }
        }
        const Totals totals = run.totals();
        kept += totals.kept;
        pongs += totals.pongs_taken;
        calls += totals.calls;
        responses += totals.responses_forwarded;
        strangers += totals.strangers;
    });
    // Nothing of what it is about has been missed by chance.
    for (const char* code : {"200", "302", "400", "401", "403", "404", "407", "420", "423", "430",
                             "480", "481", "500", "503", "request"}) {
        EXPECT_GT(codes[code], 0U) << code;
    }
    for (const std::uint64_t count : {kept, pongs, calls, responses, strangers}) {
        EXPECT_GT(count, 20U);
    }
}

// One worker: however its queue was cut into bursts.
TEST(Property, OtherBurstsEndTheSame) {
    for_each_seed(6, [](unsigned seed) {
        const Scene scene = scene_of(seed, true);
        Trial run(scene, 1);
        Town town(seed, scene);
        Dice dice(seed);
        Story story;
        while (story.size() < kSteps) {
            live_through(town, run, dice, story);
        }
        expect_same(story, run, Replay(scene, 1, 4, seed).all(story));
        expect_same(story, run, Replay(scene, 1, kMaxBurst, seed).all(story));
    });
}

// Two and three workers: whichever a datagram comes to, one by one and many at a time.
TEST(Property, OtherWorkersEndTheSame) {
    for_each_seed(6, [](unsigned seed) {
        const Scene scene = scene_of(seed, true);
        const unsigned workers = 2 + seed % 2;
        Trial run(scene, workers);
        Town town(seed, scene);
        Dice dice(seed);
        Story story;
        while (story.size() < kSteps) {
            live_through(town, run, dice, story);
        }
        expect_same(story, run, Replay(scene, workers, 1, seed + 1).all(story));
        expect_same(story, run, Replay(scene, workers, 2 * kMaxBurst, seed + 2).all(story));
    });
}

// As many as there are. Where a flow has contacts of several AORs, and the From names none of them,
// it depends on the shards which of them is taken for the caller: here there are none such.
TEST(Property, AnotherNumberOfWorkersEndsTheSame) {
    for_each_seed(4, [](unsigned seed) {
        Scene scene = scene_of(seed, true);
        scene.digest = true;  // lest strangers register
        scene.one_line = true;
        Trial run(scene, 1);
        Town town(seed, scene);
        Dice dice(seed);
        Story story;
        while (story.size() < kSteps) {
            live_through(town, run, dice, story);
        }
        expect_same(story, run, Replay(scene, 2, 1, seed).all(story));
        expect_same(story, run, Replay(scene, 3, kMaxBurst, seed).all(story));
    });
}

}  // namespace
}  // namespace pinhole::edge::test
