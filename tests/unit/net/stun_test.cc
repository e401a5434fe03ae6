// SPDX-License-Identifier: BSD-3-Clause
// Against the sample messages of RFC 5769, and against requests that lie about themselves.
#include "dataplane/net/stun.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace pinhole::net {
namespace {

using testing::ElementsAreArray;
using Message = std::vector<std::uint8_t>;

// "00 01 2112" as bytes.
Message hex(std::string_view text) {
    Message out;
    std::string digits;
    for (const char c : text) {
        if (c != ' ' && c != '\n') {
            digits += c;
        }
        if (digits.size() == 2) {
            out.push_back(static_cast<std::uint8_t>(std::stoul(digits, nullptr, 16)));
            digits.clear();
        }
    }
    return out;
}

Flow from(std::string_view address, std::uint16_t port) {
    Flow flow;
    flow.theirs = *parse_address(address);
    flow.their_udp_port = port;
    return flow;
}

Message answer(const Message& request, const Flow& flow) {
    std::array<std::uint8_t, kMaxStunAnswer> out;
    const std::size_t size = write_stun_answer(request, flow, out);
    return {out.begin(), out.begin() + static_cast<std::ptrdiff_t>(size)};
}

Message bare() {
    return hex("0001 0000 2112a442 b7e7a701bc34d686fa87dfae");
}
Message with(Message request, std::string_view attributes) {
    const Message more = hex(attributes);
    request.insert(request.end(), more.begin(), more.end());
    store_be16(&request[2], static_cast<std::uint16_t>(request.size() - kStunHeaderLen));
    return request;
}

// RFC 5769 §2.1, with FINGERPRINT; PRIORITY and ICE-CONTROLLED are ICE's.
Message sample_request() {
    return hex(
        "0001 0058 2112a442 b7e7a701bc34d686fa87dfae"
        "8022 0010 5354554e207465737420636c69656e74"
        "0024 0004 6e0001ff"
        "8029 0008 932ff9b151263b36"
        "0006 0009 6576746a3a68367659202020"
        "0008 0014 9aeaa70cbfd8cb56781ef2b5b2d3f249c1b571a2"
        "8028 0004 e57a3bcf");
}

TEST(Stun, Rfc8489_5_KnowsItsOwn) {
    EXPECT_EQ(stun_kind(bare()), StunKind::kRequest);
    EXPECT_EQ(stun_kind(sample_request()), StunKind::kRequest);
    Message m = bare();
    m[1] = 0x11;
    EXPECT_EQ(stun_kind(m), StunKind::kOther) << "an indication";
    m = bare();
    m[0] = 0x01;
    EXPECT_EQ(stun_kind(m), StunKind::kOther) << "a success response";
    m[0] = 0x40;
    EXPECT_EQ(stun_kind(m), StunKind::kNone) << "the first two bits";
    m = bare();
    m[4] ^= 1;
    EXPECT_EQ(stun_kind(m), StunKind::kNone) << "the cookie";
    m = bare();
    m[3] = 4;
    EXPECT_EQ(stun_kind(m), StunKind::kNone) << "longer than the datagram";
    m = with(bare(), "8022 0004 61626364");
    m[3] = 4;
    EXPECT_EQ(stun_kind(m), StunKind::kNone) << "shorter than the datagram";
    m = bare();
    m.push_back(0);
    m[3] = 1;
    EXPECT_EQ(stun_kind(m), StunKind::kNone) << "no multiple of four";
    m = bare();
    m.pop_back();
    EXPECT_EQ(stun_kind(m), StunKind::kNone);
    EXPECT_EQ(stun_kind({}), StunKind::kNone);
    EXPECT_EQ(stun_kind(with(bare(), "8022 0005 61626364")), StunKind::kNone)
        << "an attribute that outgrows the message";
}

TEST(Stun, Rfc8489_14_7_FingerprintIsChecked) {
    constexpr std::size_t kLengthThatHidesIt = 63;
    constexpr std::size_t kItsType = 100;
    for (std::size_t i = 0; i < sample_request().size(); ++i) {
        if (i == kLengthThatHidesIt || i == kItsType || i == kItsType + 1) {
            continue;  // then it has none
        }
        Message m = sample_request();
        m[i] ^= 0x20;
        EXPECT_EQ(stun_kind(m), StunKind::kNone) << "byte " << i;
    }
    EXPECT_EQ(stun_kind(with(sample_request(), "8022 0000")), StunKind::kNone) << "not the last";
    EXPECT_EQ(stun_kind(with(bare(), "8028 0000")), StunKind::kNone) << "of another length";
}

// The values of RFC 5769 §2.2 and §2.3.
TEST(Stun, Rfc5626_8_XorMappedAddressOfBothFamilies) {
    EXPECT_THAT(answer(bare(), from("192.0.2.1", 32853)),
                ElementsAreArray(hex("0101 000c 2112a442 b7e7a701bc34d686fa87dfae"
                                     "0020 0008 0001 a147 e112a643")));
    EXPECT_THAT(answer(bare(), from("2001:db8:1234:5678:11:2233:4455:6677", 32853)),
                ElementsAreArray(hex("0101 0018 2112a442 b7e7a701bc34d686fa87dfae"
                                     "0020 0014 0002 a147 0113a9faa5d3f179bc25f4b5bed2b9d9")));
}

TEST(Stun, Rfc8489_7_3_1_UnknownRequiredAttributesGet420) {
    EXPECT_THAT(answer(with(bare(), "0024 0004 6e0001ff  0003 0004 00000002  0024 0000"),
                       from("192.0.2.1", 1)),
                ElementsAreArray(hex("0111 0010 2112a442 b7e7a701bc34d686fa87dfae"
                                     "0009 0004 00000414"
                                     "000a 0004 0024 0003")));
    EXPECT_EQ(answer(with(bare(), "7fff 0000"), from("192.0.2.1", 1)).size(), 36U) << "one, padded";
    EXPECT_EQ(
        answer(with(bare(), "8022 0003 61626300  0006 0001 61000000"), from("192.0.2.1", 1))[1],
        0x01)
        << "optional ones, and credentials, are passed over";
}

TEST(Stun, AnswersAFingerprintWithOne) {
    // What our own answer carries is what we would take.
    const Message error = answer(sample_request(), from("192.0.2.1", 32853));
    EXPECT_EQ(error[1], 0x11) << "PRIORITY is ICE's";
    EXPECT_EQ(load_be16(&error[error.size() - 8]), 0x8028);
    EXPECT_EQ(stun_kind(error), StunKind::kOther) << "its fingerprint holds";
}

// However a request is made up, its answer is at most 1.5 times as large.
TEST(Stun, NeverAmplifies) {
    for (const bool v4 : {true, false}) {
        const std::size_t headers = kUdpLen + (v4 ? kIpv4Len : kIpv6Len);
        const Flow flow = v4 ? from("192.0.2.1", 65535) : from("2001:db8::1", 65535);
        Message request = bare();
        for (unsigned unknown = 0; unknown < 12; ++unknown) {
            const std::size_t size = answer(request, flow).size();
            EXPECT_LE((size + headers) * 2, (request.size() + headers) * 3) << unknown;
            EXPECT_LE(size, kMaxStunAnswer);
            request = with(request, "7f0" + std::string(1, "0123456789ab"[unknown]) + " 0000");
        }
    }
}

}  // namespace
}  // namespace pinhole::net
