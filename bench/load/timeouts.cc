// SPDX-License-Identifier: BSD-3-Clause
#include "bench/load/timeouts.h"

#include "dataplane/sip/text.h"

namespace pinhole::load {
namespace {

constexpr std::uint32_t kMaxTimeout_s = 1'000'000;
constexpr std::uint32_t kMaxWeight = 1'000'000;

std::optional<std::uint32_t> number(std::string_view text, std::uint32_t max) {
    sip::Decimal value{};
    if (!sip::parse_decimal(text, max, value) || value.overflow || value.value == 0) {
        return std::nullopt;
    }
    return value.value;
}

}  // namespace

std::optional<Timeouts> Timeouts::parse(std::string_view text) {
    Timeouts timeouts;
    for (bool more = true; more;) {
        const std::size_t comma = text.find(',');
        more = comma != std::string_view::npos;
        const std::string_view share = text.substr(0, comma);
        text.remove_prefix(more ? comma + 1 : text.size());

        const std::size_t colon = share.find(':');
        const std::string_view timeout = share.substr(0, colon);
        const auto seconds = number(timeout, kMaxTimeout_s);
        const auto weight = colon == std::string_view::npos
                                ? std::optional<std::uint32_t>(1)
                                : number(share.substr(colon + 1), kMaxWeight);
        if ((!seconds && timeout != "never") || !weight) {
            return std::nullopt;
        }
        timeouts.shares_.push_back({seconds ? *seconds * 1000 : kNever_ms, *weight});
        timeouts.weights_ += *weight;
    }
    return timeouts;
}

std::uint32_t Timeouts::pick_ms(qualify::Random& random) const {
    std::uint32_t at = random.below(weights_);
    for (const Share& share : shares_) {
        if (at < share.weight) {
            return share.timeout_ms;
        }
        at -= share.weight;
    }
    return shares_.back().timeout_ms;
}

}  // namespace pinhole::load
