// SPDX-License-Identifier: BSD-3-Clause
#include "bench/load/player.h"

#include "bench/load/phone_side.h"

#include <algorithm>

namespace pinhole::load {
namespace {

constexpr std::uint64_t kMs = 1'000'000;
// Random picks until one is found that is idle.
constexpr unsigned kTries = 8;
// The first retry of a phone that got no answer or was refused comes after 1 to 5 s; the wheel
// spaces out the later ones.
constexpr std::uint32_t kRetryFirst_ms = 1000;
constexpr std::uint32_t kRetrySpread_ms = 4000;

bool is_live(Phase phase) {
    return phase == Phase::kLive || phase == Phase::kSettle;
}

bool measures_calls(Phase phase) {
    return phase == Phase::kCall;
}

}  // namespace

Player::Player(const Plan& plan, SendBatch& batch)
    : plan_(plan),
      stage_(plan, batch),
      registrations_(stage_),
      calls_(stage_),
      random_(plan.seed + 1) {
    if (plan.play == Play::kEcho) {
        add_phase(Phase::kEcho, true);
        return;
    }
    add_phase(Phase::kRegister, plan.play == Play::kRegister);
    switch (plan.play) {
        case Play::kRefresh:
            add_phase(Phase::kRefresh, true);
            break;
        case Play::kLive:
            if (plan.settle_ns != 0) {
                add_phase(Phase::kSettle, false);
            }
            add_phase(Phase::kLive, true);
            wheel_.emplace(plan.phones, 0);
            break;
        case Play::kCall:
            add_phase(Phase::kCall, true);
            break;
        case Play::kRegister:
        case Play::kEcho:
        case Play::kReflect:
            break;
    }
}

void Player::add_phase(Phase kind, bool measured) {
    phases_.push_back({kind, std::make_unique<Tally>(), measured});
}

void Player::enter(std::size_t index, std::uint64_t now_ns) {
    const PhaseState& phase = phases_[index];
    present_ = index;
    began_ns_ = now_ns;
    asked_ = 0;
    all_asked_ = false;
    stage_.tally = phase.tally.get();
    phase.tally->began_ns.add(now_ns);
    pace_ = phase.measured ? Pacer(plan_.rate_per_s, plan_.window, now_ns)
                           : Pacer(plan_.register_rate_per_s, plan_.register_window, now_ns);
    call_pace_ = Pacer(plan_.call_rate_per_s, Calls::kMaxUnderWay, now_ns);
    begun_.store(index + 1, std::memory_order_release);
}

void Player::leave_phase(std::uint64_t now_ns) {
    if (stopped_ || present_ + 1 == phases_.size()) {
        over_ = true;
    } else {
        enter(present_ + 1, now_ns);
    }
}

bool Player::reads(const net::Datagram& datagram, sip::Message& message) {
    if (sip::parse(datagram.text(), message) == sip::ParseError::kOk) {
        return true;
    }
    stage_.tally->count(Wrong::kUnreadable);
    return false;
}

void Player::receive(const net::Datagram& datagram, bool sum_is_right, std::uint64_t now_ns) {
    if (!owns(datagram.dst)) {
        stage_.tally->strays.add();
    } else if (!sum_is_right) {
        stage_.tally->count(Wrong::kChecksum);
    } else if (datagram.dst == plan_.core) {
        at_core(datagram, now_ns);
    } else {
        at_phone({datagram.dst, datagram.dst_port}, datagram, now_ns);
    }
}

void Player::at_core(const net::Datagram& datagram, std::uint64_t now_ns) {
    sip::Message message;
    if (!reads(datagram, message)) {
        return;
    }
    if (!message.is_request) {
        calls_.answered(message, now_ns);
        return;
    }
    // The edge asks its peers whether they live.
    if (char* out = stage_.batch.room();
        message.method == sip::Method::kOptions && out != nullptr) {
        stage_.leave_core(write_answer(message, 200, {datagram.src, datagram.src_port}, out));
    }
}

void Player::at_phone(const PublicEnd& to, const net::Datagram& datagram, std::uint64_t now_ns) {
    PhoneIndex phone = 0;
    switch (stage_.gateways.arrive(to, now_ns / kMs, phone)) {
        case Delivery::kIn:
            break;
        case Delivery::kDead:
            stage_.tally->vanished.add();
            return;
        case Delivery::kNobody:
            stage_.tally->strays.add();
            return;
    }
    if (datagram.src != plan_.edge || datagram.src_port != plan_.edge_port) {
        stage_.tally->count(Wrong::kOtherSource);
        return;
    }
    sip::Message message;
    if (!reads(datagram, message)) {
        return;
    }
    if (message.is_request && phases_[present_].kind == Phase::kEcho) {
        registrations_.echoed(phone, message, now_ns);
    } else if (message.is_request) {
        phone_answers(stage_, phone, message, now_ns);
    } else if (message.method == sip::Method::kRegister) {
        if (const auto how = registrations_.answered(phone, message, now_ns)) {
            ended(*how, now_ns);
        }
        registrations_.finish();
    } else if (message.method != sip::Method::kOptions) {  // an answer to a late hello
        stage_.tally->count(Wrong::kNotAsked);
    }
}

void Player::ended(const Registrations::Ended& how, std::uint64_t now_ns) {
    registered_.store(registrations_.registered_count(), std::memory_order_relaxed);
    if (!wheel_) {
        return;
    }
    std::uint64_t wait_ms = kRetryFirst_ms + random_.below(kRetrySpread_ms);
    if (how.outcome == Registrations::Outcome::kGranted) {
        // Between a half and nine tenths of what was granted, as phones do.
        wait_ms = std::uint64_t{expires_of(how.contact)} * (500 + random_.below(400));
    }
    wheel_->schedule(how.phone, static_cast<wheel::Tick>((now_ns + wait_ms * kMs) / kTick_ns));
}

void Player::turn(std::uint64_t now_ns) {
    play(now_ns);
    registrations_.finish();
}

void Player::play(std::uint64_t now_ns) {
    registrations_.sweep(now_ns, [&](const Registrations::Ended& how) { ended(how, now_ns); });
    calls_.sweep(now_ns);
    if (over_) {
        return;
    }
    if (all_asked_ || stopped_ || bounds_reached(now_ns)) {
        all_asked_ = true;
        if (under_way() == 0) {
            leave_phase(now_ns);
        }
        return;
    }
    if (wheel_) {
        refresh_due(now_ns);
    }
    const Phase phase = phases_[present_].kind;
    if (measures_calls(phase)) {
        call_at_pace(pace_, now_ns);
    } else if (!is_live(phase)) {
        ask_at_pace(now_ns);
    }
    if (is_live(phase) && plan_.call_rate_per_s > 0) {
        call_at_pace(call_pace_, now_ns);
    }
}

bool Player::bounds_reached(std::uint64_t now_ns) const {
    if (phases_[present_].kind == Phase::kSettle) {
        return now_ns - began_ns_ >= plan_.settle_ns;
    }
    return phases_[present_].measured &&
           ((plan_.count != 0 && asked_ >= plan_.count) ||
            (plan_.duration_ns != 0 && now_ns - began_ns_ >= plan_.duration_ns));
}

void Player::refresh_due(std::uint64_t now_ns) {
    const auto most = static_cast<std::uint32_t>(stage_.batch.places_left());
    wheel_->advance(static_cast<wheel::Tick>(now_ns / kTick_ns),
                    std::min<std::uint32_t>(most, kBurst), [&](std::uint32_t phone) {
                        if (registrations_.idle(phone)) {
                            registrations_.ask(phone, now_ns, now_ns);
                            ++asked_;
                        }
                    });
}

void Player::ask_at_pace(std::uint64_t now_ns) {
    std::uint64_t from_ns = 0;
    for (std::size_t i = 0; i < kBurst && stage_.batch.places_left() > 0; ++i) {
        if ((plan_.count != 0 && phases_[present_].measured && asked_ >= plan_.count) ||
            !pace_.may_send(now_ns, under_way(), from_ns)) {
            return;
        }
        const auto phone =
            phases_[present_].kind == Phase::kRegister ? next_to_register() : next_at_random();
        if (!phone) {
            return;
        }
        registrations_.ask(*phone, from_ns, now_ns);
        pace_.sent();
        ++asked_;
    }
}

void Player::call_at_pace(Pacer& pace, std::uint64_t now_ns) {
    std::uint64_t from_ns = 0;
    for (std::size_t i = 0; i < kBurst && stage_.batch.places_left() > 0; ++i) {
        if ((plan_.count != 0 && asked_ >= plan_.count) || !calls_.may_call() ||
            !pace.may_send(now_ns, calls_.under_way(), from_ns)) {
            return;
        }
        calls_.call(random_.below(plan_.phones), from_ns, now_ns);
        pace.sent();
        asked_ += measures_calls(phases_[present_].kind) ? 1 : 0;
    }
}

std::optional<PhoneIndex> Player::next_to_register() {
    // A bounded look: a round may have few left to ask.
    for (unsigned i = 0; i < 64 * kTries && cursor_ < plan_.phones; ++i) {
        const PhoneIndex phone = cursor_++;
        if (!registrations_.registered(phone) && registrations_.idle(phone)) {
            return phone;
        }
    }
    if (cursor_ == plan_.phones && registrations_.under_way() == 0) {
        cursor_ = 0;
        ++round_;
        all_asked_ = round_ == kRounds || registrations_.registered_count() == plan_.phones;
    }
    return std::nullopt;
}

std::optional<PhoneIndex> Player::next_at_random() {
    for (unsigned i = 0; i < kTries; ++i) {
        const PhoneIndex phone = random_.below(plan_.phones);
        if (registrations_.idle(phone)) {
            return phone;
        }
    }
    return std::nullopt;
}

bool Player::say_hello(std::uint32_t attempt, std::uint64_t now_ns) {
    char* out = stage_.batch.room();
    if (out == nullptr) {
        return false;
    }
    Tally unmeasured;
    stage_.tally = &unmeasured;
    stage_.leave(0, stage_.messages.write_hello(stage_.fields({0, attempt}), out), now_ns);
    stage_.tally = nullptr;
    return true;
}

bool Player::is_hello(const net::Datagram& datagram, std::uint64_t now_ns) {
    PhoneIndex phone = 0;
    sip::Message message;
    return stage_.gateways.owns(datagram.dst) &&
           stage_.gateways.arrive({datagram.dst, datagram.dst_port}, now_ns / kMs, phone) ==
               Delivery::kIn &&
           sip::parse(datagram.text(), message) == sip::ParseError::kOk &&
           stage_.messages.ticket_of(message).has_value();
}

}  // namespace pinhole::load
