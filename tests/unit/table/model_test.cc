// SPDX-License-Identifier: BSD-3-Clause
// The table against a map, by random operations: on a good hash and on one that always collides,
// with one shard and with several, full and empty, with readers that hold on for a while.
#include "tests/unit/table/support.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>
#include <string>
#include <tuple>
#include <unordered_map>
#include <vector>

namespace pinhole::table::test {
namespace {

constexpr std::uint32_t kMaxLive = 300;
constexpr std::uint32_t kAors = 120;
constexpr std::uint32_t kFlows = 40;

struct ModelContact {
    ContactId id;
    std::string uri;
    std::string params;
    ContactState state;
};

class TableModel : public testing::TestWithParam<std::tuple<std::uint64_t, std::uint32_t>> {
  protected:
    TableModel() : table_(kMaxLive, std::get<1>(GetParam()), std::get<0>(GetParam())) {
        table_.reclaimer.at_once = false;
    }

    std::uint32_t random(std::uint32_t below) {
        return static_cast<std::uint32_t>(random_() % below);
    }
    ContactState random_state() {
        ContactState state;
        state.flow = make_flow(random(kFlows), 1000);
        state.call_id_hash = random_();
        state.expires_at_s = random(1000);
        state.cseq = random(1000);
        return state;
    }
    ModelContact random_contact() {
        return {{},
                std::string(random(80), 'u') + std::to_string(random(1000)),
                std::string(random(120), 'p'),
                random_state()};
    }
    static NewContact to_new(const ModelContact& model) {
        NewContact contact;
        contact.uri = model.uri;
        contact.params = model.params;
        contact.state = model.state;
        return contact;
    }
    std::size_t live() const {
        std::size_t sum = 0;
        for (const auto& [aor, contacts] : model_) {
            sum += contacts.size();
        }
        return sum;
    }

    void structural_change(const std::string& aor) {
        const std::vector<ModelContact> before = model_[aor];
        std::vector<ModelContact> after;
        std::vector<Edit::Action> actions;
        std::vector<ModelContact> texts;  // replaced and added, whose views the edit holds
        texts.reserve(kMaxContactsPerAor);
        for (const ModelContact& contact : before) {
            actions.push_back(static_cast<Edit::Action>(random(4)));
            if (actions.back() == Edit::Action::kReplace) {
                texts.push_back(random_contact());
                texts.back().id = contact.id;
                after.push_back(texts.back());
            } else if (actions.back() != Edit::Action::kDrop) {
                after.push_back(contact);
            }
            if (actions.back() == Edit::Action::kModify) {
                after.back().state = random_state();
            }
        }
        const std::size_t replaced = texts.size();
        for (std::uint32_t n = after.size() < 10 ? random(3) : 0; n != 0; --n) {
            texts.push_back(random_contact());
            after.push_back(texts.back());
        }
        const auto decide = [&](const Current& current, Edit& edit) {
            EXPECT_EQ(current.contacts.size(), before.size());
            std::size_t text = 0;
            std::size_t kept = 0;
            for (std::size_t i = 0; i < before.size(); ++i) {
                switch (actions[i]) {
                    case Edit::Action::kKeep:
                        ++kept;
                        break;
                    case Edit::Action::kModify:
                        edit.modify(i, after[kept++].state);
                        break;
                    case Edit::Action::kReplace:
                        EXPECT_TRUE(edit.replace(i, to_new(texts[text++])));
                        ++kept;
                        break;
                    case Edit::Action::kDrop:
                        edit.drop(i);
                        break;
                }
            }
            for (text = replaced; text < texts.size(); ++text) {
                EXPECT_TRUE(edit.add(to_new(texts[text])));
            }
            return true;
        };
        const std::uint64_t hash = table_->hash()(aor);
        ChangeResult result = table_->change_owner(hash, aor, decide).result;
        if (result == ChangeResult::kTableFull) {
            table_.reclaimer.all_quiescent();
            reclaim_all(*table_);
            result = table_->change_owner(hash, aor, decide).result;
            const std::size_t added = texts.size() - replaced;
            EXPECT_EQ(result == ChangeResult::kTableFull, live() + added > kMaxLive);
        }
        if (result != ChangeResult::kOk) {
            EXPECT_TRUE(result == ChangeResult::kTableFull || result == ChangeResult::kNothing);
            return;
        }
        adopt(aor, before, std::move(after));
    }
    // The edit was done: take over the ids of the new, and remember those of the gone.
    void adopt(const std::string& aor, const std::vector<ModelContact>& before,
               std::vector<ModelContact> after) {
        const Record* record = find(*table_, aor);
        for (std::size_t i = 0; i < after.size(); ++i) {
            ASSERT_NE(record, nullptr);
            if (!after[i].id.valid()) {
                after[i].id = record->fixed(i).id();
                EXPECT_EQ(gone_.count(after[i].id.packed()), 0u) << "an id is never given twice";
            }
        }
        for (const ModelContact& contact : before) {
            if (std::none_of(after.begin(), after.end(),
                             [&](const ModelContact& c) { return c.id == contact.id; })) {
                gone_.insert(contact.id.packed());
            }
        }
        model_[aor] = std::move(after);
    }

    void refresh(const std::string& aor) {
        std::vector<ModelContact>& contacts = model_[aor];
        const Record* record = find(*table_, aor);
        if (contacts.empty()) {
            EXPECT_EQ(record, nullptr);
            return;
        }
        const std::size_t i = random(static_cast<std::uint32_t>(contacts.size()));
        ContactState state = random_state();
        ASSERT_NE(record, nullptr);
        EXPECT_EQ(
            table_->refresh_any(*record, [&](ClaimedRecord& claimed) { claimed.update(i, state); }),
            RefreshResult::kOk);
        state.flow = contacts[i].state.flow;
        contacts[i].state = state;
    }

    void remove_by_id(const std::string& aor) {
        std::vector<ModelContact>& contacts = model_[aor];
        if (contacts.empty()) {
            return;
        }
        const ContactId id = contacts[random(static_cast<std::uint32_t>(contacts.size()))].id;
        EXPECT_EQ(table_->remove_owner(id, [](const ContactView&) { return true; }),
                  ChangeResult::kOk);
        std::vector<ModelContact> after = contacts;
        std::erase_if(after, [&](const ModelContact& c) { return c.id == id; });
        adopt(aor, std::vector<ModelContact>(contacts), std::move(after));
    }

    void check(const std::string& aor) {
        const std::vector<ModelContact>& contacts = model_[aor];
        const Record* record = find(*table_, aor);
        ASSERT_EQ(record == nullptr, contacts.empty());
        if (record == nullptr) {
            return;
        }
        ASSERT_EQ(record->contact_count(), contacts.size());
        for (std::size_t i = 0; i < contacts.size(); ++i) {
            ContactView view;
            ASSERT_TRUE(record->read(i, view));
            EXPECT_EQ(view.id, contacts[i].id);
            EXPECT_EQ(view.uri, contacts[i].uri);
            EXPECT_EQ(view.params, contacts[i].params);
            EXPECT_EQ(view.state, contacts[i].state);
            EXPECT_EQ(table_->record_of(view.id), record);
        }
    }

    void check_all() {
        std::size_t records = 0;
        std::unordered_map<std::uint32_t, std::set<std::uint64_t>> by_flow;
        for (std::uint32_t n = 0; n < kAors; ++n) {
            check(make_aor(n));
            const auto& contacts = model_[make_aor(n)];
            records += contacts.empty() ? 0 : 1;
            for (const ModelContact& c : contacts) {
                by_flow[c.state.flow.theirs.v4_host_order()].insert(c.id.packed());
            }
        }
        EXPECT_EQ(table_->counts().contacts, live());
        EXPECT_EQ(table_->counts().records, records);
        std::size_t listed = 0;
        ListCursor cursor;
        EXPECT_FALSE(table_->list(cursor, ~0u, [&](const Record&) { ++listed; }));
        EXPECT_EQ(listed, records);
        for (std::uint32_t flow = 0; flow < kFlows; ++flow) {
            std::array<ContactId, kMaxLive + 1> out;
            const FlowMatches matches = table_->find_by_flow(make_flow(flow, 1000), out);
            std::set<std::uint64_t> found;
            for (std::size_t i = 0; i < matches.count; ++i) {
                found.insert(out[i].packed());
            }
            EXPECT_TRUE(matches.complete);
            EXPECT_EQ(found, by_flow[flow]);
        }
        for (const std::uint64_t id : gone_) {
            EXPECT_EQ(table_->record_of(ContactId::from_packed(id)), nullptr);
        }
    }

    TestTable table_;
    std::mt19937_64 random_{std::get<1>(GetParam())};
    std::unordered_map<std::string, std::vector<ModelContact>> model_;
    std::set<std::uint64_t> gone_;
};

TEST_P(TableModel, AgreesWithTheMap) {
    for (int step = 0; step < 20'000 && !HasFailure(); ++step) {
        const std::string aor = make_aor(random(kAors));
        // In turns fill up and thin out.
        const bool thinning = step / 2000 % 2 == 1;
        const std::uint32_t what = random(10);
        if (what < 3) {
            refresh(aor);
        } else if (what < (thinning ? 8u : 4u)) {
            remove_by_id(aor);
        } else {
            structural_change(aor);
        }
        check(aor);
        if (random(20) == 0) {
            table_.reclaimer.all_quiescent();
        }
        if (random(5) == 0) {
            table_->reclaim_owner(random(table_->shard_count()), 8);
        }
        if (step % 1000 == 0) {
            check_all();
        }
    }
    check_all();
}

INSTANTIATE_TEST_SUITE_P(Hashes, TableModel,
                         testing::Combine(testing::Values(~0ull, 0ull), testing::Values(1u, 3u)));

}  // namespace
}  // namespace pinhole::table::test
