// SPDX-License-Identifier: BSD-3-Clause
// The journal's files when the process is killed: a copy of the two directories, taken at any
// moment, brings back what had been logged by then. A full disk costs the journal, and nothing
// else.
#include "control/store/store.h"

#include "tests/unit/table/support.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <random>
#include <string>

namespace pinhole::store {
namespace {

using namespace table;
using table::test::find;
using table::test::make_aor;
using table::test::Phone;
using table::test::TestTable;

constexpr std::uint32_t kNow_s = 1000;
constexpr std::uint32_t kContacts = 400;

class Place {
  public:
    Place() {
        std::string name = "/tmp/pinhole-store-XXXXXX";
        path_ = mkdtemp(name.data());
    }
    ~Place() { std::filesystem::remove_all(path_); }
    [[nodiscard]] std::string disk() const { return path_ + "/disk"; }
    [[nodiscard]] std::string memory() const { return path_ + "/memory"; }
    // As a kill would leave it.
    void copy_to(const Place& other) const {
        std::filesystem::copy(path_, other.path_, std::filesystem::copy_options::recursive);
    }
    [[nodiscard]] std::size_t files(const std::string& prefix) const {
        std::size_t n = 0;
        for (const auto& entry : std::filesystem::recursive_directory_iterator(path_)) {
            n += entry.path().filename().string().compare(0, prefix.size(), prefix) == 0 ? 1 : 0;
        }
        return n;
    }

  private:
    std::string path_;
};

using Everything = std::map<std::string, std::pair<std::uint64_t, std::uint32_t>>;  // id, CSeq

// A pinhole, as far as the journal sees one.
struct Edge {
    explicit Edge(const Place& place, std::uint32_t workers = 2,
                  std::size_t ring_bytes = std::size_t{1} << 20,
                  std::uint64_t min_log_bytes = std::uint64_t{1} << 16) {
        journal::RunInfo wanted;
        wanted.workers = workers;
        wanted.max_contacts = kContacts;
        wanted.ports[0][0] = 'e';
        store = std::make_unique<Store>(
            StoreSettings{place.disk(), place.memory(), ring_bytes, min_log_bytes}, wanted);
        error = store->open();
        if (error) {
            return;
        }
        void* memory = store->states_memory();
        states = memory != nullptr ? std::make_unique<QualifyTable>(kContacts, memory)
                                   : std::make_unique<QualifyTable>(kContacts);
        const std::vector<ShardMemory> shards(workers, heap.shard());
        table = BindingTable::make(
            {kContacts, KeyedHash(store->run().hash_seed), reclaimer.get(), heap.arrays(), shards});
        journal::Replay replay(store->sources(), store->run(), kNow_s, *table, *states);
        if (store->learned() != nullptr) {
            replay.use_learned(*store->learned(), store->learned_run());
        }
        replay.gather(0, 1);
        for (std::uint32_t shard = 0; shard < workers; ++shard) {
            figures.add(replay.restore_shard(shard));
        }
        table->finish_restore();
        error = store->begin();
        for (std::uint32_t shard = 0; shard < workers && !error; ++shard) {
            table->log_to(shard, &store->log(shard));
        }
    }

    void change(std::mt19937& random) {
        const std::string aor = make_aor(random() % 200);
        if (find(*table, aor) == nullptr) {
            Phone& phone = phones.try_emplace(aor, random() % 1000).first->second;
            phone.aor = aor;
            phone.state.expires_at_s = kNow_s + 1000;
            phone.state.cseq = random();
            (void)test::add(*table, phone);
        } else if (random() % 6 == 0) {
            (void)test::drop_all(*table, aor);
        } else {
            refresh(aor, random(), random() % table->shard_count());
        }
        for (std::uint32_t shard = 0; shard < table->shard_count(); ++shard) {
            table->reclaim_owner(shard);
        }
    }
    void refresh(const std::string& aor, std::uint32_t cseq, std::uint32_t worker) {
        (void)table->refresh_any(
            *find(*table, aor),
            [&](ClaimedRecord& claimed) {
                ContactState state = claimed.state(0);
                state.cseq = cseq;
                claimed.update(0, state);
            },
            &store->log(worker));
    }
    void add(std::uint64_t n) {
        Phone phone(n);
        phone.state.expires_at_s = kNow_s + 1000;
        ASSERT_EQ(test::add(*table, phone), ChangeResult::kOk);
    }
    // What the journal's thread does.
    void turn(std::uint64_t now_ms) {
        store->copy(now_ms);
        if (now_ms % 3 == 0) {
            store->sync(now_ms);
        }
        if (store->wants_snapshot(now_ms)) {
            store->begin_snapshot(*table, *states, now_ms);
        }
        if (store->read_snapshot_piece()) {
            store->write_snapshot_piece(now_ms);
        }
    }
    [[nodiscard]] Everything everything() const {
        Everything all;
        ListCursor cursor;
        table->list(cursor, ~0U, [&](const Record& record) {
            all[std::string(record.aor())] = {record.fixed(0).id().packed(),
                                              record.load_state(0).cseq};
        });
        return all;
    }

    std::unique_ptr<Store> store;
    std::optional<std::string> error;
    HeapMemory heap;
    test::TestReclaimer reclaimer;
    std::unique_ptr<QualifyTable> states;
    std::unique_ptr<BindingTable> table;
    std::map<std::string, Phone> phones;
    journal::ReplayFigures figures;
};

TEST(Store, AKillAtAnyMomentLosesNothing) {
    for (std::uint32_t seed = 0; seed < 6; ++seed) {
        SCOPED_TRACE(seed);
        std::mt19937 random(seed);
        auto place = std::make_unique<Place>();
        std::optional<Everything> before;
        for (int life = 0; life < 6; ++life) {
            auto next = std::make_unique<Place>();
            {
                Edge edge(*place, 1 + random() % 3);
                ASSERT_FALSE(edge.error) << *edge.error;
                EXPECT_TRUE(edge.store->warnings().empty());
                if (before) {
                    ASSERT_EQ(edge.everything(), *before) << "life " << life;
                }
                const std::uint32_t turns = random() % 40;
                for (std::uint32_t t = 0; t < turns; ++t) {
                    for (std::uint32_t i = random() % 100; i > 0; --i) {
                        edge.change(random);
                    }
                    edge.turn(t);
                }
                for (std::uint32_t i = random() % 100; i > 0; --i) {
                    edge.change(random);  // in the rings alone
                }
                before = edge.everything();
                place->copy_to(*next);
            }
            place = std::move(next);
        }
    }
}

// A power failure: tmpfs is gone, and what was not synced may be, but not what had been.
TEST(Store, WithoutTheRingsWhatWasCopiedIsThere) {
    std::mt19937 random(1);
    Place place;
    Everything before;
    {
        Edge edge(place);
        for (int i = 0; i < 500; ++i) {
            edge.change(random);
        }
        edge.turn(3);
        before = edge.everything();
        for (int i = 0; i < 500; ++i) {
            edge.change(random);
        }
    }
    std::filesystem::remove_all(place.memory());
    const Edge again(place);
    EXPECT_EQ(again.everything(), before);
}

TEST(Store, FilesOnTheDiskAreBounded) {
    std::mt19937 random(1);
    Place place;
    Edge edge(place);
    std::uint64_t most = 0;
    for (std::uint64_t t = 0; t < 500; ++t) {
        for (int i = 0; i < 100; ++i) {
            edge.change(random);
        }
        edge.turn(t);
        most = std::max(most, edge.store->figures().log_bytes.load());
    }
    EXPECT_GT(edge.store->figures().snapshots.load(), 5U);
    EXPECT_LT(most, std::uint64_t{1} << 18);
    EXPECT_LE(place.files("snapshot-"), 2U);
    EXPECT_LE(place.files("log-"), 3U);
    EXPECT_TRUE(edge.store->figures().whole.load());
}

TEST(Store, AStalledThreadLosesAndTheNextSnapshotMakesItGood) {
    Place place;
    Everything before;
    {
        Edge edge(place, 1, std::size_t{1} << 17);
        edge.turn(0);
        edge.turn(1);
        ASSERT_TRUE(edge.store->figures().whole.load());
        edge.add(1);
        for (std::uint32_t n = 0; n < 10'000; ++n) {
            edge.refresh(make_aor(1), n, 0);
        }
        EXPECT_GT(edge.store->log(0).lost(), 0U);
        edge.store->copy(1);
        EXPECT_FALSE(edge.store->figures().whole.load());
        edge.turn(2);
        edge.turn(3);
        EXPECT_TRUE(edge.store->figures().whole.load());
        before = edge.everything();
    }
    EXPECT_EQ(Edge(place, 1).everything(), before);
}

// No byte more may be written to any file: as on a full disk.
class FullDisk {
  public:
    FullDisk() {
        std::signal(SIGXFSZ, SIG_IGN);
        getrlimit(RLIMIT_FSIZE, &before_);
        const rlimit none{0, before_.rlim_max};
        setrlimit(RLIMIT_FSIZE, &none);
    }
    ~FullDisk() { setrlimit(RLIMIT_FSIZE, &before_); }
    FullDisk(const FullDisk&) = delete;
    FullDisk& operator=(const FullDisk&) = delete;

  private:
    rlimit before_{};
};

TEST(Store, AFullDiskIsAnAlarmAndNoMore) {
    std::mt19937 random(1);
    Place place;
    Everything before;
    {
        Edge edge(place, 2, std::size_t{1} << 17);
        edge.turn(0);
        edge.turn(3);
        ASSERT_TRUE(edge.store->figures().whole.load());
        {
            const FullDisk full;
            for (std::uint64_t t = 4; t < 50; ++t) {
                for (int i = 0; i < 200; ++i) {
                    edge.change(random);
                }
                edge.turn(t);
            }
            EXPECT_FALSE(edge.store->figures().whole.load());
            EXPECT_GT(edge.store->figures().failures.load(), 0U);
            EXPECT_NE(edge.store->take_complaint().find("can't write"), std::string::npos);
        }
        for (std::uint64_t t = 10'000; t < 20'000; t += 1'000) {
            edge.turn(t);
            edge.store->sync(t);
        }
        EXPECT_TRUE(edge.store->figures().whole.load()) << "it has room again";
        before = edge.everything();
    }
    EXPECT_EQ(Edge(place, 2).everything(), before);
}

TEST(Store, WhatPingsTaughtOutlivesAKill) {
    Place place;
    ContactId id;
    {
        Edge edge(place);
        edge.add(1);
        id = find(*edge.table, make_aor(1))->fixed(0).id();
        edge.states->write_control(
            id.slot, {.generation = id.generation, .state = Reach::kReachable, .last_rtt_us = 77});
    }
    const Edge again(place);
    EXPECT_EQ(again.states->read_any(id).last_rtt_us, 77U);
}

TEST(Store, TwoCannotHaveOneDirectory) {
    Place place;
    const Edge first(place);
    ASSERT_FALSE(first.error);
    const Edge second(place);
    ASSERT_TRUE(second.error);
    EXPECT_NE(second.error->find("another pinhole"), std::string::npos);
}

// Whoever can write there could put bindings into the table.
TEST(Store, ADirectoryOfOthersIsRefused) {
    Place place;
    std::filesystem::create_directories(place.memory());
    std::filesystem::permissions(place.memory(), std::filesystem::perms::all);
    const Edge edge(place);
    ASSERT_TRUE(edge.error);
    EXPECT_NE(edge.error->find("writable for nobody else"), std::string::npos);
}

// Files of two journals in one directory: hashes of the other's mean nothing here.
TEST(Store, WhatIsOfAnotherJournalIsLeftAlone) {
    Place other;
    {
        Edge edge(other);
        edge.add(1);
        edge.turn(0);
        edge.turn(3);
    }
    Place place;
    {
        Edge edge(place);
        edge.add(2);
    }
    {
        Edge edge(place);
        edge.add(3);
        edge.turn(3);
    }
    for (const auto& entry : std::filesystem::directory_iterator(other.disk())) {
        std::filesystem::copy(
            entry.path(),
            place.disk() + "/log-" + std::to_string(1000 + entry.path().string().size()),
            std::filesystem::copy_options::skip_existing);
    }
    const Edge again(place);
    EXPECT_FALSE(again.store->warnings().empty());
    EXPECT_EQ(find(*again.table, make_aor(1)), nullptr);
    EXPECT_NE(find(*again.table, make_aor(2)), nullptr);
    EXPECT_NE(find(*again.table, make_aor(3)), nullptr);
}

TEST(Store, GarbageInTheDirectoriesIsToldAndLeft) {
    Place place;
    std::filesystem::create_directories(place.disk());
    std::filesystem::create_directories(place.memory());
    for (const std::string& path : {place.disk() + "/log-7", place.disk() + "/snapshot-3",
                                    place.memory() + "/ring-1-0", place.memory() + "/states-1"}) {
        std::ofstream(path) << std::string(10'000, 'x');
    }
    const Edge edge(place);
    ASSERT_FALSE(edge.error);
    EXPECT_EQ(edge.store->warnings().size(), 4U);
    EXPECT_EQ(edge.everything().size(), 0U);
}

}  // namespace
}  // namespace pinhole::store
