// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/table/stored_params.h"

#include <algorithm>
#include <functional>

namespace pinhole::table {
namespace {

using detail::case_of;
using detail::kBeforeInstance;
using detail::kBeforeUuid;
using detail::kElided;
using detail::kInstanceChars;

constexpr std::string_view kHead = ";+sip.instance=\"<urn:uuid:";
constexpr std::string_view kTail = ">\"";
static_assert(kHead.size() == kBeforeInstance.size() + kBeforeUuid.size() &&
              kHead.size() + kUuidChars + kTail.size() == kElided);

bool same(const char* a, std::string_view b) {
    return std::memcmp(a, b.data(), b.size()) == 0;
}

// By words, whose sizes are known: without a call.
bool begins_piece(const char* at) {
    static_assert(kHead.size() == 26);
    return std::memcmp(at, kHead.data(), 8) == 0 && std::memcmp(at + 8, kHead.data() + 8, 8) == 0 &&
           std::memcmp(at + 16, kHead.data() + 16, 8) == 0 &&
           std::memcmp(at + 24, kHead.data() + 24, 2) == 0;
}
bool ends_piece(const char* at) {
    static_assert(kTail.size() == 2);
    return std::memcmp(at, kTail.data(), 2) == 0;
}

}  // namespace

std::string_view StoredInstance::text(Room& room) const {
    if (form_ == ParamsForm::kText) {
        return kept_;
    }
    char* const uuid = std::copy(kBeforeUuid.begin(), kBeforeUuid.end(), room.data());
    write_uuid(kept_.data(), case_of(form_), uuid);
    uuid[kUuidChars] = '>';
    return {room.data(), room.size()};
}

bool StoredParams::sound(std::size_t kept_len, ParamsForm form, std::size_t instance_offset,
                         std::size_t instance_len) {
    if (form == ParamsForm::kText) {
        return kept_len <= kMaxParamsBytes && instance_offset + instance_len <= kept_len;
    }
    // The instance's offset is the place behind the UUID's bytes, as it happens.
    static_assert(kBeforeInstance.size() == kUuidBytes);
    return form < ParamsForm::kCount && kept_len + kElided - kUuidBytes <= kMaxParamsBytes &&
           instance_len == kInstanceChars && instance_offset >= kBeforeInstance.size() &&
           instance_offset <= kept_len;
}

std::string_view StoredParams::spelt(char* to) const {
    const std::size_t head = before();
    char* const at = head == 0 ? to : std::copy_n(kept_.data(), head, to);
    std::memcpy(at, kHead.data(), kHead.size());
    write_uuid(kept_.data() + head, case_of(form_), at + kHead.size());
    std::memcpy(at + kHead.size() + kUuidChars, kTail.data(), kTail.size());
    const std::string_view behind = kept_.substr(head + kUuidBytes);
    if (!behind.empty()) {
        std::copy(behind.begin(), behind.end(), at + kElided);
    }
    return {to, size()};
}

// Of as many characters as they are.
bool StoredParams::is_spelt(const char* text) const {
    const std::size_t head = before();
    const std::string_view behind = kept_.substr(head + kUuidBytes);
    const char* const piece = text + head;
    return is_uuid(kept_.data() + head, case_of(form_), piece + kHead.size()) &&
           begins_piece(piece) && ends_piece(piece + kHead.size() + kUuidChars) &&
           (head == 0 || same(text, kept_.substr(0, head))) &&
           (behind.empty() || same(piece + kElided, behind));
}

ParamsKeeper::ParamsKeeper(std::string_view params, std::string_view instance) : params_(params) {
    const std::less_equal<const char*> not_after;
    if (!instance.empty() && not_after(params.data(), instance.data()) &&
        not_after(instance.data() + instance.size(), params.data() + params.size())) {
        instance_offset_ = static_cast<std::uint16_t>(instance.data() - params.data());
        instance_len_ = static_cast<std::uint16_t>(instance.size());
        form_ = choose();
    }
}

// The bytes are tried: whatever does not come back as it was is kept as text.
ParamsForm ParamsKeeper::choose() {
    if (instance_len_ != kInstanceChars || instance_offset_ < kBeforeInstance.size() ||
        params_.size() > kMaxParamsBytes) {
        return ParamsForm::kText;
    }
    const char* const piece = params_.data() + instance_offset_ - kBeforeInstance.size();
    const char* const uuid = piece + kHead.size();
    const std::size_t left = params_.size() - instance_offset_ - instance_len_;
    if (left == 0 || !begins_piece(piece) || !ends_piece(uuid + kUuidChars)) {
        return ParamsForm::kText;
    }
    read_uuid(uuid, uuid_.data());
    return is_uuid(uuid_.data(), HexCase::kLower, uuid)   ? ParamsForm::kLowerUuid
           : is_uuid(uuid_.data(), HexCase::kUpper, uuid) ? ParamsForm::kUpperUuid
                                                          : ParamsForm::kText;
}

char* ParamsKeeper::write(char* to) const {
    if (form_ == ParamsForm::kText) {
        return std::copy(params_.begin(), params_.end(), to);
    }
    const std::size_t head = instance_offset_ - kBeforeInstance.size();
    to = std::copy_n(params_.data(), head, to);
    to = std::copy(uuid_.begin(), uuid_.end(), to);
    const std::string_view behind = params_.substr(head + kElided);
    return std::copy(behind.begin(), behind.end(), to);
}

}  // namespace pinhole::table
