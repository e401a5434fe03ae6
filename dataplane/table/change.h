// SPDX-License-Identifier: BSD-3-Clause
// A structural change of one AOR, by its shard's owner. The current record is claimed first, so
// that no refresh comes between the decision and its effect. Everything that can fail (slots,
// memory, a bucket cell, room to retire) is taken before anything is published; then the new record
// stands in the bucket before the old one is marked dead, so that who waited for the claim finds
// what to do next. The table's own: its users call change_owner().
#pragma once

#include "dataplane/table/binding_table.h"
#include "dataplane/table/edit.h"
#include "dataplane/table/scratch.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace pinhole::table {

class Change {
  public:
    Change(BindingTable& table, std::uint64_t hash, std::string_view aor)
        : table_(table),
          shard_n_(table.shard_of(hash)),
          shard_(table.shards_[shard_n_]),
          hash_(hash),
          aor_(aor) {}

    BindingTable::Changed run(const BindingTable::PlannedChange& planned);

  private:
    using Action = Edit::Action;
    using Kind = RetireList::Kind;

    [[nodiscard]] std::size_t old_count() const {
        return old_ != nullptr ? old_->contact_count() : 0;
    }
    BindingTable::Changed refuse(ChangeResult why);

    [[nodiscard]] bool claim();
    [[nodiscard]] ChangeResult plan();
    [[nodiscard]] bool count_text(const NewContact& contact);
    void change_in_place();
    void settle(std::size_t i, const ContactState& state, std::string_view path);
    void link(std::uint32_t slot, const net::Flow& flow, std::string_view path);
    void unlink(std::size_t i);

    [[nodiscard]] ChangeResult reserve();
    [[nodiscard]] bool reserve_room();
    [[nodiscard]] bool reserve_slots();
    [[nodiscard]] bool reserve_memory();
    void give_slots_back();

    void build();
    void log();
    void publish();
    void settle_contacts();
    void retire_old();

    const NewContact& new_contact(std::size_t i) const {
        return edit_.new_[edit_.new_index_[i]].contact;
    }

    BindingTable& table_;
    const std::uint32_t shard_n_;
    Shard& shard_;
    const std::uint64_t hash_;
    const std::string_view aor_;

    BucketIndex::Place place_;
    Record* old_ = nullptr;  // claimed
    Scratch<ContactView, kMaxContactsPerAor> views_;
    Edit edit_;

    // The plan.
    std::size_t contacts_ = 0;  // that will be
    std::size_t dropped_ = 0;
    std::size_t text_bytes_ = 0;
    bool new_texts_ = false;
    bool modified_ = false;

    // The reserves.
    std::array<ContactId, Edit::kMaxNew> ids_;
    std::size_t taken_ = 0;  // of ids_, in the order of edit_.new_, the added ones alone
    void* memory_ = nullptr;
    std::size_t bytes_ = 0;
    Record* fresh_ = nullptr;
};

}  // namespace pinhole::table
