// SPDX-License-Identifier: BSD-3-Clause
// The answer stays below 1.5 times the request, IP and UDP headers counted, by its form. A bare
// request of 20 bytes is 48 on IPv4, and its answer 60 of at most 72; on IPv6 they are 68, and 92
// of at most 102. FINGERPRINT adds 8 to both. An unknown attribute has cost the request 4 bytes or
// more and costs the answer 2, beside 16 for what names the error: 52 and 64 of 78. To stay below,
// the error has no reason phrase, which is for humans alone.
#include "dataplane/net/stun.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace pinhole::net {
namespace {

constexpr std::uint32_t kCookie = 0x2112a442;
constexpr std::uint16_t kBindingRequest = 0x0001;
constexpr std::uint16_t kBindingSuccess = 0x0101;
constexpr std::uint16_t kBindingError = 0x0111;

constexpr std::uint16_t kErrorCode = 0x0009;
constexpr std::uint16_t kUnknownAttributes = 0x000a;
constexpr std::uint16_t kXorMappedAddress = 0x0020;
constexpr std::uint16_t kFingerprint = 0x8028;
constexpr std::uint32_t kFingerprintXor = 0x5354554e;
constexpr std::size_t kFingerprintLen = 8;  // the attribute whole; always the last one

// Attributes that RFC 8489 defines for other uses of STUN are passed over (§6.3): addresses,
// errors, and credentials, which nobody is asked for.
constexpr std::array<std::uint16_t, 11> kKnown{0x0001,  // MAPPED-ADDRESS
                                               0x0006,  // USERNAME
                                               0x0008,  // MESSAGE-INTEGRITY
                                               kErrorCode,       kUnknownAttributes,
                                               0x0014,  // REALM
                                               0x0015,  // NONCE
                                               0x001c,  // MESSAGE-INTEGRITY-SHA256
                                               0x001d,  // PASSWORD-ALGORITHM
                                               0x001e,  // USERHASH
                                               kXorMappedAddress};
constexpr std::size_t kMaxUnknown = 8;  // that are named; an honest client sends none

constexpr std::array<std::uint32_t, 256> make_crc_table() {
    std::array<std::uint32_t, 256> table{};
    for (std::uint32_t i = 0; i < table.size(); ++i) {
        std::uint32_t value = i;
        for (int bit = 0; bit < 8; ++bit) {
            value = (value & 1) != 0 ? value >> 1 ^ 0xedb88320 : value >> 1;
        }
        table[i] = value;
    }
    return table;
}
constexpr auto kCrcTable = make_crc_table();

// ITU-T V.42's, as §14.7 wants it.
std::uint32_t crc32(Bytes data) {
    std::uint32_t crc = 0xffffffff;
    for (const std::uint8_t byte : data) {
        crc = crc >> 8 ^ kCrcTable[(crc ^ byte) & 0xff];
    }
    return ~crc;
}

struct Attribute {
    std::uint16_t type;
    std::size_t len;     // of the value
    std::size_t offset;  // of the attribute, in the datagram
};

// Walks the attributes of a datagram whose header is good.
class Attributes {
  public:
    explicit Attributes(Bytes datagram) : datagram_(datagram) {}
    // False at the end, and where one outgrows the message; then broken().
    bool next(Attribute& out) {
        if (at_ == datagram_.size()) {
            return false;
        }
        // The length is a multiple of four, so that an attribute's header is always there.
        out = {load_be16(&datagram_[at_]), load_be16(&datagram_[at_ + 2]), at_};
        const std::size_t padded = 4 + (out.len + 3) / 4 * 4;
        if (padded > datagram_.size() - at_) {
            broken_ = true;
            return false;
        }
        at_ += padded;
        return true;
    }
    [[nodiscard]] bool broken() const { return broken_; }

  private:
    Bytes datagram_;
    std::size_t at_ = kStunHeaderLen;
    bool broken_ = false;
};

bool has_fingerprint(Bytes datagram) {
    Attributes attributes(datagram);
    Attribute attribute;
    while (attributes.next(attribute)) {
        if (attribute.type == kFingerprint) {
            return true;
        }
    }
    return false;
}

// Whole, and with a fingerprint that holds if there is one.
bool well_formed(Bytes datagram) {
    Attributes attributes(datagram);
    Attribute attribute;
    while (attributes.next(attribute)) {
        if (attribute.type != kFingerprint) {
            continue;
        }
        if (attribute.len != 4 || attribute.offset + kFingerprintLen != datagram.size() ||
            load_be32(&datagram[attribute.offset + 4]) !=
                (crc32(datagram.first(attribute.offset)) ^ kFingerprintXor)) {
            return false;
        }
    }
    return !attributes.broken();
}

class Answer {
  public:
    Answer(Bytes request, std::span<std::uint8_t, kMaxStunAnswer> out)
        : out_(out), request_(request) {}

    void begin(std::uint16_t type) {
        store_be16(out_.data(), type);
        std::memcpy(&out_[4], &request_[4], kStunHeaderLen - 4);  // cookie and transaction
        size_ = kStunHeaderLen;
    }
    void attribute(std::uint16_t type, Bytes value) {
        store_be16(&out_[size_], type);
        store_be16(&out_[size_ + 2], static_cast<std::uint16_t>(value.size()));
        std::memcpy(&out_[size_ + 4], value.data(), value.size());
        const std::size_t padding = (4 - value.size() % 4) % 4;
        std::memset(&out_[size_ + 4 + value.size()], 0, padding);
        size_ += 4 + value.size() + padding;
        store_length(size_);
    }
    void fingerprint() {
        store_length(size_ + kFingerprintLen);  // it covers the length that includes itself
        std::array<std::uint8_t, 4> value;
        store_be32(value.data(), crc32({out_.data(), size_}) ^ kFingerprintXor);
        attribute(kFingerprint, value);
    }
    [[nodiscard]] std::size_t size() const { return size_; }

  private:
    void store_length(std::size_t size) {
        store_be16(&out_[2], static_cast<std::uint16_t>(size - kStunHeaderLen));
    }

    std::span<std::uint8_t, kMaxStunAnswer> out_;
    Bytes request_;
    std::size_t size_ = 0;
};

// §14.2: the port and the address, under the cookie and the transaction.
void write_mapped(const Flow& flow, Bytes request, Answer& answer) {
    std::array<std::uint8_t, 4 + 16> value{};
    const bool v4 = flow.is_v4();
    const std::size_t len = v4 ? 4 : 16;
    const std::uint8_t* address = flow.theirs.bytes.data() + (16 - len);
    value[1] = v4 ? 1 : 2;
    store_be16(&value[2], static_cast<std::uint16_t>(flow.their_udp_port ^ (kCookie >> 16)));
    for (std::size_t i = 0; i < len; ++i) {
        value[4 + i] = static_cast<std::uint8_t>(address[i] ^ request[4 + i]);
    }
    answer.attribute(kXorMappedAddress, {value.data(), 4 + len});
}

// Types that we had to understand (§14: below 0x8000), each once; returns how many.
std::size_t find_unknown(Bytes request, std::array<std::uint16_t, kMaxUnknown>& out) {
    std::size_t count = 0;
    Attributes attributes(request);
    Attribute attribute;
    while (count < out.size() && attributes.next(attribute)) {
        const auto* end = out.begin() + count;
        if (attribute.type < 0x8000 &&
            std::find(kKnown.begin(), kKnown.end(), attribute.type) == kKnown.end() &&
            std::find(out.cbegin(), end, attribute.type) == end) {
            out[count++] = attribute.type;
        }
    }
    return count;
}

}  // namespace

StunKind stun_kind(Bytes datagram) {
    if (datagram.size() < kStunHeaderLen || (datagram[0] & 0xc0) != 0 ||
        load_be32(&datagram[4]) != kCookie || datagram.size() % 4 != 0 ||
        load_be16(&datagram[2]) != datagram.size() - kStunHeaderLen || !well_formed(datagram)) {
        return StunKind::kNone;
    }
    return load_be16(datagram.data()) == kBindingRequest ? StunKind::kRequest : StunKind::kOther;
}

std::size_t write_stun_answer(Bytes request, const Flow& flow,
                              std::span<std::uint8_t, kMaxStunAnswer> out) {
    Answer answer(request, out);
    std::array<std::uint16_t, kMaxUnknown> unknown;
    if (const std::size_t count = find_unknown(request, unknown); count != 0) {
        constexpr std::array<std::uint8_t, 4> k420{0, 0, 4, 20};
        std::array<std::uint8_t, 2 * kMaxUnknown> types;
        for (std::size_t i = 0; i < count; ++i) {
            store_be16(&types[2 * i], unknown[i]);
        }
        answer.begin(kBindingError);
        answer.attribute(kErrorCode, k420);
        answer.attribute(kUnknownAttributes, {types.data(), 2 * count});
    } else {
        answer.begin(kBindingSuccess);
        write_mapped(flow, request, answer);
    }
    if (has_fingerprint(request)) {
        answer.fingerprint();
    }
    return answer.size();
}

}  // namespace pinhole::net
