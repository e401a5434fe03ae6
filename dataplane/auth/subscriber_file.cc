// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/auth/subscriber_file.h"

#include "dataplane/auth/hex.h"
#include "dataplane/auth/nonce.h"
#include "dataplane/table/contact.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace pinhole::auth {
namespace {

// Up to the next colon, which is taken off too. False: there is none.
bool take_field(std::string_view& rest, std::string_view& field) {
    const std::size_t colon = rest.find(':');
    if (colon == std::string_view::npos) {
        return false;
    }
    field = rest.substr(0, colon);
    rest.remove_prefix(colon + 1);
    return true;
}

bool has_control(std::string_view text) {
    return std::any_of(text.begin(), text.end(),
                       [](char c) { return static_cast<unsigned char>(c) < ' ' || c == 0x7f; });
}

}  // namespace

LineRead read_subscriber(std::string_view line, SubscriberLine& out, std::string_view& why) {
    if (!line.empty() && line.back() == '\r') {
        line.remove_suffix(1);
    }
    if (line.empty() || line.front() == '#') {
        return LineRead::kNothing;
    }
    std::string_view rest = line;
    if (!take_field(rest, out.user) || !take_field(rest, out.realm)) {
        why = "is not user:realm:HA1";
        return LineRead::kBad;
    }
    if (out.user.empty() || out.user.size() > table::kMaxAorBytes || has_control(out.user)) {
        why = "has no user of 1 to 255 printable characters";
        return LineRead::kBad;
    }
    if (out.realm.empty() || out.realm.size() > Nonces::kMaxRealm) {
        why = "has no realm of 1 to 128 characters";
        return LineRead::kBad;
    }
    const std::string_view hex = rest.substr(0, rest.find(':'));
    out.algorithm = Algorithm::kMd5;
    if (hex.size() != rest.size()) {
        const auto named = algorithm_of(rest.substr(hex.size() + 1));
        if (!named) {
            why = "names an algorithm that is none of MD5, SHA-256 and SHA-512-256";
            return LineRead::kBad;
        }
        out.algorithm = *named;
    }
    if (!read_hex(hex, out.ha1.data(), hash_bytes(out.algorithm))) {
        why = out.algorithm == Algorithm::kMd5
                  ? "has no HA1 of 32 hexadecimal digits, or lacks the algorithm behind it"
                  : "has no HA1 of 64 hexadecimal digits";
        return LineRead::kBad;
    }
    return LineRead::kSubscriber;
}

void SubscriberReader::take(std::string_view lines) {
    SubscriberLine line;
    std::string_view why;
    while (!lines.empty()) {
        const void* found = std::memchr(lines.data(), '\n', lines.size());
        const std::size_t end =
            found == nullptr
                ? lines.size()
                : static_cast<std::size_t>(static_cast<const char*>(found) - lines.data());
        ++line_;
        switch (read_subscriber(lines.substr(0, end), line, why)) {
            case LineRead::kSubscriber:
                subscribers_ == nullptr ? count(line) : fill(line);
                break;
            case LineRead::kBad:
                problem(line_, why);
                break;
            case LineRead::kNothing:
                break;
        }
        lines.remove_prefix(std::min(end + 1, lines.size()));
    }
}

void SubscriberReader::count(const SubscriberLine& line) {
    if (line.realm != realm_) {
        ++foreign_;
        return;
    }
    ++counts_[static_cast<std::size_t>(line.algorithm)];
}

void SubscriberReader::fill(const SubscriberLine& line) {
    if (line.realm != realm_) {
        return;
    }
    Pending& pending = pending_[filled_++ % kPending];
    settle(pending);
    pending = {hash_(line.user), line.algorithm, line.ha1, line_};
    subscribers_->prefetch(line.algorithm, pending.user);
}

void SubscriberReader::settle(const Pending& pending) {
    if (pending.number != 0 &&
        !subscribers_->add(pending.algorithm, pending.user, pending.ha1.data())) {
        problem(pending.number, "is a second one of the same user, realm and algorithm");
    }
}

void SubscriberReader::problem(std::size_t line, std::string_view what) {
    if (++problem_count_ <= kMostProblems) {
        problems_.push_back((line == 0 ? "" : std::to_string(line) + ": ") + std::string(what));
    } else if (problem_count_ == kMostProblems + 1) {
        problems_.emplace_back("there are more");
    }
}

bool SubscriberReader::begin_filling(const SubscriberMemory& memory) {
    const bool none = std::all_of(counts_.begin(), counts_.end(), [](auto n) { return n == 0; });
    if (problem_count_ == 0 && none) {
        problem(0, "names no subscriber of the realm \"" + realm_ + "\"");
    }
    if (problem_count_ != 0) {
        return false;
    }
    subscribers_ = std::make_unique<Subscribers>(counts_, memory);
    if (!subscribers_->valid()) {
        problem(0, "names more subscribers than there is memory for");
        return false;
    }
    line_ = 0;
    return true;
}

std::unique_ptr<const Subscribers> SubscriberReader::finish(
    const std::vector<Algorithm>& algorithms) {
    if (subscribers_ == nullptr) {
        return nullptr;
    }
    for (std::size_t i = 0; i < kPending; ++i) {
        settle(pending_[filled_++ % kPending]);
    }
    pending_ = {};
    subscribers_->finish();
    const bool offers = std::any_of(algorithms.begin(), algorithms.end(),
                                    [this](Algorithm a) { return subscribers_->offers(a); });
    if (problem_count_ == 0 && !offers) {
        problem(0, "has for no algorithm of [auth] algorithms an HA1 of every subscriber");
    }
    return problem_count_ == 0 ? std::move(subscribers_) : nullptr;
}

}  // namespace pinhole::auth
