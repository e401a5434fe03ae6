// SPDX-License-Identifier: BSD-3-Clause
// Whose datagrams are being put together from fragments: which source may begin another, and which
// datagram gives way. Memory is capped twice: a source (an IPv4 address, an IPv6 /64) has at most
// kOfSource datagrams under way, so that one source's fragments can't fill the whole room; and of
// all together, which forged sources can fill, the oldest gives way, for the pieces of one datagram
// follow one another closely. A newcomer is never refused for what others hold. Pure; one thread. A
// scan over few lines: pieces are rare, and a flood of them costs less to handle than to send.
#pragma once

#include "dataplane/net/packet.h"

#include <array>
#include <cstdint>

namespace pinhole::net {

class FragmentLedger {
  public:
    static constexpr unsigned kDatagrams = 128;
    static constexpr unsigned kOfSource = 16;
    static constexpr unsigned kPieces = 8;  // of a datagram

    enum class Entry : std::uint8_t {
        kKnown,       // another piece of a datagram under way
        kBegun,       // the first of one
        kTookPlace,   // likewise, and what is oldest is to be given up: see given_up_to()
        kSourceFull,  // its source has enough under way: not to be kept
        kManyPieces,  // more than kPieces: not to be kept; what has come ages
    };
    // A piece (PacketKind::kFragment) that came at `now`, in ticks of any clock that only grows;
    // what began before `now - max_age` is forgotten.
    [[nodiscard]] Entry enter(const Datagram& piece, std::uint64_t now, std::uint64_t max_age);
    // All that began by then is given up.
    [[nodiscard]] std::uint64_t given_up_to() const { return given_up_to_; }
    // It is whole, or no more under way for another reason.
    void end(const Datagram& piece);

    [[nodiscard]] unsigned under_way() const { return count_; }

  private:
    struct Place {
        Address source;  // whose share it is: an address, or a /64
        Address src;
        Address dst;
        std::uint64_t began = 0;
        std::uint32_t id = 0;
        std::uint32_t pieces = 0;

        [[nodiscard]] bool holds(const Datagram& piece) const {
            return id == piece.fragment.id && src == piece.src && dst == piece.dst;
        }
    };
    void forget(unsigned place) { places_[place] = places_[--count_]; }
    void forget_until(std::uint64_t began);

    std::array<Place, kDatagrams> places_{};
    unsigned count_ = 0;
    std::uint64_t given_up_to_ = 0;
};

}  // namespace pinhole::net
