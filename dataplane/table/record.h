// SPDX-License-Identifier: BSD-3-Clause
// The record of one AOR: one piece of memory, of the size that its texts need. All of it stands
// unchanged from its publication to its death, except the contacts' states, which change in place
// under the sequence word.
//
//   0   seq[4] bytes[2] aor_len[1] contacts[1] hash[8]
//   16  state 0 [64] .. state n-1            atomic words, guarded by seq
//       fixed 0 [28] .. fixed n-1
//       AOR, then of each contact its URI, params and Path
//
// One contact of 25 + 35 bytes of AOR and URI, and an instance that takes 16, makes 184: one
// jemalloc size class of 192, three cache lines. Reading: any thread until its next quiescent
// state. Building: the shard's owner.
#pragma once

#include "dataplane/table/contact.h"
#include "dataplane/table/sequence.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace pinhole::table {

// The unchanging part of a contact. Text offsets count from the record's start. In journals written
// before params had forms, theirs is 0, which is text.
struct FixedContact {
    std::uint32_t slot;
    std::uint32_t generation;
    std::uint32_t registered_at_s;
    std::uint32_t reg_id;
    std::uint16_t text_offset;  // of the URI; the params and the Path follow it
    std::uint16_t uri_len;
    std::uint16_t params_len;       // as kept (StoredParams)
    std::uint16_t instance_offset;  // within the params' text
    std::uint16_t instance_len : 14;
    std::uint16_t form : 2;  // ParamsForm
    std::uint16_t path_len;

    [[nodiscard]] ContactId id() const { return {slot, generation}; }
};
static_assert(sizeof(FixedContact) == 28 && alignof(FixedContact) == 4);

class alignas(8) Record {
  public:
    [[nodiscard]] std::uint64_t hash() const { return hash_; }
    [[nodiscard]] std::size_t bytes() const { return bytes_; }
    [[nodiscard]] std::size_t contact_count() const { return contacts_; }
    [[nodiscard]] std::string_view aor() const {
        return {text_at(sizeof(Record) + contacts_ * (sizeof(ContactState) + sizeof(FixedContact))),
                aor_len_};
    }
    [[nodiscard]] bool is(std::uint64_t hash, std::string_view aor_text) const {
        return hash_ == hash && aor() == aor_text;
    }

    [[nodiscard]] const FixedContact& fixed(std::size_t i) const {
        return reinterpret_cast<const FixedContact*>(
            text_at(sizeof(Record) + contacts_ * sizeof(ContactState)))[i];
    }
    [[nodiscard]] std::string_view uri(std::size_t i) const {
        return {text_at(fixed(i).text_offset), fixed(i).uri_len};
    }
    [[nodiscard]] StoredParams params(std::size_t i) const {
        const FixedContact& f = fixed(i);
        return {kept_params(f), static_cast<ParamsForm>(f.form), f.instance_offset, f.instance_len};
    }
    [[nodiscard]] std::string_view path(std::size_t i) const {
        const FixedContact& f = fixed(i);
        return {text_at(f.text_offset + std::size_t{f.uri_len} + f.params_len), f.path_len};
    }
    [[nodiscard]] StoredInstance instance(std::size_t i) const { return params(i).instance(); }
    // What the texts of a contact take.
    [[nodiscard]] std::size_t text_bytes(std::size_t i) const {
        return std::size_t{fixed(i).uri_len} + fixed(i).params_len + fixed(i).path_len;
    }
    // Which contact has this id; contact_count() if none.
    [[nodiscard]] std::size_t index_of(ContactId id) const {
        std::size_t i = 0;
        while (i < contacts_ && fixed(i).id() != id) {
            ++i;
        }
        return i;
    }

    // Everything but the state, which read() copies.
    void view_fixed(std::size_t i, ContactView& view) const;

    // One contact, whole, as it was at one moment. False: claimed for too long.
    [[nodiscard]] bool read(std::size_t i, ContactView& view) const {
        view_fixed(i, view);
        return seq_.read([&] { view.state = load_state(i); });
    }
    // The state alone.
    [[nodiscard]] bool read_state(std::size_t i, ContactState& state) const {
        return seq_.read([&] { state = load_state(i); });
    }
    // All contacts at the same moment; `views` holds contact_count() or more.
    [[nodiscard]] bool read_all(std::span<ContactView> views) const;

    // The whole of it as bytes() bytes, this version in the place of its sequence word. Of a record
    // that is claimed, or nobody else's yet.
    void copy_out(std::byte* to, std::uint32_t version) const;
    // The same of any record, as it was at one moment. False: claimed for too long.
    [[nodiscard]] bool read_out(std::byte* to) const;
    // What copy_out() has made, at the beginning of `bytes`, all its lengths looked at. Null: it is
    // no record.
    [[nodiscard]] static const Record* sound(std::span<const std::byte> bytes);
    [[nodiscard]] std::uint32_t copied_version() const { return seq_.as_copied(); }

    // Not for users of the table: the words themselves, for who holds the claim, and for read().
    [[nodiscard]] ContactState load_state(std::size_t i) const;
    [[nodiscard]] std::uint32_t load_expires_at_s(std::size_t i) const;
    void store_state(std::size_t i, const ContactState& state);
    void store_state_but_flow(std::size_t i, const ContactState& state);
    [[nodiscard]] SequenceWord& sequence() const { return seq_; }

  private:
    friend class RecordBuilder;
    Record() = default;

    [[nodiscard]] const char* text_at(std::size_t offset) const {
        return reinterpret_cast<const char*>(this) + offset;
    }
    [[nodiscard]] std::string_view kept_params(const FixedContact& f) const {
        return {text_at(f.text_offset + f.uri_len), f.params_len};
    }
    [[nodiscard]] std::atomic<std::uint64_t>* words(std::size_t i) const {
        return reinterpret_cast<std::atomic<std::uint64_t>*>(const_cast<Record*>(this) + 1) +
               i * kStateWords;
    }

    mutable SequenceWord seq_;
    std::uint16_t bytes_ = 0;
    std::uint8_t aor_len_ = 0;
    std::uint8_t contacts_ = 0;
    std::uint64_t hash_ = 0;
};
static_assert(sizeof(Record) == 16);
static_assert(sizeof(std::atomic<std::uint64_t>) == 8 &&
              std::atomic<std::uint64_t>::is_always_lock_free);

// Inline: the refresh's way. The order of words and sequence is SequenceWord's story.
inline ContactState Record::load_state(std::size_t i) const {
    StateWords copy;
    for (std::size_t w = 0; w < kStateWords; ++w) {
        copy[w] = words(i)[w].load(std::memory_order_acquire);
    }
    return std::bit_cast<ContactState>(copy);
}
inline std::uint32_t Record::load_expires_at_s(std::size_t i) const {
    constexpr std::size_t kOffset = offsetof(ContactState, expires_at_s);
    const std::uint64_t word = words(i)[kOffset / 8].load(std::memory_order_acquire);
    return std::bit_cast<std::array<std::uint32_t, 2>>(word)[kOffset % 8 / 4];
}
inline void Record::store_state(std::size_t i, const ContactState& state) {
    const auto copy = std::bit_cast<StateWords>(state);
    for (std::size_t w = 0; w < kStateWords; ++w) {
        words(i)[w].store(copy[w], std::memory_order_release);
    }
}
inline void Record::store_state_but_flow(std::size_t i, const ContactState& state) {
    const auto copy = std::bit_cast<StateWords>(state);
    for (std::size_t w = kFlowWords; w < kStateWords; ++w) {
        words(i)[w].store(copy[w], std::memory_order_release);
    }
}

// The bytes that a record takes, texts as they are kept.
[[nodiscard]] constexpr std::size_t record_bytes(std::size_t aor_len, std::size_t contacts,
                                                 std::size_t text_len) {
    return sizeof(Record) + contacts * (sizeof(ContactState) + sizeof(FixedContact)) + aor_len +
           text_len;
}
static_assert(record_bytes(25, 1, 35 + kUuidBytes) <= 192);
static_assert(record_bytes(kMaxAorBytes, kMaxContactsPerAor,
                           kMaxContactsPerAor*(kMaxUriBytes + kMaxParamsBytes + kMaxPathBytes)) <=
              0xffff);

// What the texts of a new contact take of that.
[[nodiscard]] inline std::size_t text_bytes(const NewContact& contact) {
    return contact.uri.size() + ParamsKeeper(contact.params, contact.instance).bytes() +
           contact.path.size();
}

// A claimed record in the hands of refresh_any()'s `decide`. Read and judge everything first, then
// update: there is no way back from an update.
class ClaimedRecord {
  public:
    explicit ClaimedRecord(Record& record) : record_(record) {}

    [[nodiscard]] const Record& record() const { return record_; }
    [[nodiscard]] ContactState state(std::size_t i) const { return record_.load_state(i); }
    // All of the state but the flow, which stays: moving a contact is the owner's.
    void update(std::size_t i, const ContactState& state) {
        const bool sooner = state.expires_at_s < record_.load_expires_at_s(i);
        record_.store_state_but_flow(i, state);
        changed_ |= 1u << i;
        sooner_ |= sooner ? 1u << i : 0;
    }
    // A bit a contact: updated; and among those, to expire earlier than before, which the wheel
    // must hear of (a later expiry it finds out by itself).
    [[nodiscard]] std::uint32_t changed() const { return changed_; }
    [[nodiscard]] std::uint32_t sooner() const { return sooner_; }

  private:
    Record& record_;
    std::uint32_t changed_ = 0;
    std::uint32_t sooner_ = 0;
};
static_assert(kMaxContactsPerAor <= 32, "one bit a contact");

// Lays out a record in memory of record_bytes(): begin, then each contact in order. The owner's,
// before publication.
class RecordBuilder {
  public:
    RecordBuilder(void* memory, std::size_t bytes, std::uint64_t hash, std::string_view aor,
                  std::size_t contacts);
    void add(ContactId id, const NewContact& contact);
    // Takes over a contact of the old record, with this state.
    void carry(const Record& old, std::size_t i, const ContactState& state);
    [[nodiscard]] Record* record() const { return record_; }

  private:
    struct Texts {  // as kept
        std::string_view uri;
        std::string_view params;
        std::string_view path;
    };
    void append(FixedContact fixed, const Texts& texts, const ContactState& state);

    Record* record_;
    std::size_t next_ = 0;
    std::size_t text_offset_;
};

}  // namespace pinhole::table
