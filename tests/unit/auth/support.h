// SPDX-License-Identifier: BSD-3-Clause
// What the tests of this folder share: OpenSSL as the reference, and a small world of users.
#pragma once

#include "dataplane/auth/hex.h"
#include "dataplane/auth/policy.h"
#include "dataplane/auth/subscribers.h"
#include "dataplane/tokens/keys.h"

#include <openssl/evp.h>

#include <array>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>

namespace pinhole::auth {

inline const char* openssl_name(Algorithm algorithm) {
    constexpr std::array kNames{"MD5", "SHA256", "SHA512-256"};
    return kNames[static_cast<std::size_t>(algorithm)];
}

// In hexadecimal.
inline std::string reference(Algorithm algorithm, std::string_view text) {
    std::array<std::uint8_t, EVP_MAX_MD_SIZE> out;
    unsigned size = 0;
    EVP_Digest(text.data(), text.size(), out.data(), &size,
               EVP_get_digestbyname(openssl_name(algorithm)), nullptr);
    std::string hex(2 * size, '\0');
    write_hex(out.data(), size, hex.data());
    return hex;
}

inline std::string ha1(Algorithm algorithm, std::string_view user, std::string_view password,
                       std::string_view realm = "example.com") {
    return reference(algorithm,
                     std::string(user) + ":" + std::string(realm) + ":" + std::string(password));
}

inline UserHash test_hash() {
    const std::array<std::byte, UserHash::kSeedBytes> seed{std::byte{5}};
    return UserHash(seed);
}

inline tokens::Keys test_keys(std::uint8_t id = 1) {
    const tokens::MasterKey key{id, {1, 2, id}};
    return tokens::Keys({&key, 1});
}

// Each of `users` with each of `algorithms`; the password is "pw-" and the name.
inline std::unique_ptr<Subscribers> subscribers_of(std::initializer_list<std::string_view> users,
                                                   std::initializer_list<Algorithm> algorithms) {
    Subscribers::Counts counts{};
    for (const Algorithm algorithm : algorithms) {
        counts[static_cast<std::size_t>(algorithm)] = users.size();
    }
    auto made = std::make_unique<Subscribers>(counts, SubscriberMemory::heap());
    const UserHash hash = test_hash();
    for (const std::string_view user : users) {
        for (const Algorithm algorithm : algorithms) {
            std::array<std::uint8_t, kMaxHashBytes> bytes{};
            (void)read_hex(ha1(algorithm, user, "pw-" + std::string(user)), bytes.data(),
                           hash_bytes(algorithm));
            (void)made->add(algorithm, hash(user), bytes.data());
        }
    }
    made->finish();
    return made;
}

}  // namespace pinhole::auth
