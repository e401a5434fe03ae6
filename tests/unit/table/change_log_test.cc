// SPDX-License-Identifier: BSD-3-Clause
// What a change leaves in the log, and what becomes of it where the log is full or was cut.
#include "dataplane/table/change_log.h"

#include "tests/unit/table/support.h"

#include <gtest/gtest.h>

#include <cstring>
#include <memory>
#include <random>
#include <vector>

namespace pinhole::table::test {
namespace {

struct TestLog {
    explicit TestLog(std::size_t capacity = 1 << 12) : data(capacity / 8), log(head, bytes()) {}
    std::span<std::byte> bytes() {
        return {reinterpret_cast<std::byte*>(data.data()), data.size() * 8};
    }
    ChangeLogHead head{};
    std::vector<std::uint64_t> data;
    ChangeLog log;
};

// The kinds of what is pending, pads left out; it counts as taken.
std::vector<ChangeKind> kinds(ChangeLog& log, std::vector<const ChangeHead*>* heads = nullptr) {
    std::vector<ChangeKind> out;
    std::uint64_t position = 0;
    for (auto left = log.pending(position); !left.empty(); left = log.pending(position)) {
        const ChangeHead* head = read_change(left, position);
        if (head == nullptr) {
            ADD_FAILURE() << "damaged at " << position;
            break;
        }
        if (head->kind() != ChangeKind::kPad) {
            out.push_back(head->kind());
            if (heads != nullptr) {
                heads->push_back(head);
            }
        }
        log.took(position + head->bytes());
    }
    return out;
}

RefreshResult refresh(BindingTable& table, const std::string& aor, std::uint32_t cseq,
                      ChangeLog* log) {
    return table.refresh_any(
        *find(table, aor),
        [&](ClaimedRecord& claimed) {
            ContactState state = claimed.state(0);
            state.cseq = cseq;
            claimed.update(0, state);
        },
        log);
}

TEST(ChangeLog, EveryChangeStandsInIt) {
    TestTable t(10);
    TestLog test;
    t->log_to(0, &test.log);
    const Phone phone(1);
    ASSERT_EQ(add(*t, phone), ChangeResult::kOk);
    ASSERT_EQ(refresh(*t, phone.aor, 2, &test.log), RefreshResult::kOk);
    (void)t->change_owner(t->hash()(phone.aor), phone.aor, [](const Current& current, Edit& edit) {
        ContactState moved = current.contacts[0].state;
        moved.flow = make_flow(0x0b000001);
        edit.modify(0, moved);
        return true;
    });
    ASSERT_EQ(drop_all(*t, phone.aor), ChangeResult::kOk);
    using enum ChangeKind;
    std::vector<const ChangeHead*> heads;
    EXPECT_EQ(kinds(test.log, &heads), (std::vector{kImage, kRefresh, kImage, kGone}));
    const Record* born = image_of(*heads[0]);
    ASSERT_NE(born, nullptr);
    EXPECT_EQ(born->aor(), phone.aor);
    EXPECT_EQ(born->uri(0), phone.uri);
    EXPECT_EQ(born->params(0), phone.params);
    EXPECT_EQ(born->load_state(0), phone.state);
    const auto& refreshed = reinterpret_cast<const RefreshChange&>(*heads[1]);
    EXPECT_EQ(refreshed.id, born->fixed(0).id().packed());
    EXPECT_EQ(refreshed.cseq, 2U);
    EXPECT_TRUE(SequenceWord::is_later(refreshed.version, born->copied_version()));
    const Record* moved = image_of(*heads[2]);
    ASSERT_NE(moved, nullptr);
    EXPECT_EQ(moved->load_state(0).flow, make_flow(0x0b000001));
    EXPECT_EQ(moved->load_state(0).cseq, 2U);
    EXPECT_TRUE(SequenceWord::is_later(moved->copied_version(), refreshed.version));
    EXPECT_EQ(gone_aor(*heads[3]), phone.aor);
}

TEST(ChangeLog, VersionsGoUpAsLongAsTheAorHasAContact) {
    TestTable t(10);
    TestLog test;
    t->log_to(0, &test.log);
    const Phone phone(1);
    Phone second(2);
    second.aor = phone.aor;
    ASSERT_EQ(add(*t, phone), ChangeResult::kOk);
    for (std::uint32_t cseq = 2; cseq < 5; ++cseq) {
        ASSERT_EQ(refresh(*t, phone.aor, cseq, &test.log), RefreshResult::kOk);
    }
    ASSERT_EQ(add(*t, second), ChangeResult::kOk) << "another record takes its place";
    std::vector<const ChangeHead*> heads;
    ASSERT_EQ(kinds(test.log, &heads).size(), 5U);
    EXPECT_TRUE(SequenceWord::is_later(image_of(*heads[4])->copied_version(),
                                       reinterpret_cast<const RefreshChange*>(heads[3])->version));
}

TEST(ChangeLog, AFullOneLosesAndCounts) {
    TestTable t(10);
    TestLog test(1 << 10);
    ASSERT_EQ(add(*t, Phone(1)), ChangeResult::kOk);
    for (std::uint32_t n = 0; n < 30; ++n) {
        ASSERT_EQ(refresh(*t, Phone(1).aor, n, &test.log), RefreshResult::kOk);
    }
    EXPECT_EQ(kinds(test.log).size(), 1024U / 48);
    EXPECT_EQ(test.log.lost(), 30 - 1024U / 48);
    ASSERT_EQ(refresh(*t, Phone(1).aor, 99, &test.log), RefreshResult::kOk);
    EXPECT_EQ(kinds(test.log).size(), 1U) << "what was taken makes room";
}

TEST(ChangeLog, GoesRoundAndRound) {
    TestTable t(100);
    TestLog test(1 << 10);
    t->log_to(0, &test.log);
    std::mt19937 random(1);
    std::size_t written = 0;
    std::size_t read = 0;
    for (int i = 0; i < 5000; ++i) {
        const std::uint64_t n = random() % 50;
        if (find(*t, make_aor(n)) == nullptr) {
            ASSERT_EQ(add(*t, Phone(n)), ChangeResult::kOk);
        } else if (random() % 2 == 0) {
            ASSERT_EQ(drop_all(*t, make_aor(n)), ChangeResult::kOk);
        } else {
            ASSERT_EQ(refresh(*t, make_aor(n), random(), &test.log), RefreshResult::kOk);
        }
        ++written;
        read += random() % 2 == 0 ? kinds(test.log).size() : 0;
    }
    EXPECT_EQ(read + kinds(test.log).size() + test.log.lost(), written);
    EXPECT_LT(test.log.lost(), written / 10);
}

// Whatever byte is another, or wherever it ends: it is no record.
TEST(ChangeLog, ADamagedRecordDoesNotPass) {
    TestTable t(10);
    TestLog test;
    t->log_to(0, &test.log);
    ASSERT_EQ(add(*t, Phone(1)), ChangeResult::kOk);
    std::uint64_t position = 0;
    const auto pending = test.log.pending(position);
    ASSERT_NE(read_change(pending, 0), nullptr);
    EXPECT_EQ(read_change(pending, 48), nullptr) << "from elsewhere";
    const std::size_t bytes = read_change(pending, 0)->bytes();
    for (std::size_t i = 0; i < bytes; ++i) {
        const auto whole = test.bytes();
        whole[i] ^= std::byte{1};
        EXPECT_EQ(read_change(pending, 0), nullptr) << i;
        whole[i] ^= std::byte{1};
        EXPECT_EQ(read_change(pending.first(i), 0), nullptr) << i;
    }
}

// A record whose checksum is right and whose lengths are not: they lead nowhere outside.
TEST(ChangeLog, AnImageIsReadWithinItsBounds) {
    TestTable t(10);
    TestLog test;
    t->log_to(0, &test.log);
    ASSERT_EQ(add(*t, Phone(1)), ChangeResult::kOk);
    std::uint64_t position = 0;
    const auto pending = test.log.pending(position);
    const std::size_t bytes = read_change(pending, 0)->bytes();
    std::mt19937 random(1);
    for (int i = 0; i < 20'000; ++i) {
        // On the heap in its own size, so that a sanitizer sees a step outside.
        std::vector<std::uint64_t> copy(bytes / 8);
        auto* at = reinterpret_cast<std::byte*>(copy.data());
        std::memcpy(at, pending.data(), bytes);
        at[8 + random() % (bytes - 8)] = static_cast<std::byte>(random());
        seal_change(at, ChangeKind::kImage, bytes, 0);
        const ChangeHead* head = read_change({at, bytes}, 0);
        ASSERT_NE(head, nullptr);
        if (const Record* image = image_of(*head); image != nullptr) {
            std::size_t sum = image->aor().size();
            for (std::size_t c = 0; c < image->contact_count(); ++c) {
                for (const char letter : image->uri(c)) {
                    sum += static_cast<unsigned char>(letter);
                }
                StoredParams::Room params;
                StoredInstance::Room instance;
                sum += image->params(c).text(params).size() + image->path(c).size();
                sum += image->instance(c).text(instance).size();
            }
            EXPECT_NE(sum, 0U);
        }
    }
}

}  // namespace
}  // namespace pinhole::table::test
