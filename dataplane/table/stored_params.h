// SPDX-License-Identifier: BSD-3-Clause
// The parameters of a stored Contact. Most are a phone's instance (RFC 5626 §4.1) and no more, and
// that is a UUID: 64 bytes of text, which are kept as 16 and given back letter for letter.
//
//   text  ;+sip.instance="<urn:uuid:00000000-0000-1000-8000-805EC0112233>";reg-id=1
//   kept  |                          the UUID's 16 bytes                 |;reg-id=1
//
// What stands before and behind it stays as it is. Params that don't have exactly this form, or
// have letters of both cases, are kept as text. Pure; any thread; never allocates.
#pragma once

#include "dataplane/table/uuid_text.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace pinhole::table {

inline constexpr std::size_t kMaxParamsBytes = 512;

enum class ParamsForm : std::uint8_t { kText, kLowerUuid, kUpperUuid, kCount };

namespace detail {
inline constexpr std::string_view kBeforeInstance = ";+sip.instance=\"";
inline constexpr std::string_view kBeforeUuid = "<urn:uuid:";
inline constexpr std::size_t kInstanceChars = kBeforeUuid.size() + kUuidChars + 1;
// From ';' to the closing quote.
inline constexpr std::size_t kElided = kBeforeInstance.size() + kInstanceChars + 1;
static_assert(kElided == 64);

constexpr HexCase case_of(ParamsForm form) {
    return form == ParamsForm::kUpperUuid ? HexCase::kUpper : HexCase::kLower;
}
}  // namespace detail

// A contact's instance, "<urn:uuid:...>", as it is kept. Empty: it has none.
class StoredInstance {
  public:
    using Room = std::array<char, detail::kInstanceChars>;

    StoredInstance() = default;
    StoredInstance(std::string_view text) : kept_(text) {}  // NOLINT(google-explicit-constructor)
    StoredInstance(std::string_view kept, ParamsForm form) : kept_(kept), form_(form) {}

    [[nodiscard]] bool empty() const { return kept_.empty(); }
    // A view of the record, or of `room`.
    [[nodiscard]] std::string_view text(Room& room) const;

    friend bool operator==(const StoredInstance& a, std::string_view text) {
        Room room;
        return a.text(room) == text;
    }
    friend bool operator==(const StoredInstance& a, const StoredInstance& b) {
        Room room;
        return a.form_ == b.form_ ? a.kept_ == b.kept_ : a == b.text(room);
    }

  private:
    std::string_view kept_;
    ParamsForm form_ = ParamsForm::kText;
};

class StoredParams {
  public:
    using Room = std::array<char, kMaxParamsBytes>;

    StoredParams() = default;
    StoredParams(std::string_view text) : kept_(text) {}  // NOLINT(google-explicit-constructor)
    // Text, which `instance` lies within if there is one.
    StoredParams(std::string_view text, std::string_view instance)
        : kept_(text),
          instance_offset_(
              static_cast<std::uint16_t>(instance.empty() ? 0 : instance.data() - text.data())),
          instance_len_(static_cast<std::uint16_t>(instance.size())) {}
    // Where the instance stands is said of the text.
    StoredParams(std::string_view kept, ParamsForm form, std::uint16_t instance_offset,
                 std::uint16_t instance_len)
        : kept_(kept),
          form_(form),
          instance_offset_(instance_offset),
          instance_len_(instance_len) {}

    // Of the text.
    [[nodiscard]] std::size_t size() const {
        return kept_.size() + (form_ == ParamsForm::kText ? 0 : detail::kElided - kUuidBytes);
    }
    // A view of the record, or of `room`.
    [[nodiscard]] std::string_view text(Room& room) const {
        return form_ == ParamsForm::kText ? kept_ : spelt(room.data());
    }
    [[nodiscard]] StoredInstance instance() const {
        return form_ == ParamsForm::kText
                   ? StoredInstance(kept_.substr(instance_offset_, instance_len_))
                   : StoredInstance(kept_.substr(before(), kUuidBytes), form_);
    }
    // The same within its text.
    [[nodiscard]] std::string_view instance_in(std::string_view text) const {
        return text.substr(instance_offset_, instance_len_);
    }

    friend bool operator==(const StoredParams& a, std::string_view text) {
        return a.size() == text.size() &&
               (a.form_ == ParamsForm::kText ? a.kept_ == text : a.is_spelt(text.data()));
    }

    // Do bytes of this length hold what the form says? (A record may come from a disk.)
    [[nodiscard]] static bool sound(std::size_t kept_len, ParamsForm form,
                                    std::size_t instance_offset, std::size_t instance_len);

  private:
    // Of what stands before the piece that is not text.
    [[nodiscard]] std::size_t before() const {
        return instance_offset_ - detail::kBeforeInstance.size();
    }
    [[nodiscard]] std::string_view spelt(char* to) const;
    [[nodiscard]] bool is_spelt(const char* text) const;

    std::string_view kept_;
    ParamsForm form_ = ParamsForm::kText;
    std::uint16_t instance_offset_ = 0;
    std::uint16_t instance_len_ = 0;
};

// How a new contact's parameters are to be kept. Its text must stay where it is.
class ParamsKeeper {
  public:
    // `instance` is empty or lies within `params`: else it is taken for none.
    ParamsKeeper(std::string_view params, std::string_view instance);

    [[nodiscard]] ParamsForm form() const { return form_; }
    [[nodiscard]] std::size_t bytes() const {
        return params_.size() - (form_ == ParamsForm::kText ? 0 : detail::kElided - kUuidBytes);
    }
    [[nodiscard]] std::uint16_t instance_offset() const { return instance_offset_; }
    [[nodiscard]] std::uint16_t instance_len() const { return instance_len_; }
    // bytes() of them. Gives what is behind the last.
    char* write(char* to) const;

  private:
    [[nodiscard]] ParamsForm choose();

    std::string_view params_;
    std::uint16_t instance_offset_ = 0;
    std::uint16_t instance_len_ = 0;
    std::array<char, kUuidBytes> uuid_;  // unless the form is text
    ParamsForm form_ = ParamsForm::kText;
};

}  // namespace pinhole::table
