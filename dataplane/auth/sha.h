// SPDX-License-Identifier: BSD-3-Clause
// SHA-256 and SHA-512/256 (FIPS 180-4) by OpenSSL's own code, without its EVP layer, which
// allocates at each digest. Pure; any thread; never allocates.
#pragma once

#include <cstdint>
#include <string_view>

namespace pinhole::auth {

// `out` holds 32 bytes.
void sha256(std::string_view text, std::uint8_t* out);
void sha512_256(std::string_view text, std::uint8_t* out);

}  // namespace pinhole::auth
