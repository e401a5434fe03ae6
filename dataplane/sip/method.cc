// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/sip/method.h"

#include "dataplane/counters.h"

namespace pinhole::sip {
namespace {

// One order for both, so that a method is its own label.
constexpr auto& kNames = kMethodLabelNames;
static_assert(static_cast<int>(Method::kCount) == static_cast<int>(MethodLabel::kCount));
static_assert(kNames[static_cast<std::size_t>(Method::kRegister)] == "REGISTER");
static_assert(kNames[static_cast<std::size_t>(Method::kPublish)] == "PUBLISH");

}  // namespace

Method method_of(std::string_view name) {
    for (std::size_t i = 0; i < static_cast<std::size_t>(Method::kOther); ++i) {
        if (name == kNames[i]) {
            return static_cast<Method>(i);
        }
    }
    return Method::kOther;
}

std::string_view method_name(Method method) {
    return method < Method::kOther ? kNames[static_cast<std::size_t>(method)] : std::string_view{};
}

}  // namespace pinhole::sip
