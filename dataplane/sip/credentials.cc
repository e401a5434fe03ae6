// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/sip/credentials.h"

#include "dataplane/sip/text.h"

#include <emmintrin.h>

#include <algorithm>
#include <array>
#include <bit>

namespace pinhole::sip {
namespace {

constexpr std::size_t kGlance = 16;  // bytes looked at together

__m128i glance(const char* at) {
    return _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
}

__m128i where(__m128i bytes, char c) {
    return _mm_cmpeq_epi8(bytes, _mm_set1_epi8(c));
}

__m128i where_at_most(__m128i bytes, char c) {
    return _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(c)), bytes);
}

// What a quoted string can't go on over at a glance: its end, an escape, a control character.
struct Quoted {
    static bool stops(char c) {
        return static_cast<unsigned char>(c) < ' ' || c == 0x7f || c == '"' || c == '\\';
    }
    static __m128i stops(__m128i bytes) {
        return _mm_or_si128(_mm_or_si128(where(bytes, '"'), where(bytes, '\\')),
                            _mm_or_si128(where(bytes, 0x7f), where_at_most(bytes, ' ' - 1)));
    }
};

// What ends a value that is not quoted: a comma, and what no URI has.
struct Bare {
    static bool stops(char c) { return c == ',' || !is(c, kUriChar); }
    static __m128i stops(__m128i bytes) {
        return _mm_or_si128(_mm_or_si128(_mm_or_si128(where(bytes, '"'), where(bytes, ',')),
                                         _mm_or_si128(where(bytes, '<'), where(bytes, '>'))),
                            _mm_or_si128(where(bytes, 0x7f), where_at_most(bytes, ' ')));
    }
};

// The first one that stops, 16 at a time while there are so many; `end`: none.
template <typename Kind>
const char* find_stop(const char* at, const char* end) {
    for (; end - at >= static_cast<std::ptrdiff_t>(kGlance); at += kGlance) {
        const int stops = _mm_movemask_epi8(Kind::stops(glance(at)));
        if (stops != 0) {
            return at + std::countr_zero(static_cast<unsigned>(stops));
        }
    }
    while (at < end && !Kind::stops(*at)) {
        ++at;
    }
    return at;
}

const char* skip_token(const char* at, const char* end) {
    while (at != end && is(*at, kToken)) {
        ++at;
    }
    return at;
}

const char* skip_lws(const char* at, const char* end) {
    while (at != end && is_lws(*at)) {
        ++at;
    }
    return at;
}

std::string_view between(const char* begin, const char* end) {
    return {begin, static_cast<std::size_t>(end - begin)};
}

// From its opening quote on; where it ends. Null: it doesn't, or has a control character.
const char* take_quoted(const char* at, const char* end, std::string_view& value) {
    const char* const begin = at + 1;
    bool escapes = false;
    at = find_stop<Quoted>(begin, end);
    while (at < end && *at == '\\') {
        escapes = true;
        at = end - at > 2 ? find_stop<Quoted>(at + 2, end) : end;
    }
    if (at == end || *at != '"') {
        return nullptr;
    }
    value = between(begin, at);
    return !escapes || is_printable(value) ? at + 1 : nullptr;
}

// Some phones forget the quotes, of the uri too.
const char* take_value(const char* at, const char* end, std::string_view& value) {
    if (at != end && *at == '"') {
        return take_quoted(at, end, value);
    }
    const char* const begin = at;
    at = find_stop<Bare>(at, end);
    value = between(begin, at);
    return at;
}

// `what` stands at `at`, in whatever case; then it is passed.
[[gnu::always_inline]] inline bool pass(const char*& at, const char* end, std::string_view what) {
    const bool found = starts_with_ci(between(at, end), what);
    at += found ? what.size() : 0;
    return found;
}

// Where the value of a known parameter goes, if its name stands here with a '=' right behind it, as
// nearly all do; passes both. It compares instead of looking for the '=', so that a core need not
// know where a name ends to go on. Always inlined: otherwise its comparisons are made one for all
// lengths.
[[gnu::always_inline]] inline std::string_view* take_known(const char*& at, const char* end,
                                                           Credentials& out) {
    switch (*at | 0x20) {
        case 'a':
            return pass(at, end, "algorithm=") ? &out.algorithm : nullptr;
        case 'c':
            return pass(at, end, "cnonce=") ? &out.cnonce : nullptr;
        case 'n':
            return pass(at, end, "nonce=") ? &out.nonce : pass(at, end, "nc=") ? &out.nc : nullptr;
        case 'q':
            return pass(at, end, "qop=") ? &out.qop : nullptr;
        case 'r':
            return pass(at, end, "realm=")      ? &out.realm
                   : pass(at, end, "response=") ? &out.response
                                                : nullptr;
        case 'u':
            return pass(at, end, "username=")    ? &out.username
                   : pass(at, end, "uri=")       ? &out.uri
                   : pass(at, end, "userhash=")  ? &out.userhash
                   : pass(at, end, "username*=") ? &out.username_star
                                                 : nullptr;
        default:
            return nullptr;
    }
}

// The same for any name, with or without white space before its '='. An unknown parameter goes to
// `other`. Null: there is no name, or no '='.
std::string_view* take_any(const char*& at, const char* end, Credentials& out,
                           std::string_view& other) {
    static constexpr std::string_view kLongest = "algorithm=";
    const std::string_view name = between(at, skip_token(at, end));
    at = skip_lws(name.data() + name.size(), end);
    if (name.empty() || at == end || *at != '=') {
        return nullptr;
    }
    ++at;
    other = {};
    std::array<char, kLongest.size()> joined;
    if (name.size() >= joined.size()) {
        return &other;
    }
    *std::copy(name.begin(), name.end(), joined.begin()) = '=';
    const char* start = joined.data();
    std::string_view* const known = take_known(start, start + name.size() + 1, out);
    return known == nullptr ? &other : known;
}

}  // namespace

CredentialsRead read_credentials(std::string_view value, Credentials& out) {
    out = {};
    value = trim(value);
    const char* at = value.data();
    const char* const end = at + value.size();
    at = skip_token(at, end);
    if (!equals_ci(between(value.data(), at), "Digest")) {
        return CredentialsRead::kOtherScheme;
    }
    at = skip_lws(at, end);
    std::string_view other;
    while (at != end) {
        if (*at == ',') {  // an element may be empty (RFC 9110 §5.6.1)
            at = skip_lws(at + 1, end);
            continue;
        }
        std::string_view* view = take_known(at, end, out);
        if (view == nullptr) {
            view = take_any(at, end, out, other);
        }
        if (view == nullptr || view->data() != nullptr) {
            return CredentialsRead::kMalformed;  // of two, who reads which?
        }
        at = take_value(skip_lws(at, end), end, *view);
        if (at == nullptr) {
            return CredentialsRead::kMalformed;
        }
        at = skip_lws(at, end);
        if (at != end && *at != ',') {
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
