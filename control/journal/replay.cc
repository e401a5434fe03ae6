// SPDX-License-Identifier: BSD-3-Clause
#include "control/journal/replay.h"

#include "control/journal/walk.h"

#include <algorithm>
#include <cstring>
#include <unordered_set>

namespace pinhole::journal {
namespace {

using table::ChangeHead;
using table::ChangeKind;
using table::ContactId;
using table::Record;
using table::RefreshChange;
using table::SequenceWord;

constexpr std::uint16_t kNoPort = 0xffff;
// Records whose memory is fetched ahead of their turn.
constexpr std::size_t kAhead = 16;

bool is_later(std::uint32_t a, std::uint32_t b) {
    return static_cast<std::int32_t>(a - b) > 0;
}

}  // namespace

Extent measure(std::span<const std::byte> chunks) {
    return walk(chunks, [](const ChangeHead&) {});
}

void ReplayFigures::add(const ReplayFigures& more) {
    contacts += more.contacts;
    expired += more.expired;
    homeless += more.homeless;
    conflicts += more.conflicts;
    no_room += more.no_room;
    damaged += more.damaged;
    refreshes += more.refreshes;
}

Replay::Terms Replay::terms(const RunInfo& from, const RunInfo& to) {
    Terms terms;
    terms.ms_offset = static_cast<std::uint32_t>(from.clock_zero_ms - to.clock_zero_ms);
    for (std::size_t i = 0; i < kMaxPorts; ++i) {
        const auto* const same = std::find(to.ports.begin(), to.ports.end(), from.ports[i]);
        terms.ports[i] = from.ports[i][0] == '\0' || same == to.ports.end()
                             ? kNoPort
                             : static_cast<std::uint16_t>(same - to.ports.begin());
    }
    return terms;
}

Replay::Replay(std::span<const Source> sources, const RunInfo& now, std::uint32_t now_s,
               table::BindingTable& table, table::QualifyTable& states)
    : sources_(sources),
      now_(now),
      now_s_(now_s),
      table_(table),
      states_(states),
      latest_(table.max_contacts()) {
    for (const Source& source : sources) {
        terms_.push_back(terms(source.run, now));
    }
}

void Replay::gather(std::uint32_t n, std::uint32_t of) {
    for (const Source& source : sources_) {
        if (source.is_snapshot) {
            continue;
        }
        (void)walk(source.chunks, [&](const ChangeHead& change) {
            if (change.kind() != ChangeKind::kRefresh || change.bytes() != sizeof(RefreshChange)) {
                return;
            }
            const auto& refresh = reinterpret_cast<const RefreshChange&>(change);
            if (ContactId::from_packed(refresh.id).slot % of == n) {
                note(refresh, source.run.run);
            }
        });
    }
}

// Runs come one after the other. Within one, the later contact of a slot counts, and of a contact
// the higher version.
void Replay::note(const RefreshChange& refresh, std::uint64_t run) {
    const ContactId id = ContactId::from_packed(refresh.id);
    if (id.slot >= latest_.size()) {
        return;
    }
    Latest& latest = latest_[id.slot];
    if (latest.refresh != nullptr && latest.run == run) {
        const bool newer = latest.generation == id.generation
                               ? SequenceWord::is_later(refresh.version, latest.version)
                               : is_later(id.generation, latest.generation);
        if (!newer) {
            return;
        }
    }
    latest = {&refresh, run, id.generation, refresh.version};
}

const RefreshChange* Replay::newer(ContactId id, std::uint64_t run, std::uint32_t version) const {
    const Latest& latest = latest_[id.slot];
    if (latest.refresh == nullptr || latest.generation != id.generation || latest.run < run) {
        return nullptr;
    }
    return latest.run > run || SequenceWord::is_later(latest.version, version) ? latest.refresh
                                                                               : nullptr;
}

// The work of one shard. What the logs say comes first, the last word of each AOR before all
// others; the snapshot says the rest.
class Replay::Shard {
  public:
    Shard(Replay& replay, std::uint32_t shard) : replay_(replay), shard_(shard) {}

    ReplayFigures run() {
        for (std::size_t i = 0; i < replay_.sources_.size(); ++i) {
            if (!replay_.sources_[i].is_snapshot) {
                collect(i);
            }
        }
        for (std::size_t i = collected_.size(); i-- > 0;) {
            if (i >= kAhead) {
                prefetch(collected_[i - kAhead]);
                prefetch_refresh(collected_[i - kAhead / 2]);
            }
            last_word(collected_[i]);
        }
        collected_ = {};
        for (std::size_t i = 0; i < replay_.sources_.size(); ++i) {
            if (replay_.sources_[i].is_snapshot) {
                take_snapshot(i);
            }
        }
        return figures_;
    }

  private:
    void collect(std::size_t source) {
        const Extent extent = walk(replay_.sources_[source].chunks, [&](const ChangeHead& change) {
            Image image{nullptr, &change, source};
            std::uint64_t hash = 0;
            switch (change.kind()) {
                case ChangeKind::kImage:
                    image.record = table::image_of(change);
                    hash = image.record != nullptr ? image.record->hash() : 0;
                    break;
                case ChangeKind::kGone:
                    hash = reinterpret_cast<const table::GoneChange&>(change).hash;
                    break;
                default:
                    return;
            }
            if (replay_.table_.shard_of(hash) != shard_) {
                return;
            }
            if (image.record == nullptr && table::gone_aor(change).empty()) {
                ++figures_.damaged;
                return;
            }
            collected_.push_back(image);
        });
        figures_.damaged += extent.lost_bytes != 0 && shard_ == 0 ? 1 : 0;
    }

    void prefetch(const Image& image) const {
        if (image.record != nullptr) {
            const table::FixedContact& first = image.record->fixed(0);
            replay_.table_.prefetch_restore(image.record->hash(), first,
                                            image.record->load_state(0).flow);
            if (first.slot < replay_.latest_.size()) {
                __builtin_prefetch(&replay_.latest_[first.slot]);
            }
        }
    }
    // Once that has come.
    void prefetch_refresh(const Image& image) const {
        if (image.record != nullptr && image.record->fixed(0).slot < replay_.latest_.size()) {
            __builtin_prefetch(replay_.latest_[image.record->fixed(0).slot].refresh);
        }
    }

    void last_word(const Image& image) {
        const std::uint64_t hash =
            image.record != nullptr
                ? image.record->hash()
                : reinterpret_cast<const table::GoneChange*>(image.change)->hash;
        if (image.record == nullptr || (!is_said(*image.record) && !restore(image))) {
            said_.insert(hash);
        }
    }

    // A later word on it than this has been taken: it is there, or has been found gone.
    [[nodiscard]] bool is_said(const Record& record) const {
        return (!said_.empty() && said_.count(record.hash()) != 0) ||
               replay_.table_.find(record.hash(), record.aor()) != nullptr;
    }

    void take_snapshot(std::size_t source) {
        std::array<Image, kAhead> waiting{};
        std::size_t n = 0;
        const auto take = [&](const Image& image) {
            if (!is_said(*image.record)) {
                (void)restore(image);
            }
        };
        const Extent extent = walk(replay_.sources_[source].chunks, [&](const ChangeHead& change) {
            const Record* record =
                change.kind() == ChangeKind::kEntry ? table::image_of(change) : nullptr;
            if (record == nullptr) {
                figures_.damaged += shard_ == 0 ? 1 : 0;
                return;
            }
            if (replay_.table_.shard_of(record->hash()) != shard_) {
                return;
            }
            Image& place = waiting[n % kAhead];
            if (n >= kAhead) {
                take(place);
            }
            place = {record, &change, source};
            prefetch(place);
            if (n >= kAhead / 2) {
                prefetch_refresh(waiting[(n - kAhead / 2) % kAhead]);
            }
            ++n;
        });
        for (std::size_t i = n >= kAhead ? n - kAhead : 0; i < n; ++i) {
            take(waiting[i % kAhead]);
        }
        figures_.damaged += extent.lost_bytes != 0 && shard_ == 0 ? 1 : 0;
    }

    // Its contacts that are still alive. False: the AOR has none.
    bool restore(const Image& image) {
        const Record& record = *image.record;
        const RunInfo& run = replay_.sources_[image.source].run;
        std::array<table::NewContact, table::kMaxContactsPerAor> contacts;
        std::array<table::StoredParams::Room, table::kMaxContactsPerAor> rooms;
        std::size_t count = 0;
        for (std::size_t i = 0; i < record.contact_count(); ++i) {
            table::NewContact& contact = contacts[count];
            contact = {};
            if (take_contact(record, i, image.source, run.run, rooms[count], contact)) {
                ++count;
            }
        }
        if (count == 0) {
            return false;
        }
        switch (
            replay_.table_.restore_owner(record.hash(), record.aor(), {contacts.data(), count})) {
            case table::ChangeResult::kOk:
                figures_.contacts += count;
                for (std::size_t i = 0; i < record.contact_count(); ++i) {
                    take_learned(image, i);
                }
                return true;
            case table::ChangeResult::kNoMemory:
                figures_.no_room += count;
                break;
            default:
                figures_.conflicts += count;
                break;
        }
        return false;
    }

    bool take_contact(const Record& record, std::size_t i, std::size_t source, std::uint64_t run,
                      table::StoredParams::Room& room, table::NewContact& contact) {
        const table::FixedContact& fixed = record.fixed(i);
        const Terms& terms = replay_.terms_[source];
        if (fixed.slot >= replay_.latest_.size()) {
            ++figures_.no_room;  // the table is smaller than it was
            return false;
        }
        table::ContactState state = record.load_state(i);
        std::uint32_t offset = terms.ms_offset;
        if (const RefreshChange* refresh =
                replay_.newer(fixed.id(), run, record.copied_version())) {
            state.call_id_hash = refresh->call_id_hash;
            state.expires_at_s = refresh->expires_at_s;
            state.cseq = refresh->cseq;
            state.refreshed_at_ms = refresh->refreshed_at_ms;
            state.q = refresh->q;
            state.flags = refresh->flags;
            offset = offset_of(replay_.latest_[fixed.slot].run, offset);
            ++figures_.refreshes;
        }
        if (state.expires_at_s <= replay_.now_s_) {
            ++figures_.expired;
            return false;
        }
        const std::uint16_t port =
            state.flow.port < kMaxPorts ? terms.ports[state.flow.port] : kNoPort;
        if (port == kNoPort) {
            ++figures_.homeless;
            return false;
        }
        state.flow.port = port;
        state.refreshed_at_ms += offset;
        contact.uri = record.uri(i);
        const table::StoredParams params = record.params(i);
        contact.params = params.text(room);
        contact.instance = params.instance_in(contact.params);
        contact.path = record.path(i);
        contact.reg_id = fixed.reg_id;
        contact.registered_at_s = fixed.registered_at_s;
        contact.state = state;
        contact.restored_id = fixed.id();
        return true;
    }

    std::uint32_t offset_of(std::uint64_t run, std::uint32_t otherwise) const {
        for (std::size_t i = replay_.sources_.size(); i-- > 0;) {
            if (replay_.sources_[i].run.run == run) {
                return replay_.terms_[i].ms_offset;
            }
        }
        return otherwise;
    }

    // What pings have taught: as the last run had it in memory, else as the snapshot has it.
    void take_learned(const Image& image, std::size_t i) {
        const ContactId id = image.record->fixed(i).id();
        table::QualifyView view;
        std::uint32_t offset = replay_.terms_[image.source].ms_offset;
        if (replay_.learned_ != nullptr) {
            view = replay_.learned_->read_any(id);
            if (view.generation != 0) {
                offset = terms(replay_.learned_run_, replay_.now_).ms_offset;
            }
        }
        if (view.generation == 0 && image.change->kind() == ChangeKind::kEntry) {
            table::QualifyTable::Words words;
            const auto* at = reinterpret_cast<const std::byte*>(image.change) +
                             table::change_bytes(image.record->bytes()) + i * sizeof words;
            std::memcpy(words.data(), at, sizeof words);
            view = table::QualifyTable::view_of(words);
        }
        if (view.generation != id.generation || table_has_not(id)) {
            return;
        }
        if (view.last_ping_ms != 0) {  // else it never was pinged
            view.last_ping_ms += offset;
        }
        replay_.states_.write_control(id.slot, view);
    }

    [[nodiscard]] bool table_has_not(ContactId id) const {
        return replay_.table_.record_of(id) == nullptr || id.slot >= replay_.states_.capacity();
    }

    Replay& replay_;
    const std::uint32_t shard_;
    std::vector<Image> collected_;
    std::unordered_set<std::uint64_t> said_;  // hashes of AORs that the logs end without a contact
    ReplayFigures figures_;
};

ReplayFigures Replay::restore_shard(std::uint32_t shard) {
    return Shard(*this, shard).run();
}

}  // namespace pinhole::journal
