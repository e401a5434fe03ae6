// SPDX-License-Identifier: BSD-3-Clause
// Owners that add, replace, move and remove, under readers and refreshers of other threads; run it
// under ThreadSanitizer too (-Db_sanitize=thread -Djemalloc=disabled). Every state carries figures
// that only belong together, every text names its AOR, and memory that goes back is overwritten:
// what is torn, mixed up or freed shows.
#include "tests/unit/table/support.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <random>
#include <string>
#include <thread>
#include <vector>

namespace pinhole::table::test {
namespace {

constexpr std::uint32_t kShards = 2;
constexpr std::uint32_t kReaders = 2;
constexpr std::uint32_t kThreads = kShards + kReaders + 1;  // and one that follows the change marks
constexpr std::uint32_t kAors = 64;
constexpr std::uint32_t kLasting = 8;  // the first AORs keep their first contact throughout
constexpr std::uint32_t kMaxLive = 160;
constexpr int kSteps = 15'000;

ContactState state_of(std::uint32_t aor, std::uint64_t value, std::uint32_t flow) {
    ContactState state;
    state.flow = make_flow(aor << 8 | flow);
    state.call_id_hash = value;
    state.expires_at_s = static_cast<std::uint32_t>(value * 3);
    state.cseq = static_cast<std::uint32_t>(value * 7);
    return state;
}
bool belongs_together(std::uint32_t aor, const ContactView& view) {
    return view.aor == make_aor(aor) && view.uri == "sip:" + std::to_string(aor) + "@h" &&
           view.params == std::string(view.params.size(), 'p') &&
           view.state.expires_at_s == static_cast<std::uint32_t>(view.state.call_id_hash * 3) &&
           view.state.cseq == static_cast<std::uint32_t>(view.state.call_id_hash * 7) &&
           view.state.flow.theirs.v4_host_order() >> 8 == aor;
}

class Concurrent : public testing::TestWithParam<std::uint64_t> {
  protected:
    Concurrent() {
        const std::vector<ShardMemory> shards(kShards, ShardMemory{memory_.arrays(), poisoning()});
        table_ = BindingTable::make(
            {kMaxLive, make_hash(GetParam()), qsbr_.get(), memory_.arrays(), shards});
        for (std::uint32_t n = 0; n < kLasting; ++n) {
            add_contact(n, state_of(n, n, 0));
        }
    }

    void add_contact(std::uint32_t aor_n, const ContactState& state, std::size_t params_len = 5) {
        const std::string aor = make_aor(aor_n);
        const std::string uri = "sip:" + std::to_string(aor_n) + "@h";
        const std::string params(params_len, 'p');
        NewContact contact;
        contact.uri = uri;
        contact.params = params;
        contact.state = state;
        (void)table_->change_owner(table_->hash()(aor), aor,
                                   [&](const Current& current, Edit& edit) {
                                       return current.contacts.size() < 4 && edit.add(contact);
                                   });
    }
    void move_first(const std::string& aor, std::uint32_t aor_n, std::uint32_t flow) {
        (void)table_->change_owner(table_->hash()(aor), aor,
                                   [&](const Current& current, Edit& edit) {
                                       if (current.record != nullptr) {
                                           ContactState state = current.contacts[0].state;
                                           state.flow = make_flow(aor_n << 8 | flow);
                                           edit.modify(0, state);
                                       }
                                       return current.record != nullptr;
                                   });
    }
    void drop_last(const std::string& aor, bool lasting) {
        (void)table_->change_owner(table_->hash()(aor), aor,
                                   [&](const Current& current, Edit& edit) {
                                       if (current.contacts.size() <= (lasting ? 1 : 0)) {
                                           return false;
                                       }
                                       edit.drop(current.contacts.size() - 1);
                                       return true;
                                   });
    }

    void own(std::uint32_t shard) {
        std::mt19937 random(shard);
        for (int step = 0; step < kSteps; ++step) {
            const std::uint32_t n = random() % kAors;
            const std::string aor = make_aor(n);
            if (table_->shard_of(table_->hash()(aor)) == shard) {
                switch (random() % 4) {
                    case 0:
                        add_contact(n, state_of(n, random(), random() % 4), random() % 100);
                        break;
                    case 1:
                        move_first(aor, n, random() % 4);
                        break;
                    default:
                        drop_last(aor, n < kLasting);
                        break;
                }
            }
            table_->reclaim_owner(shard, 4);
            qsbr_.quiescent(shard);
        }
        qsbr_.offline(shard);
        --running_;
    }

    void read_and_refresh(std::uint32_t thread) {
        std::mt19937 random(thread);
        for (int step = 0; step < kSteps || running_ > 1; ++step) {
            const std::uint32_t n = random() % kAors;
            read_one(n);
            refresh_one(n, random());
            by_flow_and_id(random() % kAors, random() % 4);
            qsbr_.quiescent(thread);
        }
        qsbr_.offline(thread);
    }
    void read_one(std::uint32_t n) {
        const std::string aor = make_aor(n);
        const Record* record = find(*table_, aor);
        missing_ += record == nullptr && n < kLasting;
        for (std::size_t i = 0; record != nullptr && i < record->contact_count(); ++i) {
            ContactView view;
            if (record->read(i, view)) {
                wrong_ += !belongs_together(n, view);
                ++read_;
            }
        }
    }
    void refresh_one(std::uint32_t n, std::uint64_t value) {
        const Record* record = find(*table_, make_aor(n));
        if (record == nullptr) {
            return;
        }
        const RefreshResult result = table_->refresh_any(*record, [&](ClaimedRecord& claimed) {
            ContactState state = state_of(n, value, 0);
            state.refreshed_at_ms = claimed.state(0).refreshed_at_ms + 1;
            claimed.update(0, state);
        });
        if (result == RefreshResult::kOk) {
            ++refreshed_[n];
        }
    }
    void by_flow_and_id(std::uint32_t n, std::uint32_t flow) {
        std::array<ContactId, 8> out;
        const FlowMatches matches = table_->find_by_flow(make_flow(n << 8 | flow), out);
        for (std::size_t i = 0; i < matches.count; ++i) {
            ContactView view;
            if (table_->read(out[i], view) == SlotRead::kLive) {
                wrong_ += !belongs_together(n, view) || view.id != out[i];
            }
        }
    }

    // Keeps which contact it last saw in each slot, as the control thread does.
    void follow(std::uint32_t thread) {
        while (running_ > 0) {
            table_->for_wheel().drain(64, [&](std::uint32_t slot) { look(slot); });
            qsbr_.quiescent(thread);
        }
        qsbr_.offline(thread);
    }
    void look(std::uint32_t slot) {
        ContactView view;
        const SlotRead read = table_->read_slot(slot, view);
        if (read == SlotRead::kContended) {
            table_->for_wheel().mark(slot);
            return;
        }
        followed_[slot] = view.id;
    }

    void run() {
        std::vector<std::thread> threads;
        for (std::uint32_t shard = 0; shard < kShards; ++shard) {
            threads.emplace_back([this, shard] { own(shard); });
        }
        std::thread follower([this] { follow(kThreads - 1); });
        for (std::uint32_t n = 0; n < kReaders; ++n) {
            threads.emplace_back([this, n] { read_and_refresh(kShards + n); });
        }
        for (std::thread& thread : threads) {
            thread.join();
        }
        running_ = 0;
        follower.join();
        while (table_->for_wheel().drain(1000, [&](std::uint32_t slot) { look(slot); }) != 0) {
        }
    }

    HeapMemory memory_;
    TestQsbr<kThreads> qsbr_;
    std::unique_ptr<BindingTable> table_;
    std::atomic<int> running_{kShards + 1};
    std::atomic<std::uint64_t> wrong_{0}, missing_{0}, read_{0};
    std::array<std::atomic<std::uint32_t>, kAors> refreshed_{};
    std::array<ContactId, kMaxLive> followed_{};  // the follower's
};

TEST_P(Concurrent, NothingIsTornLostOrFreedTooSoon) {
    run();
    EXPECT_EQ(wrong_, 0u);
    EXPECT_EQ(missing_, 0u) << "an AOR that is there throughout is always found";
    EXPECT_GT(read_, 0u);
    for (std::uint32_t n = 0; n < kLasting; ++n) {
        ContactState state;
        ASSERT_TRUE(find(*table_, make_aor(n))->read_state(0, state));
        EXPECT_EQ(state.refreshed_at_ms, refreshed_[n]) << "a refresh was lost, or done twice";
    }
    for (std::uint32_t slot = 0; slot < kMaxLive; ++slot) {
        ContactView view;
        const bool live = table_->read_slot(slot, view) == SlotRead::kLive;
        EXPECT_EQ(followed_[slot].generation,
                  live || view.id.generation != 0 ? view.id.generation : 0u);
    }
    reclaim_all(*table_);
    std::size_t listed = 0;
    ListCursor cursor;
    table_->list(cursor, ~0u, [&](const Record&) { ++listed; });
    EXPECT_EQ(listed, table_->counts().records);
}

INSTANTIATE_TEST_SUITE_P(Hashes, Concurrent, testing::Values(~0ull, 0ull));

}  // namespace
}  // namespace pinhole::table::test
