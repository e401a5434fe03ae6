// SPDX-License-Identifier: BSD-3-Clause
#include "bench/load/registrations.h"

namespace pinhole::load {

Registrations::Registrations(Stage& stage)
    : stage_(stage), waiting_(stage.plan.timeout_ns), phones_(stage.plan.phones) {
    if (!stage.plan.password.empty()) {
        logins_.emplace(stage.plan.phones, stage.messages.request_uri(), stage.plan.password);
    }
}

void Registrations::ask(PhoneIndex index, std::uint64_t from_ns, std::uint64_t now_ns) {
    Phone& phone = phones_[index];
    phone.from_ns = from_ns;
    phone.challenges = 0;
    phone.asking = true;
    ++under_way_;
    send(index, now_ns);
}

void Registrations::send(PhoneIndex index, std::uint64_t now_ns) {
    Phone& phone = phones_[index];
    const Ticket ticket{index, ++phone.sequence};
    Logins* logins = logins_ && logins_->known(index) ? &*logins_ : nullptr;
    char* out = stage_.batch.room();
    if (out != nullptr) {
        const std::size_t len =
            stage_.messages.write_register(stage_.fields(ticket), index, logins, out);
        stage_.leave(index, len, now_ns);
        stage_.tally->sent.add();
    }
    waiting_.add(ticket, now_ns);
}

bool Registrations::fits(PhoneIndex index, const sip::Message& answer, const Fields& fields) {
    const Phone& phone = phones_[index];
    Tally& tally = *stage_.tally;
    const std::optional<Ticket> ticket = stage_.messages.ticket_of(answer);
    if (!ticket) {
        tally.count(Wrong::kNotAsked);
        return false;
    }
    if (ticket->phone != index) {
        tally.count(Wrong::kOtherPhone);
        return false;
    }
    if (ticket->sequence > phone.sequence || answer.cseq != kFirstSequence + ticket->sequence) {
        tally.count(Wrong::kNotAsked);
        return false;
    }
    if (!stage_.messages.is_registration(answer.call_id(), fields)) {
        tally.count(Wrong::kOtherCall);
        return false;
    }
    if (!is_open(*ticket)) {
        tally.late.add();
        return false;
    }
    return true;
}

std::optional<Registrations::Ended> Registrations::answered(PhoneIndex index,
                                                            const sip::Message& answer,
                                                            std::uint64_t now_ns) {
    const Fields fields = stage_.fields({index, 0});
    if (!fits(index, answer, fields)) {
        return std::nullopt;
    }
    Phone& phone = phones_[index];
    Tally& tally = *stage_.tally;
    tally.answers[answer.status].add();
    tally.heard(now_ns);
    if (answer.status < 200) {
        return std::nullopt;
    }
    if (answer.status < 300) {
        return granted(index, answer, fields, now_ns);
    }
    if (answer.status == 401 && answer_challenge(index, answer)) {
        tally.challenged.add();
        send(index, now_ns);
        return std::nullopt;
    }
    close(phone);
    tally.refused.add();
    return Ended{index, Outcome::kRefused, {}};
}

Registrations::Ended Registrations::granted(PhoneIndex index, const sip::Message& answer,
                                            const Fields& fields, std::uint64_t now_ns) {
    Phone& phone = phones_[index];
    Tally& tally = *stage_.tally;
    close(phone);
    const Granted granted = granted_to(answer, fields);
    if (!granted.found || granted.others) {
        tally.count(granted.others ? Wrong::kOtherContact : Wrong::kNoContact);
        return {index, Outcome::kRefused, {}};
    }
    registered_count_ += phone.registered ? 0 : 1;
    phone.registered = true;
    tally.done.add();
    tally.took(now_ns, phone.from_ns);
    return {index, Outcome::kGranted, granted.contact};
}

bool Registrations::answer_challenge(PhoneIndex index, const sip::Message& answer) {
    Phone& phone = phones_[index];
    if (!logins_ || phone.challenges == kMaxChallenges) {
        return false;
    }
    constexpr sip::HeaderId kId = sip::HeaderId::kWwwAuthenticate;
    for (std::uint8_t i = answer.first_index(kId); i != sip::kNoHeader;
         i = answer.next_index(kId, i)) {
        Challenge challenge;
        if (read_challenge(answer.value(i), challenge) &&
            logins_->take(index, stage_.fields({index, 0}).phone(), challenge)) {
            ++phone.challenges;
            return true;
        }
    }
    return false;
}

void Registrations::echoed(PhoneIndex index, const sip::Message& request, std::uint64_t now_ns) {
    if (!fits(index, request, stage_.fields({index, 0}))) {
        return;
    }
    Phone& phone = phones_[index];
    close(phone);
    stage_.tally->done.add();
    stage_.tally->heard(now_ns);
    stage_.tally->took(now_ns, phone.from_ns);
}

}  // namespace pinhole::load
