// SPDX-License-Identifier: BSD-3-Clause
// The phones' REGISTERs: asks, answers challenges, checks every answer against its question. A
// phone has one question under way at a time. Pure; one thread.
#pragma once

#include "bench/load/stage.h"
#include "bench/load/waiting.h"

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace pinhole::load {

class Registrations {
  public:
    // What came of a question, for whoever decides when the phone asks again.
    enum class Outcome : std::uint8_t { kGranted, kRefused, kLost };
    struct Ended {
        PhoneIndex phone;
        Outcome outcome;
        std::string_view contact;  // as granted; lives as long as the answer
    };

    explicit Registrations(Stage& stage);

    // Only if the phone is idle and the batch has room. Latency counts from `from_ns`.
    void ask(PhoneIndex phone, std::uint64_t from_ns, std::uint64_t now_ns);
    // An answer to a REGISTER that reached this phone.
    std::optional<Ended> answered(PhoneIndex phone, const sip::Message& answer,
                                  std::uint64_t now_ns);
    // The phone's own REGISTER came back (Play::kEcho).
    void echoed(PhoneIndex phone, const sip::Message& request, std::uint64_t now_ns);
    // What was not answered in time goes to `ended(Ended)`.
    template <class Fn>
    void sweep(std::uint64_t now_ns, Fn&& ended) {
        waiting_.sweep(
            now_ns, [this](const Ticket& ticket) { return is_open(ticket); },
            [&](const Ticket& ticket) {
                close(phones_[ticket.phone]);
                stage_.tally->lost.add();
                ended(Ended{ticket.phone, Outcome::kLost, {}});
            });
    }

    // Before what has been written leaves.
    void finish() {
        if (logins_) {
            logins_->finish();
        }
    }

    [[nodiscard]] bool idle(PhoneIndex phone) const { return !phones_[phone].asking; }
    [[nodiscard]] bool registered(PhoneIndex phone) const { return phones_[phone].registered; }
    [[nodiscard]] std::uint32_t registered_count() const { return registered_count_; }
    [[nodiscard]] std::uint32_t under_way() const { return under_way_; }
    void prefetch(PhoneIndex phone) const {
        __builtin_prefetch(&phones_[phone], 1);
        if (logins_) {
            logins_->prefetch(phone);
        }
    }

  private:
    struct Phone {
        std::uint64_t from_ns = 0;
        std::uint32_t sequence = 0;   // of its latest REGISTER
        std::uint8_t challenges = 0;  // to the present question
        bool asking = false;
        bool registered = false;
    };
    // A phone that is challenged more often has the wrong password.
    static constexpr std::uint8_t kMaxChallenges = 2;

    [[nodiscard]] bool is_open(const Ticket& ticket) const {
        const Phone& phone = phones_[ticket.phone];
        return phone.asking && phone.sequence == ticket.sequence;
    }
    // Whether it answers this phone's present question; counts what it is if not.
    [[nodiscard]] bool fits(PhoneIndex phone, const sip::Message& answer, const Fields& fields);
    void send(PhoneIndex index, std::uint64_t now_ns);
    [[nodiscard]] bool answer_challenge(PhoneIndex index, const sip::Message& answer);
    [[nodiscard]] Ended granted(PhoneIndex index, const sip::Message& answer, const Fields& fields,
                                std::uint64_t now_ns);
    void close(Phone& phone) {
        phone.asking = false;
        --under_way_;
    }

    Stage& stage_;
    Waiting waiting_;
    std::vector<Phone> phones_;
    std::optional<Logins> logins_;
    std::uint32_t under_way_ = 0;
    std::uint32_t registered_count_ = 0;
};

}  // namespace pinhole::load
