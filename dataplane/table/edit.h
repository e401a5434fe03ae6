// SPDX-License-Identifier: BSD-3-Clause
// What a structural change is to do to one AOR, as the registrar decides it: keep, modify, replace
// or drop each contact that there is, and add new ones. Nothing happens until the whole of it can.
// Pure; lives on the owner's stack.
#pragma once

#include "dataplane/table/contact.h"
#include "dataplane/table/record.h"
#include "dataplane/table/scratch.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace pinhole::table {

// What is there now, under the claim, so that no refresh comes in between.
struct Current {
    const Record* record = nullptr;         // null: the AOR has no contact
    std::span<const ContactView> contacts;  // in the record's order
};

class Edit {
  public:
    // New texts in one change: what one REGISTER may bring.
    static constexpr std::size_t kMaxNew = 16;

    enum class Action : std::uint8_t { kKeep, kModify, kReplace, kDrop };

    // Another state, another flow too if need be; the texts stay.
    void modify(std::size_t i, const ContactState& state) {
        actions_[i] = Action::kModify;
        states_.set(i, state);
    }
    // Other texts and state for the same binding: its id stays. False: more than kMaxNew.
    [[nodiscard]] bool replace(std::size_t i, const NewContact& contact) {
        if (new_count_ == kMaxNew) {
            return false;
        }
        actions_[i] = Action::kReplace;
        new_index_[i] = static_cast<std::uint8_t>(new_count_);
        new_.set(new_count_++, {contact, false});
        return true;
    }
    void drop(std::size_t i) { actions_[i] = Action::kDrop; }
    // Would there be a contact that isn't there now?
    [[nodiscard]] bool adds() const {
        std::size_t i = 0;
        while (i < new_count_ && !new_[i].added) {
            ++i;
        }
        return i < new_count_;
    }
    [[nodiscard]] bool add(const NewContact& contact) {
        if (new_count_ == kMaxNew) {
            return false;
        }
        new_.set(new_count_++, {contact, true});
        return true;
    }

  private:
    friend class Change;
    struct Text {
        NewContact contact;
        bool added = false;
    };

    std::array<Action, kMaxContactsPerAor> actions_{};
    std::array<std::uint8_t, kMaxContactsPerAor> new_index_{};
    Scratch<ContactState, kMaxContactsPerAor> states_;
    Scratch<Text, kMaxNew> new_;
    std::size_t new_count_ = 0;
};

enum class ChangeResult : std::uint8_t {
    kOk,
    kNothing,    // `decide` said no, or there was nothing to remove
    kTableFull,  // no contact slot is free
    kNoMemory,   // the records' memory is used up
    kBusy,       // too much waits for readers to let go of it; soon again
    kTooLarge,   // a text, or the number of contacts, is over its bound
    kContended,  // the record stayed claimed for too long
};

enum class RefreshResult : std::uint8_t {
    kOk,
    kDead,       // another record has taken its place: find it again
    kContended,  // stayed claimed for too long
};

}  // namespace pinhole::table
