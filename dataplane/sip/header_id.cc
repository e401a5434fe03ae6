// SPDX-License-Identifier: BSD-3-Clause
// The table behind header_id(). A name's slot comes from its length and its first four letters; the
// multiplier is searched for at compile time until no two names share a slot, so a look-up is one
// probe and one compare of 24 bytes. Case is folded at letters alone: folding a '-' would let a CR
// pass for one
// ("Call\rID").
#include "dataplane/sip/header_id.h"

#include "dataplane/sip/text.h"

#include <array>
#include <bit>
#include <cstring>

namespace pinhole::sip {
namespace {

struct Name {
    std::string_view text;
    char compact;
};
// In the order of HeaderId. Compact forms: IANA, "SIP Header Fields".
constexpr std::array<Name, kHeaderIdCount> kNames{{
    {"", 0},
    {"Via", 'v'},
    {"From", 'f'},
    {"To", 't'},
    {"Call-ID", 'i'},
    {"CSeq", 0},
    {"Contact", 'm'},
    {"Max-Forwards", 0},
    {"Route", 0},
    {"Record-Route", 0},
    {"Expires", 0},
    {"Min-Expires", 0},
    {"Require", 0},
    {"Proxy-Require", 0},
    {"Supported", 'k'},
    {"Unsupported", 0},
    {"Authorization", 0},
    {"Proxy-Authorization", 0},
    {"WWW-Authenticate", 0},
    {"Proxy-Authenticate", 0},
    {"Path", 0},
    {"Service-Route", 0},
    {"Content-Length", 'l'},
    {"Content-Type", 'c'},
    {"Content-Encoding", 'e'},
    {"Event", 'o'},
    {"User-Agent", 0},
    {"Server", 0},
    {"Allow", 0},
    {"Allow-Events", 'u'},
    {"P-Asserted-Identity", 0},
    {"P-Preferred-Identity", 0},
    {"Remote-Party-ID", 0},
    {"Privacy", 0},
    {"Retry-After", 0},
    {"Date", 0},
    {"Subject", 's'},
    {"Refer-To", 'r'},
    {"Referred-By", 'b'},
    {"Session-Expires", 'x'},
    {"Min-SE", 0},
    {"Flow-Timer", 0},
    {"Accept", 0},
    {"Accept-Contact", 'a'},
    {"Reject-Contact", 'j'},
    {"Request-Disposition", 'd'},
    {"Identity", 'y'},
    {"Subscription-State", 0},
}};
static_assert(kNames.back().text == "Subscription-State");

constexpr std::size_t kSlotBits = 9;
constexpr std::size_t kSlots = std::size_t{1} << kSlotBits;
constexpr std::size_t kWords = kHeaderNameRoom / 8;

struct Entry {
    std::uint64_t text[kWords];  // lower case, little-endian
    std::uint64_t fold[kWords];  // 0x20 at letters
    std::uint64_t mask[kWords];  // 0xff at each byte of the name
    std::uint64_t len;
};
struct Table {
    std::uint32_t multiplier;
    std::array<std::uint8_t, kSlots> ids;
    std::array<Entry, kHeaderIdCount> entries;
    std::array<std::uint8_t, 256> compact;
};

// `first` is the first four bytes, little-endian; of a shorter name what is behind it is shifted
// out.
constexpr std::uint32_t slot_of(std::uint32_t first, std::size_t len, std::uint32_t multiplier) {
    const std::uint32_t letters = len < 4 ? first << (32 - 8 * len) : first;
    const auto mixed = (letters | 0x20202020u) + static_cast<std::uint32_t>(len);
    return mixed * multiplier >> (32 - kSlotBits);
}

constexpr std::uint32_t first_letters(std::string_view name) {
    std::uint32_t first = 0;
    for (std::size_t i = 0; i < name.size() && i < 4; ++i) {
        first |= static_cast<std::uint32_t>(static_cast<unsigned char>(name[i])) << (8 * i);
    }
    return first;
}

constexpr bool place_all(Table& table) {
    table.ids = {};
    for (std::size_t id = 1; id < kNames.size(); ++id) {
        const std::string_view name = kNames[id].text;
        auto& slot = table.ids[slot_of(first_letters(name), name.size(), table.multiplier)];
        if (slot != 0) {
            return false;
        }
        slot = static_cast<std::uint8_t>(id);
    }
    return true;
}

constexpr std::uint32_t find_multiplier() {
    Table table{};
    for (std::uint32_t n = 0; n < 4096; ++n) {
        table.multiplier = 0x9e3779b1u + 2654435770u * n;
        if (place_all(table)) {
            return table.multiplier;
        }
    }
    return 0;
}

constexpr Table make_table() {
    Table table{};
    table.multiplier = find_multiplier();
    place_all(table);
    for (std::size_t id = 1; id < kNames.size(); ++id) {
        const std::string_view name = kNames[id].text;
        Entry& entry = table.entries[id];
        entry.len = name.size();
        for (std::size_t i = 0; i < name.size(); ++i) {
            const char c = name[i];
            const unsigned shift = i % 8 * 8;
            const bool upper = c >= 'A' && c <= 'Z';
            const bool letter = upper || (c >= 'a' && c <= 'z');
            const auto folded = static_cast<unsigned char>(upper ? c | 0x20 : c);
            entry.text[i / 8] |= std::uint64_t{folded} << shift;
            entry.fold[i / 8] |= std::uint64_t{letter ? 0x20u : 0u} << shift;
            entry.mask[i / 8] |= std::uint64_t{0xff} << shift;
        }
        if (kNames[id].compact != 0) {
            const auto c = static_cast<unsigned char>(kNames[id].compact);
            table.compact[c] = table.compact[c & ~0x20u] = static_cast<std::uint8_t>(id);
        }
    }
    return table;
}

constexpr Table kTable = make_table();
static_assert(kTable.multiplier != 0, "no multiplier without a collision: raise kSlotBits");
static_assert(std::endian::native == std::endian::little, "names are compared as words");

}  // namespace

HeaderId header_id(std::string_view name, std::size_t readable) {
    const std::size_t len = name.size();
    if (len <= 1) {
        return len == 0 ? HeaderId::kOther
                        : static_cast<HeaderId>(
                              kTable.compact[static_cast<unsigned char>(name.front())]);
    }
    std::uint64_t words[kWords] = {};
    if (readable >= kHeaderNameRoom) [[likely]] {
        std::memcpy(words, name.data(), kHeaderNameRoom);
    } else {
        std::memcpy(words, name.data(), len < kHeaderNameRoom ? len : kHeaderNameRoom);
    }
    const std::uint8_t id =
        kTable.ids[slot_of(static_cast<std::uint32_t>(words[0]), len, kTable.multiplier)];
    const Entry& entry = kTable.entries[id];
    if (entry.len != len) {
        return HeaderId::kOther;
    }
    std::uint64_t differ = 0;
    for (std::size_t i = 0; i < kWords; ++i) {
        differ |= ((words[i] | entry.fold[i]) ^ entry.text[i]) & entry.mask[i];
    }
    return differ == 0 ? static_cast<HeaderId>(id) : HeaderId::kOther;
}

HeaderId header_id(std::string_view name) {
    return header_id(name, name.size());
}

std::string_view header_name(HeaderId id) {
    return id < HeaderId::kCount ? kNames[static_cast<std::size_t>(id)].text : std::string_view{};
}

char compact_form(HeaderId id) {
    return id < HeaderId::kCount ? kNames[static_cast<std::size_t>(id)].compact : '\0';
}

}  // namespace pinhole::sip
