// SPDX-License-Identifier: BSD-3-Clause
#include "control/daemon/reconfiguration.h"

#include "control/config/change.h"
#include "control/config/load.h"
#include "control/config/values.h"
#include "control/daemon/service.h"
#include "control/daemon/settings.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <iterator>
#include <utility>

namespace pinhole::daemon {
namespace {

// The service thread looks every few milliseconds; one that is stuck is not waited for.
constexpr std::chrono::seconds kPatience{5};

void append(std::vector<std::string>& to, std::vector<std::string>& from) {
    std::move(from.begin(), from.end(), std::back_inserter(to));
}

std::string text_of(const config::Issue& issue, const std::string& file) {
    std::string text = file;
    if (issue.line != 0) {
        text += ":" + std::to_string(issue.line);
    }
    return text + ": " + (issue.key.empty() ? "" : issue.key + " ") + issue.message;
}

bool same_peers(const config::Core& a, const config::Core& b) {
    return a.peers == b.peers && a.check_interval_s == b.check_interval_s &&
           a.check_timeout_ms == b.check_timeout_ms && a.check_max_missed == b.check_max_missed;
}

}  // namespace

std::vector<std::string> peer_names(const config::Core& core) {
    std::vector<std::string> names;
    for (const config::Peer& peer : core.peers) {
        names.push_back(config::to_text(peer));
    }
    return names;
}

Reconfiguration::Reconfiguration(const ReconfigurationParts& parts,
                                 std::shared_ptr<const config::Config> running)
    : parts_(parts), running_(std::move(running)) {}

std::shared_ptr<const config::Config> Reconfiguration::current() const {
    const std::lock_guard<std::mutex> lock(running_mutex_);
    return running_;
}

Reconfiguration::Prepared Reconfiguration::prepare() const {
    Prepared prepared;
    api::ReloadResult& result = prepared.result;
    const config::Loaded loaded = config::load_file(parts_.file);
    for (const config::Issue& issue : loaded.issues) {
        if (issue.severity == config::Severity::kError) {
            result.problems.push_back(text_of(issue, parts_.file));
        }
    }
    if (!loaded.ok()) {
        return prepared;
    }
    const auto running = current();
    auto next = std::make_shared<config::Config>(config::taken_up(*running, loaded.config));
    check_room(*next, result);
    if (!next->screen.rules.empty()) {
        prepared.rules = load_rules(next->screen.rules, next->dataplane.workers);
        append(result.problems, prepared.rules.problems);
        append(result.warnings, prepared.rules.warnings);
    }
    if (parts_.subscription != nullptr) {
        prepared.subscribers =
            load_subscribers(next->auth, parts_.subscription->policy().user_hash);
        append(result.problems, prepared.subscribers.problems);
        append(result.warnings, prepared.subscribers.warnings);
    }
    for (const config::Difference& each : config::differences(*running, loaded.config)) {
        const std::string change = each.key + " was " + each.was + ", is " + each.now;
        if (each.live) {
            result.done.push_back(change);
        } else {
            result.warnings.push_back(change + " in the file: that needs a restart");
        }
    }
    prepared.next = std::move(next);
    return prepared;
}

void Reconfiguration::check_room(const config::Config& next, api::ReloadResult& result) const {
    if (next.core.peers.size() > parts_.peer_health.size()) {
        result.problems.push_back("core.peers names " + std::to_string(next.core.peers.size()) +
                                  " peers, but this run has room for " +
                                  std::to_string(parts_.peer_health.size()) +
                                  ": more need a restart");
    }
}

// By the service thread. Nothing in it can fail.
void Reconfiguration::take_up(Prepared& prepared) {
    const config::Config& next = *prepared.next;
    const auto before = current();
    if (prepared.rules.rules != nullptr) {
        prepared.result.done.push_back("screening rules: " +
                                       std::to_string(prepared.rules.rules->rules().size()));
        parts_.screening.use(std::move(prepared.rules.rules));
    } else if (!before->screen.rules.empty()) {
        parts_.screening.use(nullptr);
    }
    if (prepared.subscribers.subscribers != nullptr) {
        prepared.result.done.push_back("subscribers: " +
                                       std::to_string(prepared.subscribers.subscribers->users()));
        parts_.subscription->use(std::move(prepared.subscribers.subscribers));
    }
    {
        const std::lock_guard<std::mutex> lock(running_mutex_);
        running_ = prepared.next;
    }
    parts_.publisher.use_config(prepared.next, draining());
    (void)parts_.publisher.publish(Service::now_ms());
    const bool other_peers = !same_peers(before->core, next.core);
    parts_.control.use(qualify_policy(next.qualify), peer_policy(next.core),
                       other_peers ? std::optional(next.core.peers.size()) : std::nullopt);
    if (other_peers) {
        parts_.peer_log.use(peer_names(next.core));
    }
    spdlog::set_level(log_level(next.log.level));
}

void Reconfiguration::say(const api::ReloadResult& result) const {
    for (const std::string& warning : result.warnings) {
        spdlog::warn("{}", warning);
    }
    for (const std::string& problem : result.problems) {
        spdlog::error("{}", problem);
    }
    if (!result.problems.empty()) {
        spdlog::error("nothing was reloaded: what was in use stays in use");
        return;
    }
    for (const std::string& done : result.done) {
        spdlog::info("reloaded: {}", done);
    }
}

void Reconfiguration::reload_here() {
    Prepared prepared = prepare();
    if (prepared.result.problems.empty()) {
        take_up(prepared);
    }
    say(prepared.result);
}

api::ReloadResult Reconfiguration::reload() {
    const std::lock_guard<std::mutex> one(asking_);
    auto prepared = std::make_shared<Prepared>(prepare());
    if (prepared->result.problems.empty() &&
        !in_service([this, prepared](std::uint64_t) { take_up(*prepared); })) {
        return {.done = {}, .problems = {"the service thread is busy: try again"}, .warnings = {}};
    }
    say(prepared->result);
    return prepared->result;
}

bool Reconfiguration::drain(bool on, std::optional<std::uint32_t> stop_after_s) {
    const std::lock_guard<std::mutex> one(asking_);
    return in_service([this, on, stop_after_s](std::uint64_t now_ms) {
        stop_at_ms_.reset();
        if (on && stop_after_s.has_value()) {
            stop_at_ms_ = now_ms + std::uint64_t{*stop_after_s} * 1000;
        }
        if (on && stop_at_ms_.has_value()) {
            spdlog::warn("draining: no new bindings are taken, and pinhole ends in {} s",
                         *stop_after_s);
        } else if (on) {
            spdlog::warn("draining: no new bindings are taken");
        } else if (draining()) {
            spdlog::info("draining has ended: new bindings are taken again");
        }
        draining_.store(on, std::memory_order_relaxed);
        parts_.publisher.use_config(current(), on);
        (void)parts_.publisher.publish(now_ms);
    });
}

bool Reconfiguration::in_service(std::function<void(std::uint64_t)> order) {
    std::unique_lock<std::mutex> lock(order_mutex_);
    order_ = std::move(order);
    const bool done =
        order_done_.wait_for(lock, kPatience, [this] { return order_ == nullptr || closed_; });
    const bool followed = done && order_ == nullptr;
    order_ = nullptr;
    return followed;
}

bool Reconfiguration::turn(std::uint64_t now_ms) {
    {
        // Held meanwhile: a caller that has waited too long must not withdraw its order in the
        // midst of it.
        const std::lock_guard<std::mutex> lock(order_mutex_);
        if (order_ != nullptr) {
            order_(now_ms);
            order_ = nullptr;
            order_done_.notify_all();
        }
    }
    return stop_at_ms_.has_value() && now_ms >= *stop_at_ms_;
}

void Reconfiguration::close() {
    const std::lock_guard<std::mutex> lock(order_mutex_);
    closed_ = true;
    order_done_.notify_all();
}

}  // namespace pinhole::daemon
