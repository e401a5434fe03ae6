// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/admit/overload.h"

#include "dataplane/sip/text.h"

#include <algorithm>

namespace pinhole::admit {
namespace {

constexpr std::uint32_t kAll = 65'536;

// How many ranks are refused altogether before this one's turn comes.
constexpr std::uint32_t before(Rank rank) {
    return static_cast<std::uint32_t>(Rank::kOther) - static_cast<std::uint32_t>(rank);
}
constexpr std::uint32_t kTop_us = Pressure::kRise_us * before(Rank::kKnown);

constexpr std::uint32_t lot(std::uint64_t flow_hash, std::uint32_t now_s) {
    constexpr std::uint64_t kMix = 0x9e3779b97f4a7c15U;
    std::uint64_t drawn = (flow_hash + now_s / Overload::kLot_s * kMix) * kMix;
    drawn = (drawn ^ drawn >> 32) * kMix;
    return static_cast<std::uint32_t>(drawn >> 48);
}

// Requests that route::Emergency may find to be for help are of these methods alone.
constexpr std::array<std::string_view, 4> kCallable{"INVITE ", "ACK ", "CANCEL ", "MESSAGE "};

}  // namespace

void Pressure::note_queues(bool backlog, std::uint64_t now_us) {
    const std::uint64_t passed = now_us - last_us_;
    last_us_ = now_us;
    if (!backlog) {
        const std::uint64_t fall = passed * (kRise_us / 1000) / (kFall_us / 1000);
        level_us_ -= static_cast<std::uint32_t>(std::min<std::uint64_t>(fall, level_us_));
        stood_us_ = 0;
        return;
    }
    const auto counts = static_cast<std::uint32_t>(std::min<std::uint64_t>(passed, kLook_us));
    stood_us_ = std::min(stood_us_ + counts, kGrace_us);
    if (stood_us_ == kGrace_us) {
        level_us_ = std::min(level_us_ + counts, kTop_us);
    }
}

std::uint32_t Pressure::share_of(Rank rank) const {
    const std::uint32_t others_us = before(rank) * kRise_us;
    if (rank == Rank::kKnown || level_us_ <= others_us) {
        return 0;
    }
    const std::uint32_t own_us = std::min(level_us_ - others_us, kRise_us);
    return static_cast<std::uint32_t>(std::uint64_t{own_us} * kAll / kRise_us);
}

bool Overload::refuses(Rank rank, std::uint64_t flow_hash, std::uint32_t now_s) {
    if (draws(rank, flow_hash, now_s)) {
        return true;
    }
    serves_ = true;
    answer_credit_ = std::min(answer_credit_ + 1, kServedForAnswer);
    return false;
}

bool Overload::draws(Rank rank, std::uint64_t flow_hash, std::uint32_t now_s) {
    const bool drawn = lot(flow_hash, now_s) < pressure_.share_of(rank);
    if (rank == Rank::kOther) {
        return drawn;
    }
    if (!drawn || served_ < kServedForOne) {
        served_ = std::min(served_ + 1, kMaxServed);
        return false;
    }
    served_ -= kServedForOne;
    return true;
}

Glance glance(std::string_view datagram) {
    const auto begins = [&](std::string_view with) {
        return datagram.substr(0, with.size()) == with;
    };
    if (datagram.empty() || datagram[0] < 'A' || datagram[0] > 'Z' || begins("SIP/")) {
        return Glance::kNoRequest;
    }
    if (begins("REGISTER ")) {
        return Glance::kRegister;
    }
    return std::any_of(kCallable.begin(), kCallable.end(), begins) ? Glance::kCallable
                                                                   : Glance::kAnother;
}

bool has_credentials(std::string_view datagram) {
    constexpr std::string_view kName = "Authorization";
    for (std::size_t at = datagram.find('\n'); at != std::string_view::npos;
         at = datagram.find('\n', at + 1)) {
        const std::string_view line = datagram.substr(at + 1);
        if (sip::starts_with_ci(line, kName)) {
            return true;
        }
    }
    return false;
}

}  // namespace pinhole::admit
