// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/table/record.h"

#include "tests/unit/table/support.h"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace pinhole::table::test {
namespace {

struct Built {
    explicit Built(const std::vector<NewContact>& contacts, std::string_view aor = "a@b") {
        std::size_t text = 0;
        for (const NewContact& c : contacts) {
            text += text_bytes(c);
        }
        bytes = record_bytes(aor.size(), contacts.size(), text);
        memory = std::make_unique<std::uint64_t[]>(bytes / 8 + 1);
        RecordBuilder builder(memory.get(), bytes, 42, aor, contacts.size());
        std::uint32_t slot = 0;
        for (const NewContact& c : contacts) {
            builder.add({slot++, 9}, c);
        }
        record = builder.record();
    }
    std::size_t bytes;
    std::unique_ptr<std::uint64_t[]> memory;
    Record* record;
};

TEST(Record, GivesBackWhatWasPutIn) {
    const Phone one(1);
    const Phone two(2);
    NewContact second = two.contact();
    second.path = "<sip:10.0.0.5;lr>";
    Built built({one.contact(), second}, "alice@example.com");
    EXPECT_EQ(built.record->aor(), "alice@example.com");
    EXPECT_EQ(built.record->bytes(), built.bytes);
    EXPECT_TRUE(built.record->is(42, "alice@example.com"));
    EXPECT_FALSE(built.record->is(41, "alice@example.com"));
    EXPECT_FALSE(built.record->is(42, "alice@example.co"));
    ASSERT_EQ(built.record->contact_count(), 2u);
    ContactView view;
    ASSERT_TRUE(built.record->read(1, view));
    EXPECT_EQ(view.id, (ContactId{1, 9}));
    EXPECT_EQ(view.aor, "alice@example.com");
    EXPECT_EQ(view.uri, two.uri);
    EXPECT_EQ(view.params, two.params);
    EXPECT_EQ(view.params.instance(), "<urn:uuid:2>");
    EXPECT_EQ(view.path, "<sip:10.0.0.5;lr>");
    EXPECT_EQ(built.record->path(0), "");
    EXPECT_EQ(view.reg_id, 3u);
    EXPECT_EQ(view.registered_at_s, 17u);
    EXPECT_EQ(view.state, two.state);
    EXPECT_EQ(built.record->index_of({1, 9}), 1u);
    EXPECT_EQ(built.record->index_of({1, 8}), 2u);
}

TEST(Record, KeepsAUuidShortAndGivesItBackWhole) {
    const Phone one(1);
    NewContact with_path = one.contact();
    with_path.path = "<sip:10.0.0.5;lr>";
    Built built({Phone(2).contact(), with_path});
    EXPECT_EQ(built.record->fixed(1).params_len, kUuidBytes);
    ContactView view;
    ASSERT_TRUE(built.record->read(1, view));
    EXPECT_EQ(view.params, one.params);
    EXPECT_EQ(view.params.instance(), "<urn:uuid:00000000-0000-1000-8000-000000000001>");
    EXPECT_EQ(view.uri, one.uri);
    EXPECT_EQ(view.path, "<sip:10.0.0.5;lr>");
    // Carried over into another record.
    const std::size_t bytes = record_bytes(3, 1, built.record->text_bytes(1));
    std::vector<std::uint64_t> memory(bytes / 8 + 1);
    RecordBuilder builder(memory.data(), bytes, 42, "a@b", 1);
    builder.carry(*built.record, 1, one.state);
    EXPECT_EQ(builder.record()->params(0), one.params);
    EXPECT_EQ(builder.record()->path(0), "<sip:10.0.0.5;lr>");
    // Copied, as the journal keeps it.
    std::vector<std::uint64_t> copy(bytes / 8 + 1);
    auto* const at = reinterpret_cast<std::byte*>(copy.data());
    builder.record()->copy_out(at, 2);
    const Record* image = Record::sound({at, bytes});
    ASSERT_NE(image, nullptr);
    EXPECT_EQ(image->params(0), one.params);
}

// A Yealink's, of a user with eight digits: 192 is a size of jemalloc's.
TEST(Record, APhonesTakesThreeCacheLines) {
    const std::string params = ";+sip.instance=\"<urn:uuid:00000000-0000-1000-8000-805EC0112233>\"";
    NewContact contact;
    contact.uri = "sip:12345678@192.168.1.10:5060";
    contact.params = params;
    contact.instance = std::string_view(params).substr(16, 47);
    EXPECT_LE(
        record_bytes(std::string_view("12345678@sip.example.com").size(), 1, text_bytes(contact)),
        192U);
}

TEST(Record, HoldsTheLargest) {
    const std::string uri(kMaxUriBytes, 'u');
    const std::string params(kMaxParamsBytes, 'p');
    const std::string path(kMaxPathBytes, 'r');
    NewContact contact;
    contact.uri = uri;
    contact.params = params;
    contact.path = path;
    contact.instance = std::string_view(params).substr(params.size());
    Built built(std::vector<NewContact>(kMaxContactsPerAor, contact),
                std::string(kMaxAorBytes, 'a'));
    EXPECT_EQ(built.record->bytes(), built.bytes);
    EXPECT_EQ(built.record->aor().size(), kMaxAorBytes);
    EXPECT_EQ(built.record->uri(kMaxContactsPerAor - 1), uri);
    EXPECT_EQ(built.record->params(kMaxContactsPerAor - 1), params);
    EXPECT_EQ(built.record->path(kMaxContactsPerAor - 1), path);
    EXPECT_EQ(built.record->path(kMaxContactsPerAor - 1).end(),
              reinterpret_cast<const char*>(built.record) + built.bytes);
}

TEST(Record, UpdateUnderTheClaimLeavesTheFlow) {
    const Phone phone(1);
    Built built({phone.contact()});
    ClaimedRecord claimed(*built.record);
    EXPECT_EQ(claimed.changed(), 0u);
    ContactState state = claimed.state(0);
    state.flow = make_flow(99);
    state.cseq = 77;
    claimed.update(0, state);
    EXPECT_EQ(claimed.changed(), 1u);
    EXPECT_EQ(claimed.state(0).cseq, 77u);
    EXPECT_EQ(claimed.state(0).flow, phone.state.flow);
}

TEST(Sequence, ClaimIsOneHoldersAlone) {
    SequenceWord word;
    EXPECT_EQ(word.claim(), Claim::kClaimed);
    EXPECT_EQ(word.claim(), Claim::kContended);
    EXPECT_FALSE(word.read([] {}));
    word.release();
    EXPECT_TRUE(word.read([] {}));
    EXPECT_EQ(word.claim(), Claim::kClaimed);
    word.release_unchanged();
    EXPECT_EQ(word.claim(), Claim::kClaimed);
    word.retire();
    EXPECT_EQ(word.claim(), Claim::kDead);
    EXPECT_TRUE(word.dead());
    EXPECT_TRUE(word.read([] {})) << "a dead record reads as it was last";
}

TEST(Sequence, ReaderLooksAgainWhenItHasChanged) {
    SequenceWord word;
    int copies = 0;
    EXPECT_TRUE(word.read([&] {
        if (++copies == 1) {
            ASSERT_EQ(word.claim(), Claim::kClaimed);
            word.release();
        }
    }));
    EXPECT_EQ(copies, 2);
}

// Two writers change all words of a state together; readers must never see a mixture.
TEST(Sequence, StatesAreNeverTorn) {
    const Phone phone(1);
    Built built({phone.contact()});
    std::atomic<bool> stop{false};
    const auto state_of = [](std::uint32_t n) {
        StateWords words;
        words.fill(n);
        return std::bit_cast<ContactState>(words);
    };
    ASSERT_EQ(built.record->sequence().claim(), Claim::kClaimed);
    built.record->store_state(0, state_of(0));
    built.record->sequence().release();
    std::vector<std::thread> threads;
    for (std::uint32_t writer = 0; writer < 2; ++writer) {
        threads.emplace_back([&, writer] {
            for (std::uint32_t n = writer; !stop; n += 2) {
                if (built.record->sequence().claim() == Claim::kClaimed) {
                    built.record->store_state(0, state_of(n));
                    built.record->sequence().release();
                }
            }
        });
    }
    int read = 0;
    int torn = 0;
    for (int i = 0; i < 500'000; ++i) {
        ContactState state;
        if (!built.record->read_state(0, state)) {
            continue;
        }
        ++read;
        const auto words = std::bit_cast<StateWords>(state);
        torn += words != StateWords{words[0], words[0], words[0], words[0],
                                    words[0], words[0], words[0], words[0]};
    }
    stop = true;
    for (std::thread& t : threads) {
        t.join();
    }
    EXPECT_GT(read, 0);
    EXPECT_EQ(torn, 0);
}

}  // namespace
}  // namespace pinhole::table::test
