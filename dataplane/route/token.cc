// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/route/token.h"

#include "dataplane/route/flow_text.h"
#include "dataplane/tokens/base64.h"
#include "dataplane/tokens/pack.h"

#include <array>

namespace pinhole::route {
namespace {

constexpr std::size_t kMacBytes = 8;
// What a token has beside the contact or the flow: direction, key and peer before the MAC.
constexpr std::size_t kFixedBytes = 1 + 1 + 4 + kMacBytes;
constexpr std::size_t kContactBytes = 4 + 4;
constexpr std::size_t kMaxBytes = kFixedBytes + flow_bytes(true);
static_assert(tokens::base64_chars(kFixedBytes + kContactBytes) == kContactTokenChars);
static_assert(tokens::base64_chars(kFixedBytes + flow_bytes(false)) == kFlow4TokenChars);
static_assert(tokens::base64_chars(kMaxBytes) == kFlow6TokenChars);

constexpr std::uint8_t kDirectionBits = 3;
constexpr std::uint8_t kBitPortMatters = 4;

std::uint64_t token_mac(const tokens::Keys& keys, std::uint8_t key_id,
                        std::span<const std::uint8_t> fields, std::string_view call_id) {
    return tokens::MacInput(keys, tokens::Purpose::kToken, key_id)
        .bytes(fields)
        .text(call_id)
        .mac();
}

}  // namespace

TokenText make_token(const tokens::Keys& keys, const Token& token, std::string_view call_id) {
    const std::uint8_t key_id = keys.current_id();
    const bool by_flow = !token.contact.valid();
    const auto bits =
        static_cast<std::uint8_t>(static_cast<std::uint8_t>(token.direction) |
                                  (by_flow && token.port_matters ? kBitPortMatters : 0));
    tokens::Packer<kMaxBytes> packer;
    packer.number(bits, 1).number(key_id, 1);
    if (by_flow) {
        pack_flow(token.flow, packer);
    } else {
        packer.number(token.contact.slot, 4).number(token.contact.generation, 4);
    }
    packer.number(token.peer, 4);
    packer.number(token_mac(keys, key_id, packer.view(), call_id), kMacBytes);
    TokenText out;
    out.size = static_cast<std::uint8_t>(tokens::base64_encode(packer.view(), out.text));
    return out;
}

std::optional<Token> read_token(const tokens::Keys& keys, std::string_view text,
                                std::string_view call_id) {
    std::array<std::uint8_t, kMaxBytes> data;
    const auto size = may_be_token(text) ? tokens::base64_decode(text, data) : std::nullopt;
    if (!size) {
        return std::nullopt;
    }
    tokens::Unpacker in({data.data(), *size});
    const auto bits = static_cast<std::uint8_t>(in.number(1));
    const auto key_id = static_cast<std::uint8_t>(in.number(1));
    Token out;
    out.direction = static_cast<Direction>(bits & kDirectionBits);
    if (text.size() == kContactTokenChars) {
        out.contact.slot = static_cast<std::uint32_t>(in.number(4));
        out.contact.generation = static_cast<std::uint32_t>(in.number(4));
    } else {
        out.flow = unpack_flow(in, text.size() == kFlow6TokenChars);
        out.port_matters = (bits & kBitPortMatters) != 0;
    }
    out.peer = static_cast<std::uint32_t>(in.number(4));
    const std::uint64_t mac = in.number(kMacBytes);
    if (!in.complete() || !keys.knows(key_id) ||
        mac != token_mac(keys, key_id, {data.data(), *size - kMacBytes}, call_id)) {
        return std::nullopt;
    }
    return out;
}

}  // namespace pinhole::route
