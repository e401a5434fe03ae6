// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/route/tag.h"

#include "dataplane/tokens/base64.h"
#include "dataplane/tokens/pack.h"

#include <xxhash.h>

#include <array>

namespace pinhole::route {
namespace {

constexpr std::size_t kTagBytes = 1 + 8;
static_assert(tokens::base64_chars(kTagBytes) == TagText::kChars);

std::string_view tag_of(const sip::NameAddr* address) {
    return address != nullptr ? address->tag : std::string_view{};
}

// Empty where the top Via has none or can't be read.
std::string_view branch_of(const sip::Message& request) {
    const sip::Via* top = request.top_via();
    return top != nullptr ? top->branch : std::string_view{};
}

// No MAC: a forger would only have its own ACK swallowed, and every answer would pay for the MAC.
std::uint64_t mark_of(const tokens::Keys& keys, std::uint8_t key_id, const sip::Message& request) {
    std::uint64_t mark = keys.tag_seed(key_id);
    for (const std::string_view text :
         {request.call_id(), tag_of(request.from_address()), branch_of(request)}) {
        mark = XXH3_64bits_withSeed(text.data(), text.size(), mark);
    }
    return mark;
}

TagText tag_under(const tokens::Keys& keys, std::uint8_t key_id, const sip::Message& request) {
    tokens::Packer<kTagBytes> packer;
    packer.number(key_id, 1).number(mark_of(keys, key_id, request), 8);
    TagText out;
    tokens::base64_encode(packer.view(), out.text);
    return out;
}

}  // namespace

TagText make_tag(const tokens::Keys& keys, const sip::Message& request) {
    return tag_under(keys, keys.current_id(), request);
}

bool is_ack_to_us(const tokens::Keys& keys, const sip::Message& request) {
    if (request.method != sip::Method::kAck) {
        return false;
    }
    const std::string_view tag = tag_of(request.to_address());
    std::array<std::uint8_t, kTagBytes> data;
    if (tag.size() != TagText::kChars || !tokens::base64_decode(tag, data) ||
        !keys.knows(data[0])) {
        return false;
    }
    return tag == tag_under(keys, data[0], request).view();
}

}  // namespace pinhole::route
