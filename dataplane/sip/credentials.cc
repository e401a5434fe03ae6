// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/sip/credentials.h"

#include "dataplane/sip/text.h"

#include <emmintrin.h>

#include <bit>

namespace pinhole::sip {
namespace {

// Takes the scheme off. The space behind it may be a fold.
std::string_view take_token(std::string_view& rest) {
    std::size_t i = 0;
    while (i < rest.size() && is(rest[i], kToken)) {
        ++i;
    }
    const std::string_view token = rest.substr(0, i);
    rest = trim_front(rest.substr(i));
    return token;
}

// What a quoted string can't go on over at a glance: its end, an escape, a control character.
bool is_plain(char c) {
    return static_cast<unsigned char>(c) >= ' ' && c != 0x7f && c != '"' && c != '\\';
}

// How far a text is plain from `i` on, 16 bytes at a time while there are so many.
std::size_t end_of_plain(std::string_view text, std::size_t i) {
    const __m128i quote = _mm_set1_epi8('"');
    const __m128i escape = _mm_set1_epi8('\\');
    const __m128i last_control = _mm_set1_epi8(' ' - 1);
    const __m128i del = _mm_set1_epi8(0x7f);
    for (; i + 16 <= text.size(); i += 16) {
        const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(text.data() + i));
        const __m128i control = _mm_cmpeq_epi8(_mm_min_epu8(bytes, last_control), bytes);
        const __m128i stops =
            _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(bytes, quote), _mm_cmpeq_epi8(bytes, escape)),
                         _mm_or_si128(control, _mm_cmpeq_epi8(bytes, del)));
        if (const auto found = static_cast<unsigned>(_mm_movemask_epi8(stops)); found != 0) {
            return i + static_cast<unsigned>(std::countr_zero(found));
        }
    }
    while (i < text.size() && is_plain(text[i])) {
        ++i;
    }
    return i;
}

// False: it doesn't end, or has a control character.
bool take_quoted(std::string_view& rest, std::string_view& value) {
    std::size_t end = end_of_plain(rest, 1);
    bool escapes = false;
    while (end < rest.size() && rest[end] == '\\') {
        escapes = true;
        end = end_of_plain(rest, end + 2);
    }
    if (end >= rest.size() || rest[end] != '"') {
        return false;
    }
    value = rest.substr(1, end - 1);
    rest.remove_prefix(end + 1);
    return !escapes || is_printable(value);
}

// Some phones forget the quotes, of the uri too.
bool take_value(std::string_view& rest, std::string_view& value) {
    if (!rest.empty() && rest.front() == '"') {
        return take_quoted(rest, value);
    }
    std::size_t i = 0;
    while (i < rest.size() && rest[i] != ',' && is(rest[i], kUriChar)) {
        ++i;
    }
    value = rest.substr(0, i);
    rest.remove_prefix(i);
    return true;
}

enum class Known : std::uint8_t {
    kOther,
    kUsername,
    kRealm,
    kNonce,
    kUri,
    kResponse,
    kAlgorithm,
    kCnonce,
    kQop,
    kNc,
    kUserhash,
    kUsernameStar,
};

Known known(std::string_view name) {
    const auto when = [name](std::string_view what, Known id) {
        return equals_ci(name, what) ? id : Known::kOther;
    };
    switch (name.size()) {
        case 2:
            return when("nc", Known::kNc);
        case 3:
            return lower(name[0]) == 'u' ? when("uri", Known::kUri) : when("qop", Known::kQop);
        case 5:
            return lower(name[0]) == 'r' ? when("realm", Known::kRealm)
                                         : when("nonce", Known::kNonce);
        case 6:
            return when("cnonce", Known::kCnonce);
        case 8:
            return lower(name[0]) == 'r'   ? when("response", Known::kResponse)
                   : lower(name[4]) == 'n' ? when("username", Known::kUsername)
                                           : when("userhash", Known::kUserhash);
        case 9:
            return lower(name[0]) == 'a' ? when("algorithm", Known::kAlgorithm)
                                         : when("username*", Known::kUsernameStar);
        default:
            return Known::kOther;
    }
}

void put(Known name, std::string_view value, Credentials& out) {
    switch (name) {
        case Known::kUsername:
            out.username = value;
            break;
        case Known::kRealm:
            out.realm = value;
            break;
        case Known::kNonce:
            out.nonce = value;
            break;
        case Known::kUri:
            out.uri = value;
            break;
        case Known::kResponse:
            out.response = value;
            break;
        case Known::kAlgorithm:
            out.algorithm = value;
            break;
        case Known::kCnonce:
            out.cnonce = value;
            break;
        case Known::kQop:
            out.qop = value;
            break;
        case Known::kNc:
            out.nc = value;
            break;
        case Known::kUserhash:
            out.hides_username |= equals_ci(value, "true");
            break;
        case Known::kUsernameStar:
            out.hides_username = true;
            break;
        case Known::kOther:
            break;
    }
}

}  // namespace

CredentialsRead read_credentials(std::string_view value, Credentials& out) {
    out = {};
    std::string_view rest = trim(value);
    const std::string_view scheme = take_token(rest);
    if (!equals_ci(scheme, "Digest")) {
        return CredentialsRead::kOtherScheme;
    }
    std::uint32_t seen = 0;
    while (!rest.empty()) {
        if (rest.front() == ',') {  // an element may be empty (RFC 9110 §5.6.1)
            rest = trim_front(rest.substr(1));
            continue;
        }
        const std::string_view name = take_token(rest);
        std::string_view text;
        if (name.empty() || rest.empty() || rest.front() != '=') {
            return CredentialsRead::kMalformed;
        }
        rest = trim_front(rest.substr(1));
        if (!take_value(rest, text)) {
            return CredentialsRead::kMalformed;
        }
        const Known id = known(name);
        const std::uint32_t bit = id == Known::kOther ? 0 : 1U << static_cast<unsigned>(id);
        if ((seen & bit) != 0) {
            return CredentialsRead::kMalformed;  // who reads which?
        }
        seen |= bit;
        put(id, text, out);
        rest = trim_front(rest);
        if (!rest.empty() && rest.front() != ',') {
            return CredentialsRead::kMalformed;
        }
    }
    return CredentialsRead::kOk;
}

std::optional<std::string_view> unescape_quoted(std::string_view text, char* out,
                                                std::size_t capacity) {
    if (text.find('\\') == std::string_view::npos) {
        return text;
    }
    std::size_t size = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        i += text[i] == '\\' && i + 1 < text.size() ? 1 : 0;
        if (size == capacity) {
            return std::nullopt;
        }
        out[size++] = text[i];
    }
    return std::string_view{out, size};
}

}  // namespace pinhole::sip
