// SPDX-License-Identifier: BSD-3-Clause
// Workers change and refresh whatever they meet, each with its log, while a thread copies the logs
// and takes one snapshot after the other: what that thread has written equals the table in the end.
// Run it under ThreadSanitizer too.
#include "control/journal/replay.h"
#include "control/journal/snapshot.h"
#include "tests/unit/table/support.h"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <cstring>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

namespace pinhole::journal {
namespace {

using namespace table;
using table::test::find;
using table::test::make_aor;
using table::test::make_flow;

constexpr std::uint32_t kWorkers = 3;
constexpr std::uint32_t kAors = 48;
constexpr std::uint32_t kContacts = 200;
constexpr std::uint32_t kNow_s = 1000;
constexpr int kSteps = 20'000;

struct Ring {
    static constexpr std::size_t kBytes = std::size_t{1} << 22;
    Ring() : data(kBytes / 8), log(head, {reinterpret_cast<std::byte*>(data.data()), kBytes}) {}
    ChangeLogHead head{};
    std::vector<std::uint64_t> data;
    ChangeLog log;
};

class ConcurrentJournal : public testing::Test {
  protected:
    ConcurrentJournal() {
        const std::vector<ShardMemory> shards(kWorkers,
                                              ShardMemory{memory_.arrays(), test::poisoning()});
        table_ = BindingTable::make(
            {kContacts, test::make_hash(), qsbr_.get(), memory_.arrays(), shards});
        for (std::uint32_t worker = 0; worker < kWorkers; ++worker) {
            table_->log_to(worker, &rings_[worker].log);
        }
        info_.run = 1;
        info_.ports[0][0] = 'e';
    }

    void work(std::uint32_t worker) {
        std::mt19937 random(worker + 1);
        while (!go_) {
            qsbr_.quiescent(worker);
            std::this_thread::yield();
        }
        for (int step = 0; step < kSteps; ++step) {
            const std::string aor = make_aor(random() % kAors);
            const Record* record = find(*table_, aor);
            if (record != nullptr && random() % 4 != 0) {
                refresh(*record, worker, random);
            } else if (table_->shard_of(table_->hash()(aor)) == worker) {
                change(aor, random);
            }
            table_->reclaim_owner(worker);
            qsbr_.quiescent(worker);
        }
        qsbr_.offline(worker);
        --running_;
    }
    void refresh(const Record& record, std::uint32_t worker, std::mt19937& random) {
        (void)table_->refresh_any(
            record,
            [&](ClaimedRecord& claimed) {
                ContactState state = claimed.state(0);
                state.cseq = random();
                claimed.update(0, state);
            },
            &rings_[worker].log);
    }
    void change(const std::string& aor, std::mt19937& random) {
        const std::string params(random() % 40, 'p');
        NewContact contact;
        contact.uri = "sip:a@h";
        contact.params = params;
        contact.state.flow = make_flow(0x0a000000 + random() % 100);
        contact.state.expires_at_s = kNow_s + 1;
        contact.state.cseq = random();
        (void)table_->change_owner(
            table_->hash()(aor), aor, [&](const Current& current, Edit& edit) {
                if (current.contacts.size() < 3 && random() % 2 == 0) {
                    return edit.add(contact);
                }
                for (std::size_t i = 0; i < current.contacts.size(); ++i) {
                    random() % 2 == 0 ? edit.drop(i) : edit.modify(i, contact.state);
                }
                return true;
            });
    }

    void keep() {
        do {
            take_snapshot();
            go_ = true;
        } while (running_ > 0);
        copy();
        qsbr_.offline(kWorkers);
    }
    void take_snapshot() {
        copy();
        log_ = {};
        auto fresh = std::make_unique<std::vector<std::byte>>();
        SnapshotWriter writer(*table_, states_);
        for (bool more = true; more;) {
            more = writer.step(2, *fresh);
            qsbr_.quiescent(kWorkers);
            copy();
        }
        snapshot_ = std::move(fresh);
        ++snapshots_;
    }
    void copy() {
        for (std::uint32_t worker = 0; worker < kWorkers; ++worker) {
            ChangeLog& log = rings_[worker].log;
            const std::uint64_t upto = log.written();
            std::uint64_t position = 0;
            for (auto part = log.pending(position); !part.empty() && position < upto;
                 part = log.pending(position)) {
                const ChunkHead chunk = make_chunk(worker, position, part.size());
                const auto* at = reinterpret_cast<const std::byte*>(&chunk);
                log_.insert(log_.end(), at, at + sizeof chunk);
                log_.insert(log_.end(), part.begin(), part.end());
                log.took(position + part.size());
            }
        }
    }

    using Everything = std::map<std::string, std::map<std::uint64_t, ContactState>>;
    static Everything everything(const BindingTable& table) {
        Everything all;
        ListCursor cursor;
        table.list(cursor, ~0U, [&](const Record& record) {
            for (std::size_t i = 0; i < record.contact_count(); ++i) {
                all[std::string(record.aor())][record.fixed(i).id().packed()] =
                    record.load_state(i);
            }
        });
        return all;
    }

    HeapMemory memory_;
    test::TestQsbr<kWorkers + 1> qsbr_;
    std::array<Ring, kWorkers> rings_;
    std::unique_ptr<BindingTable> table_;
    QualifyTable states_{kContacts};
    RunInfo info_;
    std::atomic<int> running_{kWorkers};
    std::atomic<bool> go_{false};
    // The keeper's.
    std::vector<std::byte> log_;
    std::unique_ptr<std::vector<std::byte>> snapshot_;
    int snapshots_ = 0;
};

TEST_F(ConcurrentJournal, WhatIsKeptIsWhatIsThere) {
    std::vector<std::thread> threads;
    for (std::uint32_t worker = 0; worker < kWorkers; ++worker) {
        threads.emplace_back([this, worker] { work(worker); });
    }
    threads.emplace_back([this] { keep(); });
    for (std::thread& thread : threads) {
        thread.join();
    }
    for (const Ring& ring : rings_) {
        ASSERT_EQ(ring.log.lost(), 0U);
    }
    EXPECT_GT(snapshots_, 0);
    const std::array sources{Source{info_, *snapshot_, true}, Source{info_, log_}};
    test::TestTable again(kContacts, 2);
    QualifyTable states(kContacts);
    RunInfo now = info_;
    now.run = 2;
    Replay replay(sources, now, kNow_s, *again, states);
    // Both at once, as at a start.
    std::thread other([&] { replay.gather(1, 2); });
    replay.gather(0, 2);
    other.join();
    std::thread second([&] { (void)replay.restore_shard(1); });
    (void)replay.restore_shard(0);
    second.join();
    again->finish_restore();
    EXPECT_EQ(everything(*again), everything(*table_));
}

}  // namespace
}  // namespace pinhole::journal
