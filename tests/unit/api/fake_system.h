// SPDX-License-Identifier: BSD-3-Clause
// A daemon of two AORs, for tests of what stands before it.
#pragma once

#include "control/api/system.h"

#include <stdlib.h>

#include <filesystem>
#include <map>
#include <mutex>
#include <string>

namespace pinhole::api {

class FakeSystem final : public System {
  public:
    FakeSystem() {
        Binding first;
        first.contact = "sip:100@192.168.1.10:5060";
        first.id = 0xffff'ffff'ffff'fff0;
        first.far_end = "67.194.23.55:32947";
        first.near_end = "198.51.100.1:5060";
        first.port = "eth0";
        first.state = metrics::ContactState::kReachable;
        first.rtt_s = 0.0123;
        first.expires_in_s = 3565;
        first.registered_ago_s = 35;
        first.cseq = 7;
        first.params = ";x=\"Yealink \x1b[31mT46\xff\"";
        Binding second = first;
        second.contact = "sip:100@192.168.1.11:5060";
        second.id = 2;
        second.state = metrics::ContactState::kUnknown;
        second.rtt_s.reset();
        aors_["sip:100@example.com"] = {first, second};
        aors_["sip:a%20b@example.com"] = {second};
    }

    Status status() override {
        Status out;
        out.version = "9.9";
        out.uptime_s = 93'784;
        out.workers = 2;
        out.contacts = 3;
        out.aors = 2;
        out.max_contacts = 1'000'000;
        out.memory_bytes = 734'003'200;
        out.memory_kind = "hugepages";
        out.ports = {{"eth0",
                      "af_packet:eth0",
                      "02:00:00:00:00:01",
                      true,
                      1,
                      "both",
                      {"198.51.100.1", "2001:db8::1"},
                      {5060, 5080}}};
        out.qualify.sent = 1000;
        out.qualify.answered = 990;
        out.qualify.rtt = {{0.01, 0.1, 1}, {500, 489, 1, 0}, 20};
        out.qualify.contacts_by_state = {1, 2, 0};
        out.keys = {
            .kept = true, .count = 3, .age_s = 19'200, .rotate_every_s = 86'400, .overdue = false};
        out.peers = {
            {"203.0.113.10:5060", true, metrics::PeerState::kUp, 93'700, 1800, 1, 0, 0.0004},
            {"[2001:db8::5]:5070", true, metrics::PeerState::kDown, 59, 0, 14, 0, {}},
        };
        return out;
    }

    Rates rates() override {
        Rates out{2, 300, {}};
        out.per_s[0] = {1.04F, 2};
        return out;
    }
    std::vector<CoreStatus> cores() override {
        CoreStatus core;
        core.core = 1;
        core.cpu = 3;
        core.contacts = 3;
        core.rx_packets = 12'345'678;
        core.cycles_busy = 1;
        core.cycles_idle = 3;
        return {core};
    }

    std::optional<AorBindings> show(std::string_view aor) override {
        const std::lock_guard lock(mutex_);
        const auto found = aors_.find(std::string(aor));
        return found == aors_.end() ? std::nullopt
                                    : std::optional(AorBindings{found->first, found->second});
    }

    Nat nat(std::size_t limit) override {
        Nat out;
        out.learns = true;
        out.fixed_interval_s = 25;
        out.gateways = 2;
        out.phones = 43;
        out.largest = {{"67.194.23.55",
                        42,
                        3,
                        1000,
                        5,
                        {{"Yealink", 40, 141, 148, 192, 0, 1}, {"other", 2, 25, 0, 0, 32, 0}}},
                       {"2001:db8:1:2::/64", 1, 0, 10, 0, {{"snom", 1, 25, 0, 0, 0, 0}}}};
        out.outages = {{"67.194.23.0/24", 42, 754}};
        out.largest.resize(std::min(limit, out.largest.size()));
        return out;
    }
    std::optional<Story> why(std::string_view aor) override {
        if (aor == "sip:no-aor") {
            return std::nullopt;
        }
        Story story;
        story.aor = aor;
        if (const auto bindings = show(aor)) {
            ContactStory here;
            here.id = 2;
            here.binding = bindings->bindings.front();
            here.waiting = true;
            here.events = {{"registered", 1, 3600, std::nullopt, 32947},
                           {"answered", 140, 12, 0.0123, std::nullopt}};
            ContactStory gone;
            gone.id = 3;
            gone.events = {{"missed", 3, 700, std::nullopt, std::nullopt},
                           {"unreachable", 1, 700, std::nullopt, std::nullopt},
                           {"removed_unreachable", 1, 100, std::nullopt, std::nullopt}};
            story.contacts = {here, gone};
        }
        return story;
    }
    std::optional<ListPage> list(std::string_view prefix, std::size_t limit,
                                 std::string_view after) override {
        const std::lock_guard lock(mutex_);
        if (after == "nonsense") {
            return std::nullopt;
        }
        ListPage page;
        for (auto each = aors_.upper_bound(std::string(after)); each != aors_.end(); ++each) {
            if (page.aors.size() == limit) {
                page.next = page.aors.back().aor;
                break;
            }
            if (each->first.rfind(prefix, 0) == 0) {
                page.aors.push_back({each->first, each->second});
            }
        }
        return page;
    }

    RemoveResult remove(std::string_view aor, std::string_view contact) override {
        const std::lock_guard lock(mutex_);
        const auto found = aors_.find(std::string(aor));
        if (found == aors_.end()) {
            return {RemoveResult::Code::kUnknownAor, 0};
        }
        std::size_t removed = 0;
        if (contact.empty()) {
            removed = found->second.size();
            found->second.clear();
        } else {
            removed = std::erase_if(found->second,
                                    [&](const Binding& b) { return b.contact == contact; });
        }
        if (found->second.empty()) {
            aors_.erase(found);
        }
        return {removed == 0 ? RemoveResult::Code::kUnknownContact : RemoveResult::Code::kRemoved,
                removed};
    }

    bool drain(bool on, std::optional<std::uint32_t> stop_after_s) override {
        draining = on;
        drain_stop_s = stop_after_s;
        return true;
    }
    bool draining = false;
    std::optional<std::uint32_t> drain_stop_s;
    ReloadResult reload() override {
        return bad_rules ? ReloadResult{{}, {"/etc/screen.rules:3: is no action"}, {}}
                         : ReloadResult{{"screening rules: 7"}, {}, {"/etc/screen.rules:9: odd"}};
    }
    bool bad_rules = false;

    CaptureStart capture_start(std::string_view filter) override {
        capture_filter = filter;
        return filter == "bad" ? CaptureStart{0, "no filter"} : CaptureStart{7, {}};
    }
    std::optional<CaptureChunk> capture_take(std::uint64_t id) override {
        using namespace std::string_literals;
        return id == 7 ? std::optional(CaptureChunk{"\x0a\x0d\x00\xff"s, 3}) : std::nullopt;
    }
    bool capture_stop(std::uint64_t id) override { return id == 7; }
    std::string capture_filter;

    Health healthy() override { return {true, {}}; }
    Health ready() override { return {false, "port eth0 has no address"}; }
    std::string metrics_text() override { return "pinhole_contacts{core=\"0\"} 3\n"; }

  private:
    std::mutex mutex_;
    std::map<std::string, std::vector<Binding>> aors_;
};

// A directory that goes with the test.
class TemporaryDirectory {
  public:
    TemporaryDirectory() {
        std::string name = std::filesystem::temp_directory_path() / "pinhole-api-XXXXXX";
        path_ = ::mkdtemp(name.data()) != nullptr ? name : std::string{};
    }
    ~TemporaryDirectory() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    TemporaryDirectory(const TemporaryDirectory&) = delete;
    TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

    [[nodiscard]] std::string file(const std::string& name) const { return path_ + "/" + name; }

  private:
    std::string path_;
};

}  // namespace pinhole::api
