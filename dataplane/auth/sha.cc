// SPDX-License-Identifier: BSD-3-Clause
// What OpenSSL 3 calls deprecated here it has kept in every release since, and its EVP layer stands
// on it.
#define OPENSSL_SUPPRESS_DEPRECATED
#include "dataplane/auth/sha.h"

#include <openssl/sha.h>

#include <algorithm>
#include <array>

namespace pinhole::auth {
namespace {

using Whole = std::array<std::uint8_t, SHA512_DIGEST_LENGTH>;

Whole sha512_from(const SHA512_CTX& initial, std::string_view text) {
    SHA512_CTX context = initial;
    Whole out;
    SHA512_Update(&context, text.data(), text.size());
    SHA512_Final(out.data(), &context);
    return out;
}

// FIPS 180-4 §5.3.6: the digest of the algorithm's name, from SHA-512's own beginning turned over.
SHA512_CTX sha512_256_initial() {
    SHA512_CTX initial;
    SHA512_Init(&initial);
    SHA512_CTX turned = initial;
    for (auto& word : turned.h) {
        word ^= 0xa5a5'a5a5'a5a5'a5a5;
    }
    const Whole bytes = sha512_from(turned, "SHA-512/256");
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        initial.h[i / 8] = initial.h[i / 8] << 8 | bytes[i];
    }
    return initial;
}

// Before main(): no worker ever writes it.
const SHA512_CTX kSha512_256 = sha512_256_initial();

}  // namespace

void sha256(std::string_view text, std::uint8_t* out) {
    SHA256_CTX context;
    SHA256_Init(&context);
    SHA256_Update(&context, text.data(), text.size());
    SHA256_Final(out, &context);
}

void sha512_256(std::string_view text, std::uint8_t* out) {
    const Whole whole = sha512_from(kSha512_256, text);
    std::copy(whole.begin(), whole.begin() + 32, out);
}

}  // namespace pinhole::auth
