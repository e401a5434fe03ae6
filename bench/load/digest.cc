// SPDX-License-Identifier: BSD-3-Clause
#include "bench/load/digest.h"

#include "dataplane/sip/params.h"
#include "dataplane/sip/text.h"

#include <openssl/evp.h>

#include <algorithm>
#include <cstring>

namespace pinhole::load {
namespace {

// Takes the next `name=value` of a comma-separated list; a quoted value without its quotes. A quote
// or backslash within a value is none that we could send back, so it ends the reading.
bool next_pair(std::string_view& rest, std::string_view& name, std::string_view& value) {
    rest = sip::trim_front(rest);
    const std::size_t equals = rest.find('=');
    if (equals == std::string_view::npos) {
        return false;
    }
    name = sip::trim(rest.substr(0, equals));
    rest = sip::trim_front(rest.substr(equals + 1));
    std::size_t end = 0;
    if (!rest.empty() && rest.front() == '"') {
        end = rest.find('"', 1);
        if (end == std::string_view::npos) {
            return false;
        }
        value = rest.substr(1, end - 1);
        rest = sip::trim_front(rest.substr(end + 1));
        end = 0;
    } else {
        end = std::min(rest.find(','), rest.size());
        value = sip::trim(rest.substr(0, end));
        rest.remove_prefix(end);
    }
    if (!rest.empty() && rest.front() != ',') {
        return false;
    }
    rest.remove_prefix(rest.empty() ? 0 : 1);
    return value.find_first_of("\\\r\n") == std::string_view::npos;
}

bool offers_auth(std::string_view list) {
    std::string_view option;
    while (sip::next_element(list, option)) {
        if (sip::equals_ci(option, "auth")) {
            return true;
        }
    }
    return false;
}

bool take_pair(std::string_view name, std::string_view value, Challenge& out) {
    if (sip::equals_ci(name, "realm")) {
        out.realm = value;
    } else if (sip::equals_ci(name, "nonce")) {
        out.nonce = value;
    } else if (sip::equals_ci(name, "opaque")) {
        out.opaque = value;
        out.has_opaque = true;
    } else if (sip::equals_ci(name, "stale")) {
        out.stale = sip::equals_ci(value, "true");
    } else if (sip::equals_ci(name, "qop")) {
        out.qop_auth = offers_auth(value);
        return out.qop_auth;
    } else if (sip::equals_ci(name, "algorithm")) {
        out.algorithm = sip::equals_ci(value, "SHA-256") ? Algorithm::kSha256 : Algorithm::kMd5;
        return out.algorithm == Algorithm::kSha256 || sip::equals_ci(value, "MD5");
    }
    return true;
}

void write_hex(std::uint32_t value, std::array<char, 8>& out) {
    for (std::size_t i = out.size(); i-- > 0; value >>= 4) {
        out[i] = "0123456789abcdef"[value & 15];
    }
}

}  // namespace

bool read_challenge(std::string_view value, Challenge& out) {
    out = {};
    constexpr std::string_view kScheme = "Digest";
    if (value.size() <= kScheme.size() ||
        !sip::equals_ci(value.substr(0, kScheme.size()), kScheme) ||
        !sip::is_lws(value[kScheme.size()])) {
        return false;
    }
    std::string_view rest = sip::trim(value.substr(kScheme.size()));
    while (!rest.empty()) {
        std::string_view name;
        std::string_view content;
        if (!next_pair(rest, name, content) || !take_pair(name, content, out)) {
            return false;
        }
    }
    return !out.realm.empty() && !out.nonce.empty();
}

DigestClient::DigestClient()
    : context_(EVP_MD_CTX_new()),
      md5_(EVP_MD_fetch(nullptr, "MD5", nullptr)),
      sha256_(EVP_MD_fetch(nullptr, "SHA256", nullptr)) {}

DigestClient::~DigestClient() {
    EVP_MD_CTX_free(context_);
    EVP_MD_free(md5_);
    EVP_MD_free(sha256_);
}

HexHash DigestClient::hash(Algorithm algorithm, std::span<const std::string_view> parts) {
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    EVP_DigestInit_ex2(context_, algorithm == Algorithm::kMd5 ? md5_ : sha256_, nullptr);
    for (const std::string_view part : parts) {
        EVP_DigestUpdate(context_, part.data(), part.size());
    }
    EVP_DigestFinal_ex(context_, digest, &len);
    HexHash out;
    sip::Writer writer(out.text.data(), out.text.size());
    writer.hex(digest, len);
    out.len = writer.size();
    return out;
}

bool Logins::Terms::same(const Challenge& challenge) const {
    return realm == challenge.realm && opaque == challenge.opaque &&
           algorithm == challenge.algorithm && qop_auth == challenge.qop_auth &&
           has_opaque == challenge.has_opaque;
}

Logins::Logins(std::uint32_t phones, std::string uri, std::string password)
    : texts_(std::make_unique<auth::Md5Message[]>(kLanes)),
      uri_(std::move(uri)),
      password_(std::move(password)),
      logins_(phones) {}

bool Logins::take(std::uint32_t phone, std::string_view user, const Challenge& challenge) {
    auto terms = std::find_if(terms_.begin(), terms_.end(),
                              [&](const Terms& known) { return known.same(challenge); });
    if (challenge.nonce.size() > Login::kMaxNonce ||
        (terms == terms_.end() && terms_.size() == kMaxTerms)) {
        return false;
    }
    if (terms == terms_.end()) {
        const std::array<std::string_view, 2> request{"REGISTER:", uri_};
        terms = terms_.insert(terms, {std::string(challenge.realm), std::string(challenge.opaque),
                                      challenge.algorithm, challenge.qop_auth, challenge.has_opaque,
                                      digester_.hash(challenge.algorithm, request)});
    }
    const std::array<std::string_view, 5> secret{user, ":", challenge.realm, ":", password_};
    Login& login = logins_[phone];
    login.ha1 = digester_.hash(challenge.algorithm, secret).text;
    login.nonce_len = static_cast<std::uint8_t>(challenge.nonce.size());
    std::memcpy(login.nonce.data(), challenge.nonce.data(), challenge.nonce.size());
    login.terms = static_cast<std::uint8_t>(terms - terms_.begin());
    login.nonce_count = 0;
    return true;
}

Logins::Parts Logins::response_parts(const Login& login, const Terms& terms, std::string_view nc,
                                     std::string_view cnonce) {
    const std::string_view ha1{login.ha1.data(), terms.ha2.len};
    if (!terms.qop_auth) {
        return {ha1, ":", login.nonce_text(), ":", terms.ha2.view()};
    }
    return {ha1, ":", login.nonce_text(), ":", nc, ":", cnonce, ":auth:", terms.ha2.view()};
}

void Logins::write_response(const Terms& terms, const Parts& parts, sip::Writer& out) {
    if (terms.algorithm != Algorithm::kMd5) {
        out.text(digester_.hash(terms.algorithm, parts).view());
        return;
    }
    if (pending_ == kLanes) {
        finish();
    }
    auth::Md5Message& text = texts_[pending_];
    text.size = 0;
    bool fits = true;
    for (const std::string_view part : parts) {
        fits = fits && text.add(part);
    }
    constexpr std::string_view kPlace = "00000000000000000000000000000000";
    char* const place = const_cast<char*>(out.view().data()) + out.size();  // the writer's, so ours
    out.text(kPlace);
    if (fits && !out.overflow()) {
        places_[pending_++] = place;
    }
}

void Logins::finish() {
    if (pending_ == 0) {
        return;
    }
    std::array<auth::Md5Message*, kLanes> texts;
    for (std::size_t i = 0; i < pending_; ++i) {
        texts[i] = &texts_[i];
    }
    auth::md5_many({texts.data(), pending_});
    for (std::size_t i = 0; i < pending_; ++i) {
        sip::Writer place(places_[i], 2 * texts_[i].digest.size());
        place.hex(texts_[i].digest.data(), texts_[i].digest.size());
    }
    pending_ = 0;
}

void Logins::write_authorization(std::uint32_t phone, std::string_view user, sip::Writer& out) {
    Login& login = logins_[phone];
    const Terms& terms = terms_[login.terms];
    std::array<char, 8> count_hex;
    write_hex(++login.nonce_count, count_hex);
    const std::string_view nc{count_hex.data(), count_hex.size()};
    const std::string_view cnonce = user;  // it protects nobody here
    out.text("Authorization: Digest username=\"")
        .text(user)
        .text("\", realm=\"")
        .text(terms.realm)
        .text("\", nonce=\"")
        .text(login.nonce_text())
        .text("\", uri=\"")
        .text(uri_)
        .text("\", response=\"");
    write_response(terms, response_parts(login, terms, nc, cnonce), out);
    out.text("\", algorithm=").text(terms.algorithm == Algorithm::kMd5 ? "MD5" : "SHA-256");
    if (terms.qop_auth) {
        out.text(", qop=auth, nc=").text(nc).text(", cnonce=\"").text(cnonce).text("\"");
    }
    if (terms.has_opaque) {
        out.text(", opaque=\"").text(terms.opaque).text("\"");
    }
    out.text("\r\n");
}

}  // namespace pinhole::load
