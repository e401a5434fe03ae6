// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/auth/checker.h"

#include "dataplane/auth/hex.h"
#include "dataplane/sip/uri.h"

#include <sodium/crypto_verify_16.h>
#include <sodium/crypto_verify_32.h>

#include <algorithm>

namespace pinhole::auth {
namespace {

constexpr std::size_t kNcDigits = 8;

std::optional<std::uint32_t> read_nc(std::string_view text) {
    std::array<std::uint8_t, kNcDigits / 2> bytes{};
    if (!read_hex(text, bytes.data(), bytes.size())) {
        return std::nullopt;
    }
    std::uint32_t nc = 0;
    for (const std::uint8_t byte : bytes) {
        nc = nc << 8 | byte;
    }
    return nc != 0 ? std::optional(nc) : std::nullopt;
}

// The URI must name us, or be the request URI: a proxy is asked for other URIs too. Any of our
// names and ports will do, for gateways rewrite them in the request line alone.
bool is_for_us(std::string_view text, const sip::Message& message, const sip::Identity& identity) {
    sip::Uri uri;
    return text == message.request_uri || (sip::parse_uri(text, uri) && identity.is_ours(uri));
}

// Made by this run, so not in its future, but for what one worker's clock is ahead of another's.
bool expired(Stamp stamp, std::uint32_t lifetime_s, std::uint32_t now_s) {
    return static_cast<std::int32_t>(now_s - stamp.s()) > static_cast<std::int32_t>(lifetime_s);
}

// Of two failures, what the phone can do more about.
int use_of(Result result) {
    return result == Result::kStale ? 2 : result == Result::kUnreadable ? 1 : 0;
}

// Takes as long wherever they differ.
bool is_same(Algorithm algorithm, const Digest& a, const Digest& b) {
    return (algorithm == Algorithm::kMd5 ? crypto_verify_16(a.data(), b.data())
                                         : crypto_verify_32(a.data(), b.data())) == 0;
}

}  // namespace

void Checker::read(const Question& question, const Subscribers& subscribers,
                   const sip::Identity& identity, const tokens::Keys& keys, std::uint32_t now_s,
                   Attempt& out) const {
    const sip::Message& message = *question.message;
    out.open = false;
    Result result = Result::kChallenged;
    out.question = question;
    for (std::uint8_t i = message.first_index(question.header); i != sip::kNoHeader;
         i = message.next_index(question.header, i)) {
        const auto read = sip::read_credentials(message.value(i), out.credentials);
        if (read == sip::CredentialsRead::kOtherScheme ||
            (read == sip::CredentialsRead::kOk &&
             out.credentials.realm != policy_.nonces.realm())) {
            continue;  // another server's
        }
        const Result judged = read == sip::CredentialsRead::kOk
                                  ? judge(subscribers, identity, keys, now_s, out)
                                  : Result::kUnreadable;
        if (out.open) {
            out.header_index = i;
            return;
        }
        result = use_of(judged) > use_of(result) ? judged : result;
    }
    out.result = result;
}

Result Checker::judge(const Subscribers& subscribers, const sip::Identity& identity,
                      const tokens::Keys& keys, std::uint32_t now_s, Attempt& out) const {
    const sip::Credentials& credentials = out.credentials;
    const sip::Message& message = *out.question.message;
    if (credentials.nonce.empty()) {
        return Result::kChallenged;  // a handset that says who it is before it is asked
    }
    if (credentials.hides_username() || !read_proof(subscribers, out) ||
        !is_for_us(credentials.uri, message, identity)) {
        return Result::kUnreadable;
    }
    const auto stamp = policy_.nonces.read(keys, credentials.nonce, out.question.aor_hash);
    if (!stamp || expired(*stamp, policy_.nonce_lifetime_s, now_s)) {
        return Result::kStale;
    }
    std::array<char, table::kMaxAorBytes> room;
    const auto user = sip::unescape_quoted(credentials.username, room.data(), room.size());
    if (!user || user->size() > table::kMaxAorBytes) {
        return Result::kUnreadable;
    }
    out.stamp = *stamp;
    out.user = policy_.user_hash(*user);
    out.owns = owns(policy_, *user, out.question.aor);
    out.uri_differs = credentials.uri != message.request_uri;
    out.open = true;
    return Result::kChallenged;
}

// The algorithm, qop and nc, and the response.
bool Checker::read_proof(const Subscribers& subscribers, Attempt& out) const {
    const sip::Credentials& credentials = out.credentials;
    const auto algorithm =
        credentials.algorithm.empty() ? Algorithm::kMd5 : algorithm_of(credentials.algorithm);
    if (!algorithm || !subscribers.offers(*algorithm) ||
        std::find(policy_.algorithms.begin(), policy_.algorithms.end(), *algorithm) ==
            policy_.algorithms.end()) {
        return false;
    }
    out.algorithm = *algorithm;
    out.nc = 0;
    if (credentials.qop.empty()) {
        if (!policy_.allow_legacy) {
            return false;
        }
    } else {
        const auto nc = read_nc(credentials.nc);
        if (!sip::equals_ci(credentials.qop, "auth") || !nc || credentials.cnonce.empty()) {
            return false;
        }
        out.nc = *nc;
    }
    return read_hex(credentials.response, out.response.data(), hash_bytes(*algorithm));
}

// Close together, so that they are under way at the same time.
void Checker::prefetch(std::span<const Attempt> attempts, const Subscribers& subscribers) const {
    for (const Attempt& attempt : attempts) {
        if (attempt.open) {
            subscribers.prefetch(attempt.algorithm, attempt.user);
            windows_.prefetch(attempt.question.aor_hash);
        }
    }
}

void Checker::check(std::span<Attempt> attempts, const Subscribers& subscribers,
                    std::uint32_t now_s) {
    static constexpr Digest kNobody{};
    std::array<Attempt*, kMost> open;
    std::array<bool, kMost> known;
    digester_.clear();
    for (Attempt& attempt : attempts) {
        if (!attempt.open) {
            continue;
        }
        attempt.open = false;
        const sip::Credentials& credentials = attempt.credentials;
        const bool legacy = credentials.qop.empty();
        const std::uint8_t* ha1 = subscribers.find(attempt.algorithm, attempt.user);
        const std::size_t n = digester_.size();
        if (!digester_.add({.algorithm = attempt.algorithm,
                            .ha1 = ha1 == nullptr ? kNobody.data() : ha1,
                            .method = attempt.question.message->method_text,
                            .uri = credentials.uri,
                            .nonce = credentials.nonce,
                            .nc = legacy ? std::string_view{} : credentials.nc,
                            .cnonce = legacy ? std::string_view{} : credentials.cnonce,
                            .qop = credentials.qop})) {
            attempt.result = Result::kUnreadable;
            continue;
        }
        known[n] = ha1 != nullptr;
        open[n] = &attempt;
    }
    digester_.run();
    for (std::size_t n = 0; n < digester_.size(); ++n) {
        open[n]->result = settle(*open[n], known[n], digester_.result(n), now_s);
    }
}

Result Checker::settle(const Attempt& attempt, bool known, const Digest* digest,
                       std::uint32_t now_s) {
    if (digest == nullptr) {
        return Result::kUnreadable;
    }
    const bool right = is_same(attempt.algorithm, *digest, attempt.response);
    if (!known) {
        return Result::kUnknownUser;
    }
    if (!right) {
        return Result::kWrong;
    }
    if (!attempt.owns) {
        return Result::kForbidden;
    }
    switch (windows_.use_any(attempt.question.aor_hash, attempt.stamp, attempt.nc,
                             attempt.credentials.qop.empty(), attempt.question.request, now_s)) {
        case NonceUse::kFresh:
            return Result::kGood;
        case NonceUse::kAgain:
            return Result::kRetransmission;
        case NonceUse::kReplay:
            return Result::kReplayed;
        case NonceUse::kStale:
            return Result::kStale;
        case NonceUse::kBusy:
            break;
    }
    return Result::kContended;
}

}  // namespace pinhole::auth
