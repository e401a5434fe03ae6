// SPDX-License-Identifier: BSD-3-Clause
// The table behind header_id(). A name's slot comes from its length, first, middle and last letter;
// the multipliers are searched for at compile time until no two names share a slot, so a look-up is
// one probe and one compare of 24 bytes. Case is folded at letters alone: folding a '-' would let a
// CR pass for one ("Call\rID").
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

constexpr std::size_t kSlots = 256;
constexpr std::size_t kWords = kHeaderNameRoom / 8;

struct Entry {
    std::uint64_t text[kWords];  // lower case, little-endian
    std::uint64_t fold[kWords];  // 0x20 at letters
    std::uint64_t mask[kWords];  // 0xff at each byte of the name
    std::uint64_t len;
};
struct Seed {
    unsigned first, middle, last;
};
struct Table {
    Seed seed;
    std::array<std::uint8_t, kSlots> ids;
    std::array<Entry, kHeaderIdCount> entries;
    std::array<std::uint8_t, 256> compact;
};

constexpr unsigned slot_of(const char* name, std::size_t len, const Seed& seed) {
    const auto letter = [name](std::size_t i) {
        return static_cast<unsigned>(static_cast<unsigned char>(name[i]) | 0x20);
    };
    return (static_cast<unsigned>(len) + letter(0) * seed.first + letter(len / 2) * seed.middle +
            letter(len - 1) * seed.last) %
           kSlots;
}

constexpr bool place_all(Table& table) {
    table.ids = {};
    for (std::size_t id = 1; id < kNames.size(); ++id) {
        const std::string_view name = kNames[id].text;
        auto& slot = table.ids[slot_of(name.data(), name.size(), table.seed)];
        if (slot != 0) {
            return false;
        }
        slot = static_cast<std::uint8_t>(id);
    }
    return true;
}

constexpr Seed find_seed() {
    Table table{};
    for (unsigned n = 0; n < 4096; ++n) {
        table.seed = {n * 7 % 61 + 1, n * 13 % 127 + 3, n * 29 % 251 + 5};
        if (place_all(table)) {
            return table.seed;
        }
    }
    return {0, 0, 0};
}

constexpr Table make_table() {
    Table table{};
    table.seed = find_seed();
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
static_assert(kTable.seed.first != 0, "no multipliers without a collision: enlarge kSlots");
static_assert(std::endian::native == std::endian::little, "names are compared as words");

}  // namespace

HeaderId header_id(std::string_view name, std::size_t readable) {
    const std::size_t len = name.size();
    if (len <= 1) {
        return len == 0 ? HeaderId::kOther
                        : static_cast<HeaderId>(
                              kTable.compact[static_cast<unsigned char>(name.front())]);
    }
    const std::uint8_t id = kTable.ids[slot_of(name.data(), len, kTable.seed)];
    const Entry& entry = kTable.entries[id];
    if (entry.len != len) {
        return HeaderId::kOther;
    }
    std::uint64_t words[kWords] = {};
    std::memcpy(words, name.data(), readable >= kHeaderNameRoom ? kHeaderNameRoom : len);
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
