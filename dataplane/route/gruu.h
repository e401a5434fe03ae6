// SPDX-License-Identifier: BSD-3-Clause
// GRUUs (RFC 5627): URIs that lead to one phone of an AOR, whichever flow the phone has by then. A
// public one is the AOR with the phone's instance; a temporary one says neither:
//
//   sip:alice@example.com;gr=urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6
//   sip:TOKEN@example.com;gr    TOKEN = base64url( key | MAC | CSeq instance Call-ID user )
//                                                   1     8     4     8        8      ... bytes
//
// The MAC is over all that follows it and the domain, and what follows it is encrypted under the
// MAC (a synthetic nonce), so that two tokens of one phone have nothing in common, and nobody can
// make or change one. Nothing is kept of them: the binding has the Call-ID that a token must name
// to be good. Each REGISTER gets another by its CSeq, and a retransmission the same again. Pure;
// any thread; never allocates.
#pragma once

#include "dataplane/sip/uri.h"
#include "dataplane/sip/writer.h"
#include "dataplane/table/aor_hash.h"
#include "dataplane/table/contact.h"
#include "dataplane/tokens/keys.h"

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace pinhole::route {

// A phone with a longer instance gets no GRUU.
inline constexpr std::size_t kMaxGruuInstance = 128;

// Both of a contact's as a 200 lists them, ";pub-gruu="..."" and ";temp-gruu="..."" (§5.2); nothing
// for a contact without instance.
void write_gruus(const tokens::Keys& keys, const table::KeyedHash& hash,
                 const table::ContactView& contact, sip::Writer& out);

// Has the URI the mark of a GRUU?
[[nodiscard]] inline bool is_gruu(const sip::Uri& uri) {
    return !uri.params.empty() && uri.has_param("gr");
}

class Gruu {
  public:
    [[nodiscard]] std::string_view aor() const { return {aor_.data(), aor_len_}; }
    [[nodiscard]] bool temporary() const { return temporary_; }
    [[nodiscard]] bool names(const table::StoredInstance& instance,
                             const table::KeyedHash& hash) const;
    // Of one that it names: is it the registration that a temporary one was made for? A REGISTER
    // with another Call-ID ends those that went before (§5.1).
    [[nodiscard]] bool is_of(const table::ContactState& state) const {
        return !temporary_ || state.call_id_hash == call_id_;
    }

  private:
    friend std::optional<Gruu> read_gruu(const tokens::Keys& keys, const table::KeyedHash& hash,
                                         const sip::Uri& uri);
    static std::optional<Gruu> read_public(const table::KeyedHash& hash, const sip::Uri& uri,
                                           std::string_view gr);
    static std::optional<Gruu> read_temporary(const tokens::Keys& keys, const sip::Uri& uri);

    std::array<char, sip::kMaxAor> aor_;
    std::uint8_t aor_len_ = 0;
    bool temporary_ = false;
    std::uint64_t instance_ = 0;  // its keyed hash
    std::uint64_t call_id_ = 0;   // likewise
};
static_assert(sip::kMaxAor <= 255);

// None: not one that we have given out.
[[nodiscard]] std::optional<Gruu> read_gruu(const tokens::Keys& keys, const table::KeyedHash& hash,
                                            const sip::Uri& uri);

}  // namespace pinhole::route
