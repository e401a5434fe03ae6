// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/auth/digest.h"

#include "dataplane/auth/hex.h"
#include "dataplane/auth/sha.h"

#include <cstring>

namespace pinhole::auth {
namespace {

bool write_a2(const DigestInput& input, Md5Message& text) {
    text.size = 0;
    return text.add(input.method) && text.add(":") && text.add(input.uri);
}

// H(A1):nonce:nc:cnonce:qop:H(A2), or H(A1):nonce:H(A2).
bool write_response(const DigestInput& input, const std::uint8_t* ha2, Md5Message& text) {
    const std::size_t bytes = hash_bytes(input.algorithm);
    std::array<char, 2 * kMaxHashBytes> hex;
    const std::string_view digits{hex.data(), 2 * bytes};
    text.size = 0;
    write_hex(input.ha1, bytes, hex.data());
    bool fits = text.add(digits) && text.add(":") && text.add(input.nonce) && text.add(":");
    if (!input.qop.empty()) {
        for (const std::string_view part : {input.nc, input.cnonce, input.qop}) {
            fits = fits && text.add(part) && text.add(":");
        }
    }
    write_hex(ha2, bytes, hex.data());
    return fits && text.add(digits);
}

void sha(Algorithm algorithm, std::string_view text, std::uint8_t* out) {
    algorithm == Algorithm::kSha256 ? sha256(text, out) : sha512_256(text, out);
}

// What write_response() adds beside the client's texts, at its longest.
constexpr std::size_t kFixedBytes = 2 * 2 * kMaxHashBytes + 5;

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
    std::size_t md5_count = 0;
    for (std::size_t i = 0; i < count_; ++i) {
        const DigestInput& input = inputs_[i];
        done_[i] = write_a2(input, texts_[i]);
        if (input.algorithm == Algorithm::kMd5) {
            md5_[md5_count++] = &texts_[i];
            continue;
        }
        Digest ha2;
        sha(input.algorithm, texts_[i].view(), ha2.data());
        done_[i] = done_[i] && write_response(input, ha2.data(), texts_[i]);
        sha(input.algorithm, texts_[i].view(), results_[i].data());
    }
    const std::span<Md5Message* const> md5{md5_.data(), md5_count};
    md5_many(md5);
    for (std::size_t i = 0; i < count_; ++i) {
        if (inputs_[i].algorithm == Algorithm::kMd5) {
            const auto ha2 = texts_[i].digest;
            done_[i] = done_[i] && write_response(inputs_[i], ha2.data(), texts_[i]);
        }
    }
    md5_many(md5);
    for (std::size_t i = 0; i < count_; ++i) {
        if (inputs_[i].algorithm == Algorithm::kMd5) {
            std::memcpy(results_[i].data(), texts_[i].digest.data(), texts_[i].digest.size());
        }
    }
}

}  // namespace pinhole::auth
