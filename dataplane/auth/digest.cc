// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/auth/digest.h"

#include "dataplane/auth/hex.h"
#include "dataplane/auth/sha.h"

#include <algorithm>
#include <cstring>

namespace pinhole::auth {
namespace {

bool write_a2(const DigestInput& input, Md5Message& text) {
    text.size = 0;
    return text.add(input.method) && text.add(":") && text.add(input.uri);
}

bool add_hex(const std::uint8_t* bytes, std::size_t count, Md5Message& text) {
    if (2 * count > Md5Message::kMaxBytes - text.size) {
        return false;
    }
    write_hex(bytes, count, text.text.data() + text.size);
    text.size += static_cast<std::uint32_t>(2 * count);
    return true;
}

// H(A1):nonce:nc:cnonce:qop:H(A2), or H(A1):nonce:H(A2).
bool write_response(const DigestInput& input, const std::uint8_t* ha2, Md5Message& text) {
    const std::size_t bytes = hash_bytes(input.algorithm);
    text.size = 0;
    bool fits =
        add_hex(input.ha1, bytes, text) && text.add(":") && text.add(input.nonce) && text.add(":");
    if (!input.qop.empty()) {
        for (const std::string_view part : {input.nc, input.cnonce, input.qop}) {
            fits = fits && text.add(part) && text.add(":");
        }
    }
    return fits && add_hex(ha2, bytes, text);
}

void sha(Algorithm algorithm, std::string_view text, std::uint8_t* out) {
    algorithm == Algorithm::kSha256 ? sha256(text, out) : sha512_256(text, out);
}

// What write_response() adds beside the client's texts, at its longest.
constexpr std::size_t kFixedBytes = std::size_t{2} * 2 * kMaxHashBytes + 5;

}  // namespace

Digester::Digester() : texts_(std::make_unique<Md5Message[]>(kMost)) {}

bool Digester::add(const DigestInput& input) {
    const std::size_t a2 = input.method.size() + 1 + input.uri.size();
    const std::size_t response =
        kFixedBytes + input.nonce.size() + input.nc.size() + input.cnonce.size() + input.qop.size();
    if (count_ == kMost || a2 > Md5Message::kMaxBytes || response > Md5Message::kMaxBytes) {
        return false;
    }
    inputs_[count_++] = input;
    return true;
}

void Digester::run() {
    make_a2();
    make_responses();
}

void Digester::make_a2() {
    std::array<std::size_t, kMost> place;  // of those that are made by MD5
    std::size_t md5_count = 0;
    for (std::size_t i = 0; i < count_; ++i) {
        const DigestInput& input = inputs_[i];
        LastA2& known = last(input.algorithm);
        done_[i] = true;
        if (known.is(input.method, input.uri)) {
            a2_[i] = known.digest();
            continue;
        }
        done_[i] = write_a2(input, texts_[i]);
        if (input.algorithm == Algorithm::kMd5) {
            place[md5_count] = i;
            md5_[md5_count++] = &texts_[i];
        } else if (done_[i]) {
            sha(input.algorithm, texts_[i].view(), a2_[i].data());
            known.keep(input.method, input.uri, a2_[i]);
        }
    }
    if (md5_count == 0) {
        return;
    }
    md5_many({md5_.data(), md5_count});
    for (std::size_t n = 0; n < md5_count; ++n) {
        std::memcpy(a2_[place[n]].data(), md5_[n]->digest.data(), md5_[n]->digest.size());
    }
    const std::size_t newest = place[md5_count - 1];
    if (done_[newest]) {
        last(Algorithm::kMd5).keep(inputs_[newest].method, inputs_[newest].uri, a2_[newest]);
    }
}

void Digester::make_responses() {
    std::array<std::size_t, kMost> place;
    std::size_t md5_count = 0;
    for (std::size_t i = 0; i < count_; ++i) {
        const DigestInput& input = inputs_[i];
        done_[i] = done_[i] && write_response(input, a2_[i].data(), texts_[i]);
        if (input.algorithm != Algorithm::kMd5) {
            sha(input.algorithm, texts_[i].view(), results_[i].data());
        } else {
            place[md5_count] = i;
            md5_[md5_count++] = &texts_[i];
        }
    }
    md5_many({md5_.data(), md5_count});
    for (std::size_t n = 0; n < md5_count; ++n) {
        std::memcpy(results_[place[n]].data(), md5_[n]->digest.data(), md5_[n]->digest.size());
    }
}

bool Digester::LastA2::is(std::string_view method, std::string_view uri) const {
    const std::string_view text{text_.data(), len_};
    return len_ != 0 && text.substr(0, method_len_) == method && text.substr(method_len_) == uri;
}

void Digester::LastA2::keep(std::string_view method, std::string_view uri, const Digest& digest) {
    if (method.size() + uri.size() > text_.size()) {
        return;
    }
    std::copy(uri.begin(), uri.end(), std::copy(method.begin(), method.end(), text_.begin()));
    method_len_ = method.size();
    len_ = method.size() + uri.size();
    digest_ = digest;
}

}  // namespace pinhole::auth
