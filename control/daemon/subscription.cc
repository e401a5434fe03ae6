// SPDX-License-Identifier: BSD-3-Clause
#include "control/daemon/subscription.h"

#include "dataplane/auth/subscriber_file.h"
#include "dataplane/io/memory.h"

#include <sodium.h>
#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <utility>

namespace pinhole::daemon {
namespace {

constexpr std::size_t kPieceBytes = std::size_t{1} << 20;

// The kernel is asked for large pages: a look-up among millions is then one miss, not two.
void* map_memory(std::size_t bytes) {
    if (!io::check_available(bytes, "the subscribers")) {
        return nullptr;
    }
    void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) {
        return nullptr;
    }
    (void)madvise(memory, bytes, MADV_HUGEPAGE);
    return memory;
}

void unmap_memory(void* memory, std::size_t bytes) {
    munmap(memory, bytes);
}

// Whole lines at a time. False: it can't be read.
bool read_lines(const std::string& path, auth::SubscriberReader& reader) {
    std::ifstream file(path, std::ios::binary);
    std::string piece(kPieceBytes, '\0');
    std::size_t kept = 0;  // of a line that goes on
    while (file) {
        file.read(piece.data() + kept, static_cast<std::streamsize>(piece.size() - kept));
        const std::size_t filled = kept + static_cast<std::size_t>(file.gcount());
        const std::string_view text(piece.data(), filled);
        const std::size_t end = text.rfind('\n');
        const bool whole = end == std::string_view::npos || !file;
        const std::size_t taken = whole ? filled : end + 1;
        reader.take(text.substr(0, taken));
        kept = filled - taken;
        std::copy(piece.begin() + static_cast<std::ptrdiff_t>(taken),
                  piece.begin() + static_cast<std::ptrdiff_t>(filled), piece.begin());
    }
    return file.eof();
}

std::vector<auth::Algorithm> algorithms_of(const config::Auth& wanted) {
    std::vector<auth::Algorithm> out;
    for (const std::string& name : wanted.algorithms) {
        if (const auto algorithm = auth::algorithm_of(name)) {
            out.push_back(*algorithm);
        }
    }
    return out;
}

auth::UserHash random_user_hash() {
    std::array<std::byte, auth::UserHash::kSeedBytes> seed;
    randombytes_buf(seed.data(), seed.size());
    return auth::UserHash(seed);
}

}  // namespace

LoadedSubscribers load_subscribers(const config::Auth& wanted, const auth::UserHash& hash) {
    LoadedSubscribers out;
    const std::string& path = wanted.subscribers;
    auth::SubscriberReader reader(wanted.realm, hash);
    const std::vector<auth::Algorithm> algorithms = algorithms_of(wanted);
    if (!read_lines(path, reader)) {
        out.problems.push_back(path +
                               ": can't be read: is the path right, and may this user read it?");
        return out;
    }
    if (reader.begin_filling({map_memory, unmap_memory}) && read_lines(path, reader)) {
        out.subscribers = reader.finish(algorithms);
    }
    for (const std::string& problem : reader.problems()) {
        const bool by_line = problem.front() >= '0' && problem.front() <= '9';
        out.problems.push_back(path + (by_line ? ":" : ": ") + problem);
    }
    if (out.subscribers == nullptr) {
        return out;
    }
    if (reader.foreign() != 0) {
        out.warnings.push_back(path + ": " + std::to_string(reader.foreign()) +
                               " lines are of other realms than \"" + wanted.realm +
                               "\", and say nothing here");
    }
    for (const auth::Algorithm algorithm : algorithms) {
        if (!out.subscribers->offers(algorithm)) {
            out.warnings.push_back(path + ": " + std::string(auth::name_of(algorithm)) +
                                   " is not offered: not every subscriber has an HA1 of it");
        }
    }
    return out;
}

auth::DigestPolicy auth_policy(const config::Auth& wanted) {
    std::uint64_t run = 0;
    randombytes_buf(&run, sizeof run);
    auth::DigestPolicy policy{
        auth::Nonces(wanted.realm, run), random_user_hash(),  algorithms_of(wanted),
        wanted.nonce_lifetime_s,         wanted.allow_legacy, {}};
    for (const std::string& alias : wanted.aliases) {
        const std::size_t colon = alias.find(':');
        policy.aliases.emplace_back(alias.substr(0, colon), alias.substr(colon + 1));
    }
    std::sort(policy.aliases.begin(), policy.aliases.end());
    return policy;
}

Subscription::Subscription(const config::Auth& wanted, io::Qsbr& qsbr)
    : policy_(auth_policy(wanted)), qsbr_(qsbr) {}

void Subscription::use(std::unique_ptr<const auth::Subscribers> subscribers) {
    const std::lock_guard<std::mutex> lock(mutex_);
    // Pairs with the workers' acquire load.
    published_.store(subscribers.get(), std::memory_order_release);
    if (current_ != nullptr) {
        retired_.push_back({std::move(current_), qsbr_.start()});
    }
    current_ = std::move(subscribers);
}

void Subscription::reclaim() {
    const std::lock_guard<std::mutex> lock(mutex_);
    while (!retired_.empty() && qsbr_.passed(retired_.front().token)) {
        retired_.pop_front();
    }
}

std::size_t Subscription::users() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return current_ == nullptr ? 0 : current_->users();
}

}  // namespace pinhole::daemon
