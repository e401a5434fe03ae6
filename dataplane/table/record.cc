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

void Record::copy_out(std::byte* to, std::uint32_t version) const {
    const auto* from = reinterpret_cast<const std::byte*>(this);
    const std::uint32_t word = SequenceWord::copy_of(version);
    std::memcpy(to, &word, sizeof word);
    std::memcpy(to + sizeof word, from + sizeof word, sizeof(Record) - sizeof word);
    std::size_t at = sizeof(Record);
    for (std::size_t i = 0; i < contacts_; ++i, at += sizeof(ContactState)) {
        const ContactState state = load_state(i);
        std::memcpy(to + at, &state, sizeof state);
    }
    std::memcpy(to + at, from + at, bytes_ - at);
}

bool Record::read_out(std::byte* to) const {
    std::uint32_t version = 0;
    const bool whole = seq_.read([&] { copy_out(to, 0); }, version);
    const std::uint32_t word = SequenceWord::copy_of(version);
    std::memcpy(to, &word, sizeof word);
    return whole;
}

const Record* Record::sound(std::span<const std::byte> bytes) {
    if (bytes.size() < sizeof(Record)) {
        return nullptr;
    }
    const auto* record = reinterpret_cast<const Record*>(bytes.data());
    const std::size_t all = record->bytes_;
    const std::size_t n = record->contacts_;
    if (n == 0 || n > kMaxContactsPerAor || record->aor_len_ == 0 || all > bytes.size() ||
        all < record_bytes(record->aor_len_, n, 0)) {
        return nullptr;
    }
    for (std::size_t i = 0; i < n; ++i) {
        const FixedContact& f = record->fixed(i);
        if (!f.id().valid() || f.text_offset < record_bytes(record->aor_len_, n, 0) ||
            f.text_offset + record->text_bytes(i) > all || f.uri_len > kMaxUriBytes ||
            f.path_len > kMaxPathBytes ||
            !StoredParams::sound(f.params_len, static_cast<ParamsForm>(f.form), f.instance_offset,
                                 f.instance_len)) {
            return nullptr;
        }
    }
    return record;
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
    const ParamsKeeper params(contact.params, contact.instance);
    fixed.instance_offset = params.instance_offset();
    fixed.instance_len = params.instance_len() & 0x3fffU;
    fixed.form = static_cast<std::uint16_t>(params.form()) & 3U;
    std::array<char, kMaxParamsBytes> kept;
    const auto len = static_cast<std::size_t>(params.write(kept.data()) - kept.data());
    append(fixed, {contact.uri, {kept.data(), len}, contact.path}, contact.state);
}

void RecordBuilder::carry(const Record& old, std::size_t i, const ContactState& state) {
    append(old.fixed(i), {old.uri(i), old.kept_params(old.fixed(i)), old.path(i)}, state);
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
