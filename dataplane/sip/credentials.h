// SPDX-License-Identifier: BSD-3-Clause
// What an Authorization or a Proxy-Authorization header says (RFC 7616 §3.4, RFC 3261 §25.1): its
// parameters in whatever order, quoted or not, as views. One header holds the credentials of one
// realm; commas separate parameters, never credentials. Pure; any thread; views only.
#pragma once

#include "dataplane/sip/text.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace pinhole::sip {

// Without the quotes around them; what is escaped inside stays so. Empty: absent (data() is null
// then), or empty.
struct Credentials {
    std::string_view username;
    std::string_view realm;
    std::string_view nonce;
    std::string_view uri;
    std::string_view response;
    std::string_view algorithm;
    std::string_view cnonce;
    std::string_view qop;
    std::string_view nc;
    std::string_view userhash;
    std::string_view username_star;

    // The user's name is hashed (userhash=true) or written as RFC 8187 has it (username*).
    [[nodiscard]] bool hides_username() const {
        return username_star.data() != nullptr || equals_ci(userhash, "true");
    }
};

enum class CredentialsRead : std::uint8_t {
    kOk,
    kOtherScheme,  // not Digest
    kMalformed,    // no list of parameters, one of them twice, or a control character in one
};
// `value` is a header's, whole.
[[nodiscard]] CredentialsRead read_credentials(std::string_view value, Credentials& out);

// What a quoted string means: each quoted-pair is the character behind its backslash (RFC 3261
// §25.1). None: longer than `capacity`. Text without a backslash is given back as it is.
[[nodiscard]] std::optional<std::string_view> unescape_quoted(std::string_view text, char* out,
                                                              std::size_t capacity);

}  // namespace pinhole::sip
