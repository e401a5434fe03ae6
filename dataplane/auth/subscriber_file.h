// SPDX-License-Identifier: BSD-3-Clause
// A line of the subscribers' file, in htdigest's form: user:realm:HA1, behind which an algorithm
// may follow. A user has a line for each algorithm. Empty lines and lines that begin with '#' say
// nothing. And the reading of the whole, a piece of text at a time and twice over: first to count
// and to find mistakes, then to fill the table. Pure.
#pragma once

#include "dataplane/auth/subscribers.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace pinhole::auth {

struct SubscriberLine {
    std::string_view user;
    std::string_view realm;
    Algorithm algorithm = Algorithm::kMd5;
    std::array<std::uint8_t, kMaxHashBytes> ha1{};  // hash_bytes() of them
};

enum class LineRead : std::uint8_t { kSubscriber, kNothing, kBad };
// Of kBad, `why` is the end of a sentence. The line has no line end.
[[nodiscard]] LineRead read_subscriber(std::string_view line, SubscriberLine& out,
                                       std::string_view& why);

class SubscriberReader {
  public:
    // Past so many mistakes the rest is not told.
    static constexpr std::size_t kMostProblems = 20;

    SubscriberReader(std::string realm, const UserHash& hash)
        : realm_(std::move(realm)), hash_(hash) {}

    // The file, whole lines at a time, in order: once, then begin_filling(), then again.
    void take(std::string_view lines);
    // False: mistakes, no subscriber of the realm, or no memory; problems() has them.
    [[nodiscard]] bool begin_filling(const SubscriberMemory& memory);
    // Null: problems() says why. `algorithms`: those that are to be offered.
    [[nodiscard]] std::unique_ptr<const Subscribers> finish(
        const std::vector<Algorithm>& algorithms);

    // "12: what is wrong" with line 12; without a line where it is the whole.
    [[nodiscard]] const std::vector<std::string>& problems() const { return problems_; }
    [[nodiscard]] std::size_t foreign() const { return foreign_; }  // lines of other realms

  private:
    // A line under way to its place in the table, whose memory is being fetched.
    struct Pending {
        UserName user;
        Algorithm algorithm = Algorithm::kMd5;
        std::array<std::uint8_t, kMaxHashBytes> ha1{};
        std::size_t number = 0;  // 0: none
    };
    static constexpr std::size_t kPending = 16;

    void count(const SubscriberLine& line);
    void fill(const SubscriberLine& line);
    void settle(const Pending& pending);
    void problem(std::size_t line, std::string_view what);

    const std::string realm_;
    const UserHash& hash_;
    Subscribers::Counts counts_{};
    std::unique_ptr<Subscribers> subscribers_;
    std::array<Pending, kPending> pending_{};
    std::size_t filled_ = 0;
    std::size_t line_ = 0;
    std::size_t foreign_ = 0;
    std::size_t problem_count_ = 0;
    std::vector<std::string> problems_;
};

}  // namespace pinhole::auth
