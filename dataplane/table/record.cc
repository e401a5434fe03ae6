// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/table/record.h"

#include <cstring>
#include <new>

namespace pinhole::table {

void Record::view_fixed(std::size_t i, ContactView& view) const {
    const FixedContact& f = fixed(i);
    view.id = f.id();
    view.aor = aor();
    view.uri = uri(i);
    view.params = params(i);
    view.instance = instance(i);
    view.path = path(i);
    view.reg_id = f.reg_id;
    view.registered_at_s = f.registered_at_s;
}

bool Record::read_all(std::span<ContactView> views) const {
    const std::size_t count = std::min(views.size(), contact_count());
    for (std::size_t i = 0; i < count; ++i) {
        view_fixed(i, views[i]);
    }
    return seq_.read([&] {
        for (std::size_t i = 0; i < count; ++i) {
            views[i].state = load_state(i);
        }
    });
}

RecordBuilder::RecordBuilder(void* memory, std::size_t bytes, std::uint64_t hash,
                             std::string_view aor, std::size_t contacts)
    : record_(new(memory) Record) {
    record_->bytes_ = static_cast<std::uint16_t>(bytes);
    record_->hash_ = hash;
    record_->aor_len_ = static_cast<std::uint8_t>(aor.size());
    record_->contacts_ = static_cast<std::uint8_t>(contacts);
    const std::size_t aor_offset = record_bytes(0, contacts, 0);
    std::memcpy(static_cast<char*>(memory) + aor_offset, aor.data(), aor.size());
    text_offset_ = aor_offset + aor.size();
}

void RecordBuilder::add(ContactId id, const NewContact& contact) {
    FixedContact fixed{};
    fixed.slot = id.slot;
    fixed.generation = id.generation;
    fixed.registered_at_s = contact.registered_at_s;
    fixed.reg_id = contact.reg_id;
    if (!contact.instance.empty()) {
        fixed.instance_offset =
            static_cast<std::uint16_t>(contact.instance.data() - contact.params.data());
        fixed.instance_len = static_cast<std::uint16_t>(contact.instance.size());
    }
    append(fixed, {contact.uri, contact.params, contact.path}, contact.state);
}

void RecordBuilder::carry(const Record& old, std::size_t i, const ContactState& state) {
    append(old.fixed(i), {old.uri(i), old.params(i), old.path(i)}, state);
}

void RecordBuilder::append(FixedContact fixed, const Texts& texts, const ContactState& state) {
    char* base = reinterpret_cast<char*>(record_);
    fixed.text_offset = static_cast<std::uint16_t>(text_offset_);
    fixed.uri_len = static_cast<std::uint16_t>(texts.uri.size());
    fixed.params_len = static_cast<std::uint16_t>(texts.params.size());
    fixed.path_len = static_cast<std::uint16_t>(texts.path.size());
    for (const std::string_view text : {texts.uri, texts.params, texts.path}) {
        // Not memcpy: an empty text may point nowhere.
        std::copy(text.begin(), text.end(), base + text_offset_);
        text_offset_ += text.size();
    }
    new (base + sizeof(Record) + record_->contact_count() * sizeof(ContactState) +
         next_ * sizeof(FixedContact)) FixedContact(fixed);
    for (std::size_t w = 0; w < kStateWords; ++w) {
        new (record_->words(next_) + w) std::atomic<std::uint64_t>;
    }
    record_->store_state(next_, state);
    ++next_;
}

}  // namespace pinhole::table
