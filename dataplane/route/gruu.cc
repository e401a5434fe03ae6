// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/route/gruu.h"

#include "dataplane/sip/text.h"
#include "dataplane/tokens/base64.h"
#include "dataplane/tokens/pack.h"

#include <algorithm>
#include <cstring>

namespace pinhole::route {
namespace {

constexpr std::size_t kMacBytes = 8;
constexpr std::size_t kOpenBytes = 1 + kMacBytes;
constexpr std::size_t kFixedBytes = 4 + 8 + 8;
constexpr std::size_t kMaxSealed = kFixedBytes + sip::kMaxAor;
constexpr std::size_t kMaxToken = kOpenBytes + kMaxSealed;

// "<urn:uuid:...>" without its brackets. Empty: there is none, or it is too long.
std::string_view bare_instance(std::string_view instance) {
    if (instance.size() > 2 && instance.front() == '<' && instance.back() == '>') {
        instance = instance.substr(1, instance.size() - 2);
    }
    return instance.size() > kMaxGruuInstance ? std::string_view{} : instance;
}

// URNs and URI parameters are compared without case.
std::uint64_t instance_hash(std::string_view bare, const table::KeyedHash& hash) {
    std::array<char, kMaxGruuInstance> lower;
    std::transform(bare.begin(), bare.end(), lower.begin(), sip::lower);
    return hash(std::string_view{lower.data(), bare.size()});
}

// What a parameter's value may hold unescaped (RFC 3261 §25.1, paramchar), as far as URNs use it.
bool is_plain(char c) {
    return sip::is(c, sip::kHostChar) || c == ':' || c == '/' || c == '+' || c == '~' || c == '*';
}

void write_escaped(std::string_view text, sip::Writer& out) {
    while (!text.empty()) {
        const auto* odd = std::find_if_not(text.begin(), text.end(), is_plain);
        const auto plain = static_cast<std::size_t>(odd - text.begin());
        out.text(text.substr(0, plain));
        text.remove_prefix(plain);
        if (!text.empty()) {
            out.character('%').hex(text.data(), 1);
            text.remove_prefix(1);
        }
    }
}

// Encrypts, and decrypts: a key stream from a keyed hash of MAC and place, which is never used
// twice because no two tokens have one MAC.
void seal(const tokens::Keys& keys, std::uint8_t key_id, std::uint64_t mac,
          std::span<std::uint8_t> data) {
    for (std::size_t at = 0; at < data.size(); at += sizeof(tokens::Keys::Block)) {
        tokens::Packer<kMacBytes + 2> place;
        place.number(mac, kMacBytes).number(at, 2);
        const tokens::Keys::Block stream =
            keys.block(tokens::Purpose::kGruuStream, key_id, place.view());
        for (std::size_t i = 0; i < stream.size() && at + i < data.size(); ++i) {
            data[at + i] ^= stream[i];
        }
    }
}

std::uint64_t token_mac(const tokens::Keys& keys, std::uint8_t key_id,
                        std::span<const std::uint8_t> sealed, std::string_view host) {
    return tokens::MacInput(keys, tokens::Purpose::kGruu, key_id).text(host).bytes(sealed).mac();
}

struct Halves {
    std::string_view user;
    std::string_view host;
};
Halves split(std::string_view aor) {
    const std::size_t at = std::min(aor.rfind('@'), aor.size());
    return {aor.substr(0, at), aor.substr(std::min(at + 1, aor.size()))};
}

void write_token(const tokens::Keys& keys, const table::ContactView& contact,
                 std::uint64_t instance, sip::Writer& out) {
    const std::uint8_t key_id = keys.current_id();
    const Halves aor = split(contact.aor);
    tokens::Packer<kMaxSealed> plain;
    plain.number(contact.state.cseq, 4).number(instance, 8).number(contact.state.call_id_hash, 8);
    plain.raw(reinterpret_cast<const std::uint8_t*>(aor.user.data()), aor.user.size());
    const std::uint64_t mac = token_mac(keys, key_id, plain.view(), aor.host);
    std::array<std::uint8_t, kMaxSealed> sealed;
    std::copy(plain.view().begin(), plain.view().end(), sealed.begin());
    const std::span<std::uint8_t> used{sealed.data(), plain.view().size()};
    seal(keys, key_id, mac, used);
    tokens::Packer<kMaxToken> token;
    token.number(key_id, 1).number(mac, kMacBytes).raw(used.data(), used.size());
    std::array<char, tokens::base64_chars(kMaxToken)> text;
    out.text({text.data(), tokens::base64_encode(token.view(), text.data())});
}

}  // namespace

void write_gruus(const tokens::Keys& keys, const table::KeyedHash& hash,
                 const table::ContactView& contact, sip::Writer& out) {
    table::StoredInstance::Room room;
    const std::string_view instance = bare_instance(contact.params.instance().text(room));
    if (instance.empty()) {
        return;
    }
    out.text(";pub-gruu=\"sip:").text(contact.aor).text(";gr=");
    write_escaped(instance, out);
    out.text("\";temp-gruu=\"sip:");
    write_token(keys, contact, instance_hash(instance, hash), out);
    out.character('@').text(split(contact.aor).host).text(";gr\"");
}

bool Gruu::names(const table::StoredInstance& instance, const table::KeyedHash& hash) const {
    table::StoredInstance::Room room;
    const std::string_view bare = bare_instance(instance.text(room));
    return !bare.empty() && instance_hash(bare, hash) == instance_;
}

std::optional<Gruu> read_gruu(const tokens::Keys& keys, const table::KeyedHash& hash,
                              const sip::Uri& uri) {
    std::string_view gr;
    if (!uri.is_sip() || !uri.param("gr", gr)) {
        return std::nullopt;
    }
    return gr.empty() ? Gruu::read_temporary(keys, uri) : Gruu::read_public(hash, uri, gr);
}

std::optional<Gruu> Gruu::read_public(const table::KeyedHash& hash, const sip::Uri& uri,
                                      std::string_view gr) {
    Gruu out;
    std::array<char, kMaxGruuInstance> room;
    const auto aor = sip::canonical_aor(uri, out.aor_.data());
    const auto instance = sip::unescape(gr, room.data(), room.size());
    if (!aor || !instance) {
        return std::nullopt;
    }
    out.aor_len_ = static_cast<std::uint8_t>(aor->size());
    out.instance_ = instance_hash(*instance, hash);
    return out;
}

std::optional<Gruu> Gruu::read_temporary(const tokens::Keys& keys, const sip::Uri& uri) {
    std::array<std::uint8_t, kMaxToken> token;
    std::array<char, sip::kMaxAor> room;
    const auto size = tokens::base64_decode(uri.user, token);
    const auto host = sip::canonical_host(uri.host, room.data(), room.size());
    if (!host || !size || *size <= kOpenBytes + kFixedBytes || !keys.knows(token[0])) {
        return std::nullopt;
    }
    const std::span<std::uint8_t> sealed{token.data() + kOpenBytes, *size - kOpenBytes};
    const std::uint64_t mac = tokens::Unpacker({token.data() + 1, kMacBytes}).number(kMacBytes);
    seal(keys, token[0], mac, sealed);
    if (mac != token_mac(keys, token[0], sealed, *host)) {
        return std::nullopt;
    }
    Gruu out;
    sip::Writer aor(out.aor_.data(), out.aor_.size());
    aor.text(
        {reinterpret_cast<const char*>(sealed.data()) + kFixedBytes, sealed.size() - kFixedBytes});
    aor.character('@').text(*host);
    if (aor.overflow()) {
        return std::nullopt;
    }
    out.aor_len_ = static_cast<std::uint8_t>(aor.size());
    out.temporary_ = true;
    tokens::Unpacker in(sealed);
    (void)in.number(4);
    out.instance_ = in.number(8);
    out.call_id_ = in.number(8);
    return out;
}

}  // namespace pinhole::route
