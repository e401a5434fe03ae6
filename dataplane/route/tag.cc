// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/route/tag.h"

#include "dataplane/route/base64.h"
#include "dataplane/route/pack.h"
#include "dataplane/sip/name_addr.h"
#include "dataplane/sip/via.h"

#include <array>

namespace pinhole::route {
namespace {

constexpr std::size_t kTagBytes = 1 + 8;
static_assert(base64_chars(kTagBytes) == TagText::kChars);

std::string_view tag_of(std::string_view header) {
    sip::NameAddr address;
    return sip::parse_name_addr(header, address) ? address.tag() : std::string_view{};
}

// Empty where the top Via has none or can't be read.
std::string_view branch_of(const sip::Message& request) {
    sip::Via top;
    return sip::top_via(request, top) ? top.branch : std::string_view{};
}

TagText tag_under(const Keys& keys, std::uint8_t key_id, const sip::Message& request,
                  std::string_view branch, std::string_view from_tag) {
    MacInput input(keys, Purpose::kTag, key_id);
    input.text(request.call_id()).text(from_tag).text(branch);
    Packer<kTagBytes> packer;
    packer.number(key_id, 1).number(input.mac(), 8);
    TagText out;
    base64_encode(packer.view(), out.text);
    return out;
}

}  // namespace

TagText make_tag(const Keys& keys, const sip::Message& request) {
    return make_tag(keys, request, branch_of(request), tag_of(request.from()));
}

TagText make_tag(const Keys& keys, const sip::Message& request, std::string_view branch,
                 std::string_view from_tag) {
    return tag_under(keys, keys.current_id(), request, branch, from_tag);
}

bool is_ack_to_us(const Keys& keys, const sip::Message& request) {
    if (request.method != sip::Method::kAck) {
        return false;
    }
    const std::string_view tag = tag_of(request.to());
    std::array<std::uint8_t, kTagBytes> data;
    if (tag.size() != TagText::kChars || !base64_decode(tag, data) || !keys.knows(data[0])) {
        return false;
    }
    return tag ==
           tag_under(keys, data[0], request, branch_of(request), tag_of(request.from())).view();
}

}  // namespace pinhole::route
