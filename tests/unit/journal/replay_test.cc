// SPDX-License-Identifier: BSD-3-Clause
// What is replayed is what was there: against a model of random changes over several runs, with
// snapshots taken in their midst, and with logs cut or damaged anywhere.
#include "control/journal/replay.h"

#include "control/journal/snapshot.h"
#include "control/journal/walk.h"
#include "tests/unit/table/support.h"

#include <gtest/gtest.h>

#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace pinhole::journal {
namespace {

using namespace table;
using table::test::find;
using table::test::make_aor;
using table::test::make_flow;
using table::test::TestTable;

constexpr std::uint32_t kContacts = 300;
constexpr std::uint32_t kAors = 120;
constexpr std::uint32_t kNow_s = 1'000'000;

struct Ring {
    Ring() : data((1 << 20) / 8), log(head, {reinterpret_cast<std::byte*>(data.data()), 1 << 20}) {}
    ChangeLogHead head{};
    std::vector<std::uint64_t> data;
    ChangeLog log;
};

// A stretch of chunks in 8-byte aligned memory, as a file is mapped.
struct Chunks {
    std::vector<std::uint64_t> words;
    std::size_t bytes = 0;

    void append(const void* from, std::size_t n) {
        words.resize((bytes + n + 7) / 8);
        std::memcpy(reinterpret_cast<std::byte*>(words.data()) + bytes, from, n);
        bytes += n;
    }
    [[nodiscard]] std::span<const std::byte> span() const {
        return {reinterpret_cast<const std::byte*>(words.data()), bytes};
    }
    // What is pending in a ring, as the journal copies it.
    void take(ChangeLog& log, std::uint32_t worker) {
        std::uint64_t position = 0;
        for (auto part = log.pending(position); !part.empty(); part = log.pending(position)) {
            const ChunkHead head = make_chunk(worker, position, part.size());
            append(&head, sizeof head);
            append(part.data(), part.size());
            log.took(position + part.size());
        }
    }
};

// A contact as a reader has it, ids and all.
struct Known {
    std::uint64_t id = 0;
    std::string uri, params, path;
    std::uint32_t reg_id = 0;
    ContactState state;
    bool operator==(const Known&) const = default;
};
using Everything = std::map<std::string, std::map<std::uint32_t, Known>>;

Everything everything(const BindingTable& table) {
    Everything all;
    ListCursor cursor;
    table.list(cursor, ~0U, [&](const Record& record) {
        for (std::size_t i = 0; i < record.contact_count(); ++i) {
            ContactView view;
            EXPECT_TRUE(record.read(i, view));
            StoredParams::Room room;
            all[std::string(view.aor)][view.id.slot] = {
                view.id.packed(),       std::string(view.uri), std::string(view.params.text(room)),
                std::string(view.path), view.reg_id,           view.state};
        }
    });
    return all;
}

RunInfo run_info(std::uint64_t run, std::uint64_t zero_ms = 1'000'000) {
    RunInfo info;
    info.run = run;
    info.clock_zero_ms = zero_ms;
    info.max_contacts = kContacts;
    std::strcpy(info.ports[0].data(), "eth0");
    std::strcpy(info.ports[1].data(), "eth1");
    return info;
}

// One run: a table, the workers' rings, and what the journal has copied.
struct Life {
    Life(std::uint64_t n, std::uint32_t shards, std::uint64_t zero_ms = 1'000'000)
        : info(run_info(n, zero_ms)), table(kContacts, shards), rings(shards), states(kContacts) {}
    void attach() {
        for (std::uint32_t i = 0; i < rings.size(); ++i) {
            table->log_to(i, &rings[i].log);
        }
    }
    void copy() {
        for (std::uint32_t i = 0; i < rings.size(); ++i) {
            log.take(rings[i].log, i);
        }
    }
    // In the midst of more changes.
    void take_snapshot(const std::function<void()>& change) {
        copy();
        log = {};
        snapshot.emplace();
        SnapshotWriter writer(*table, states);
        for (bool more = true; more;) {
            std::vector<std::byte> out;
            more = writer.step(3, out);
            snapshot->append(out.data(), out.size());
            change();
        }
    }

    RunInfo info;
    TestTable table;
    std::vector<Ring> rings;
    QualifyTable states;
    std::optional<Chunks> snapshot;
    Chunks log;
};

std::vector<Source> sources_of(const std::vector<std::unique_ptr<Life>>& runs) {
    std::vector<Source> sources;
    std::size_t first = 0;
    for (std::size_t i = 0; i < runs.size(); ++i) {
        first = runs[i]->snapshot.has_value() ? i : first;
    }
    for (std::size_t i = first; i < runs.size(); ++i) {
        if (i == first && runs[i]->snapshot.has_value()) {
            sources.push_back({runs[i]->info, runs[i]->snapshot->span(), true});
        }
        sources.push_back({runs[i]->info, runs[i]->log.span()});
    }
    return sources;
}

ReplayFigures replay(std::span<const Source> sources, Life& into, std::uint32_t now_s = kNow_s) {
    Replay replay(sources, into.info, now_s, *into.table, into.states);
    for (std::uint32_t n = 0; n < 2; ++n) {
        replay.gather(n, 2);
    }
    ReplayFigures figures;
    for (std::uint32_t shard = 0; shard < into.table->shard_count(); ++shard) {
        figures.add(replay.restore_shard(shard));
    }
    into.table->finish_restore();
    return figures;
}

class Changes {
  public:
    explicit Changes(std::uint32_t seed) : random_(seed) {}

    void change(Life& run) {
        const std::string aor = make_aor(random_() % kAors);
        const std::uint64_t hash = run.table->hash()(aor);
        const Record* record = find(*run.table, aor);
        const std::uint32_t what = random_() % 8;
        if (record != nullptr && what < 4) {
            // Any worker's.
            (void)run.table->refresh_any(
                *record,
                [&](ClaimedRecord& claimed) {
                    const std::size_t i = random_() % record->contact_count();
                    const ContactState before = claimed.state(i);
                    ContactState state = new_state();
                    state.flow = before.flow;
                    claimed.update(i, state);
                },
                &run.rings[random_() % run.rings.size()].log);
            return;
        }
        const std::string uri = "sip:" + std::to_string(random_() % 1000) + "@h";
        const std::string params(random_() % 50, 'p');
        const std::string path = random_() % 8 == 0 ? "<sip:proxy;lr>" : "";
        (void)run.table->change_owner(hash, aor, [&](const Current& current, Edit& edit) {
            NewContact contact;
            contact.uri = uri;
            contact.params = params;
            contact.path = path;
            contact.reg_id = random_() % 4;
            contact.state = new_state();
            const std::size_t n = current.contacts.size();
            if (n == 0 || (what == 4 && n < 5)) {
                return edit.add(contact);
            }
            const std::size_t i = random_() % n;
            if (what == 5) {
                edit.modify(i, contact.state);
                return true;
            }
            if (what == 6) {
                return edit.replace(i, contact);
            }
            for (std::size_t c = 0; c < n; ++c) {
                if (c == i || random_() % 2 == 0) {
                    edit.drop(c);
                }
            }
            return true;
        });
        for (std::uint32_t shard = 0; shard < run.table->shard_count(); ++shard) {
            run.table->reclaim_owner(shard);
        }
    }
    std::mt19937& random() { return random_; }

  private:
    ContactState new_state() {
        ContactState state;
        state.flow = make_flow(0x0a000000 + random_() % 1000);
        state.flow.port = static_cast<net::PortIndex>(random_() % 2);
        state.call_id_hash = random_();
        state.expires_at_s = kNow_s + 1 + random_() % 1000;
        state.cseq = random_();
        state.refreshed_at_ms = random_();
        state.q = static_cast<std::uint16_t>(random_() % 1001);
        return state;
    }
    std::mt19937 random_;
};

// Several runs, each begun with what the last one left, with other numbers of workers.
TEST(Replay, BringsBackWhatWasThere) {
    for (std::uint32_t seed = 0; seed < 60; ++seed) {
        SCOPED_TRACE(seed);
        Changes changes(seed);
        std::vector<std::unique_ptr<Life>> runs;
        for (std::uint64_t n = 1; n <= 4; ++n) {
            auto run = std::make_unique<Life>(n, 1 + changes.random()() % 4);
            if (!runs.empty()) {
                const auto figures = replay(sources_of(runs), *run);
                ASSERT_EQ(everything(*run->table), everything(*runs.back()->table));
                EXPECT_EQ(figures.contacts, run->table->counts().contacts);
                EXPECT_EQ(figures.conflicts + figures.damaged + figures.no_room, 0U);
            }
            run->attach();
            const std::uint32_t steps = changes.random()() % 400;
            for (std::uint32_t i = 0; i < steps; ++i) {
                changes.change(*run);
            }
            if (changes.random()() % 2 == 0) {
                run->take_snapshot([&] { changes.change(*run); });
            }
            for (std::uint32_t i = 0; i < steps / 4; ++i) {
                changes.change(*run);
            }
            run->copy();
            runs.push_back(std::move(run));
        }
    }
}

// A contact comes back in a state that it once had, and whatever was copied before the cut is
// there.
TEST(Replay, ACutLogGivesWhatIsBeforeTheCut) {
    for (std::uint32_t seed = 0; seed < 40; ++seed) {
        SCOPED_TRACE(seed);
        Changes changes(seed);
        Life run(1, 1);
        run.attach();
        // What was there when so many bytes had been copied.
        std::map<std::size_t, Everything> at{{0, {}}};
        for (std::uint32_t i = 0; i < 150; ++i) {
            changes.change(run);
            if (i % 3 == 0) {
                run.copy();
            }
            // One writer: its log is the order of things.
            std::uint64_t position = 0;
            const std::size_t pending = run.rings[0].log.pending(position).size();
            at[run.log.bytes + (pending != 0 ? sizeof(ChunkHead) + pending : 0)] =
                everything(*run.table);
        }
        run.copy();
        for (int cut = 0; cut < 40; ++cut) {
            const std::size_t bytes = changes.random()() % (run.log.bytes + 1);
            const Source source{run.info, run.log.span().first(bytes)};
            Life again(2, 2);
            (void)replay({&source, 1}, again);
            EXPECT_EQ(everything(*again.table), std::prev(at.upper_bound(bytes))->second) << bytes;
        }
    }
}

TEST(Replay, DamageAnywhereCostsWhatIsDamagedAtMost) {
    Changes changes(7);
    Life run(1, 3);
    run.attach();
    for (std::uint32_t i = 0; i < 500; ++i) {
        changes.change(run);
        if (i % 10 == 0) {
            run.copy();
        }
    }
    run.take_snapshot([&] { changes.change(run); });
    for (std::uint32_t i = 0; i < 200; ++i) {
        changes.change(run);
        run.copy();
    }
    std::set<std::uint64_t> call_ids;
    for (int i = 0; i < 300; ++i) {
        Chunks snapshot = *run.snapshot;
        Chunks log = run.log;
        for (int hits = 0; hits < 4; ++hits) {
            Chunks& hit = changes.random()() % 2 == 0 ? snapshot : log;
            hit.words[changes.random()() % hit.words.size()] ^= 1ULL << changes.random()() % 64;
        }
        const std::array sources{Source{run.info, snapshot.span(), true},
                                 Source{run.info, log.span()}};
        Life again(2, 2);
        const auto figures = replay(sources, again);
        EXPECT_EQ(figures.contacts, again.table->counts().contacts);
        EXPECT_LE(again.table->counts().contacts, kContacts);
        // Every slot is a contact's or free.
        for (std::uint64_t n = 10'000; again.table->counts().contacts < kContacts; ++n) {
            ASSERT_EQ(test::add(*again.table, test::Phone(n)), ChangeResult::kOk);
        }
    }
}

TEST(Replay, WhatExpiredMeanwhileIsGone) {
    Life run(1, 1);
    run.attach();
    test::Phone phone(1);
    phone.state.expires_at_s = kNow_s + 10;
    ASSERT_EQ(test::add(*run.table, phone), ChangeResult::kOk);
    run.copy();
    const Source source{run.info, run.log.span()};
    Life in_time(2, 1);
    EXPECT_EQ(replay({&source, 1}, in_time, kNow_s + 9).contacts, 1U);
    Life late(2, 1);
    const auto figures = replay({&source, 1}, late, kNow_s + 10);
    EXPECT_EQ(figures.contacts, 0U);
    EXPECT_EQ(figures.expired, 1U);
}

// A later word counts though it leaves nothing: an older snapshot has a longer expiry.
TEST(Replay, AnAorThatExpiredDoesNotComeBackFromTheSnapshot) {
    Life run(1, 1);
    run.attach();
    test::Phone phone(1);
    phone.state.expires_at_s = kNow_s + 1000;
    ASSERT_EQ(test::add(*run.table, phone), ChangeResult::kOk);
    run.take_snapshot([] {});
    (void)run.table->change_owner(run.table->hash()(phone.aor), phone.aor,
                                  [](const Current& current, Edit& edit) {
                                      ContactState sooner = current.contacts[0].state;
                                      sooner.expires_at_s = kNow_s + 1;
                                      edit.modify(0, sooner);
                                      return true;
                                  });
    run.copy();
    const std::array sources{Source{run.info, run.snapshot->span(), true},
                             Source{run.info, run.log.span()}};
    Life again(2, 1);
    EXPECT_EQ(replay(sources, again, kNow_s + 5).contacts, 0U);
}

// Milliseconds are those of a run, and ports are known by their names.
TEST(Replay, SpeaksInTheTermsOfThisRun) {
    Life run(1, 1, 1'000'000);
    run.attach();
    std::array<test::Phone, 3> phones{test::Phone(1), test::Phone(2), test::Phone(3)};
    for (std::uint16_t n = 0; n < 3; ++n) {
        phones[n].state.expires_at_s = kNow_s + 10;
        phones[n].state.refreshed_at_ms = 5'000;
        phones[n].state.flow.port = n;  // the third has none
        ASSERT_EQ(test::add(*run.table, phones[n]), ChangeResult::kOk);
    }
    run.copy();
    Life again(2, 1, 1'004'000);
    again.info.ports[1] = run.info.ports[0];
    again.info.ports[0] = run.info.ports[1];
    const Source source{run.info, run.log.span()};
    const auto figures = replay({&source, 1}, again);
    EXPECT_EQ(figures.contacts, 2U);
    EXPECT_EQ(figures.homeless, 1U);
    ContactView view;
    ASSERT_TRUE(find(*again.table, phones[0].aor)->read(0, view));
    EXPECT_EQ(view.state.refreshed_at_ms, 1'000U);
    EXPECT_EQ(view.state.flow.port, 1U);
}

TEST(Replay, WhatPingsTaughtIsKnownAgain) {
    Life run(1, 1, 1'000'000);
    run.attach();
    test::Phone phone(1);
    phone.state.expires_at_s = kNow_s + 10;
    ASSERT_EQ(test::add(*run.table, phone), ChangeResult::kOk);
    const ContactId id = find(*run.table, phone.aor)->fixed(0).id();
    const QualifyView learned{.generation = id.generation,
                              .state = Reach::kReachable,
                              .flags = QualifyView::kEverAnswered,
                              .last_rtt_us = 1234,
                              .flow_mark = 0x1234,
                              .last_ping_ms = 9'000};
    run.states.write_control(id.slot, learned);
    run.take_snapshot([] {});
    const Source source{run.info, run.snapshot->span(), true};
    {
        Life again(2, 1, 1'004'000);
        (void)replay({&source, 1}, again);
        const QualifyView view = again.states.get_control(id.slot);
        EXPECT_EQ(view.state, Reach::kReachable);
        EXPECT_EQ(view.last_rtt_us, 1234U);
        EXPECT_EQ(view.flow_mark, 0x1234);
        EXPECT_EQ(view.last_ping_ms, 5'000U);
    }
    // What the last run had in memory is newer than its snapshot.
    QualifyView newer = learned;
    newer.last_rtt_us = 77;
    run.states.write_control(id.slot, newer);
    Life again(2, 1, 1'004'000);
    Replay replay({&source, 1}, again.info, kNow_s, *again.table, again.states);
    replay.use_learned(run.states, run.info);
    replay.gather(0, 1);
    (void)replay.restore_shard(0);
    again.table->finish_restore();
    EXPECT_EQ(again.states.get_control(id.slot).last_rtt_us, 77U);
}

TEST(Replay, ASmallerTableTakesWhatItHolds) {
    Life run(1, 1);
    run.attach();
    for (std::uint64_t n = 0; n < 100; ++n) {
        test::Phone phone(n);
        phone.state.expires_at_s = kNow_s + 10;
        ASSERT_EQ(test::add(*run.table, phone), ChangeResult::kOk);
    }
    run.copy();
    const Source source{run.info, run.log.span()};
    TestTable small(40);
    QualifyTable states(40);
    Replay replay({&source, 1}, run_info(2), kNow_s, *small, states);
    replay.gather(0, 1);
    const auto figures = replay.restore_shard(0);
    small->finish_restore();
    EXPECT_EQ(figures.contacts, 40U);
    EXPECT_EQ(figures.no_room, 60U);
}

}  // namespace
}  // namespace pinhole::journal
