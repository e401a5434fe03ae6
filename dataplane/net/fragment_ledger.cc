// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/net/fragment_ledger.h"

#include <algorithm>

namespace pinhole::net {
namespace {

// Who has one address of a /64 has them all.
Address share_of(const Address& from) {
    Address source = from;
    if (!from.is_v4()) {
        std::fill(source.bytes.begin() + 8, source.bytes.end(), std::uint8_t{0});
    }
    return source;
}

}  // namespace

FragmentLedger::Entry FragmentLedger::enter(const Datagram& piece, std::uint64_t now,
                                            std::uint64_t max_age) {
    if (now > max_age) {
        forget_until(now - max_age - 1);
    }
    const Address source = share_of(piece.src);
    unsigned of_source = 0;
    for (unsigned i = 0; i < count_; ++i) {
        if (places_[i].source != source) {
            continue;
        }
        if (places_[i].holds(piece)) {
            if (places_[i].pieces == kPieces) {
                return Entry::kManyPieces;
            }
            ++places_[i].pieces;
            return Entry::kKnown;
        }
        ++of_source;
    }
    if (of_source >= kOfSource) {
        return Entry::kSourceFull;
    }
    Entry entry = Entry::kBegun;
    if (count_ == kDatagrams) {
        given_up_to_ =
            std::min_element(places_.begin(), places_.end(), [](const Place& a, const Place& b) {
                return a.began < b.began;
            })->began;
        forget_until(given_up_to_);
        entry = Entry::kTookPlace;
    }
    places_[count_++] = {source, piece.src, piece.dst, now, piece.fragment.id, 1};
    return entry;
}

void FragmentLedger::end(const Datagram& piece) {
    for (unsigned i = 0; i < count_; ++i) {
        if (places_[i].holds(piece)) {
            forget(i);
            return;
        }
    }
}

void FragmentLedger::forget_until(std::uint64_t began) {
    for (unsigned i = 0; i < count_;) {
        if (places_[i].began <= began) {
            forget(i);
        } else {
            ++i;
        }
    }
}

}  // namespace pinhole::net
