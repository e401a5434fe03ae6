// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/route/token.h"

#include "dataplane/route/base64.h"
#include "dataplane/route/pack.h"

#include <array>

namespace pinhole::route {
namespace {

constexpr std::size_t kSignedBytes = 1 + 1 + 4 + 4 + 4;
constexpr std::size_t kTokenBytes = kSignedBytes + 8;
static_assert(base64_chars(kTokenBytes) == kTokenChars);

std::uint64_t token_mac(const Keys& keys, std::uint8_t key_id, std::span<const std::uint8_t> fields,
                        std::string_view call_id) {
    return MacInput(keys, Purpose::kToken, key_id).bytes(fields).text(call_id).mac();
}

}  // namespace

TokenText make_token(const Keys& keys, const Token& token, std::string_view call_id) {
    const std::uint8_t key_id = keys.current_id();
    Packer<kTokenBytes> packer;
    packer.number(static_cast<std::uint8_t>(token.direction), 1).number(key_id, 1);
    packer.number(token.contact.slot, 4).number(token.contact.generation, 4).number(token.peer, 4);
    packer.number(token_mac(keys, key_id, packer.view(), call_id), 8);
    TokenText out;
    base64_encode(packer.view(), out.text);
    return out;
}

std::optional<Token> read_token(const Keys& keys, std::string_view text, std::string_view call_id) {
    std::array<std::uint8_t, kTokenBytes> data;
    if (text.size() != kTokenChars || !base64_decode(text, data)) {
        return std::nullopt;
    }
    Unpacker in(data);
    const std::uint64_t direction = in.number(1);
    const auto key_id = static_cast<std::uint8_t>(in.number(1));
    Token out;
    out.contact.slot = static_cast<std::uint32_t>(in.number(4));
    out.contact.generation = static_cast<std::uint32_t>(in.number(4));
    out.peer = static_cast<std::uint32_t>(in.number(4));
    out.direction = static_cast<Direction>(direction);
    const std::uint64_t mac = in.number(8);
    if (direction > static_cast<std::uint64_t>(Direction::kTarget) || !keys.knows(key_id) ||
        mac != token_mac(keys, key_id, {data.data(), kSignedBytes}, call_id)) {
        return std::nullopt;
    }
    return out;
}

}  // namespace pinhole::route
