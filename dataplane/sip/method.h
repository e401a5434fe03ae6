// SPDX-License-Identifier: BSD-3-Clause
// Request methods by number. Names are case-sensitive (RFC 3261 §7.1): "register" is another method
// than REGISTER. The order is that of pinhole::MethodLabel, so that a method counts itself. Pure;
// any thread.
#pragma once

#include <cstdint>
#include <string_view>

namespace pinhole::sip {

enum class Method : std::uint8_t {
    kRegister,
    kInvite,
    kAck,
    kBye,
    kCancel,
    kOptions,
    kSubscribe,
    kNotify,
    kMessage,
    kInfo,
    kUpdate,
    kPrack,
    kRefer,
    kPublish,
    kOther,  // its text is in the message
    kCount
};

[[nodiscard]] Method method_of(std::string_view name);
// Empty for kOther.
[[nodiscard]] std::string_view method_name(Method method);

}  // namespace pinhole::sip
