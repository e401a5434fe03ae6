// SPDX-License-Identifier: BSD-3-Clause
// RunningSystem's answer about gateways: a look at every place, of which the largest are kept.
#include "control/daemon/running_system.h"
#include "control/daemon/settings.h"
#include "control/qualify/lesson.h"
#include "dataplane/nat/agent.h"
#include "dataplane/net/address.h"

#include <algorithm>
#include <utility>

namespace pinhole::daemon {
namespace {

// The `limit` of them that have most phones, in a heap as long as the answer.
template <class T>
class Largest {
  public:
    explicit Largest(std::size_t limit) : limit_(limit) {}

    void add(T one) {
        all_.push_back(std::move(one));
        std::push_heap(all_.begin(), all_.end(), larger);
        if (all_.size() > limit_) {
            std::pop_heap(all_.begin(), all_.end(), larger);
            all_.pop_back();
        }
    }
    [[nodiscard]] std::vector<T> take() {
        std::sort_heap(all_.begin(), all_.end(), larger);
        return std::move(all_);
    }

  private:
    static bool larger(const T& a, const T& b) { return a.phones > b.phones; }

    std::size_t limit_;
    std::vector<T> all_;
};

api::Gateway told(const qualify::GatewayView& view, std::string name,
                  const qualify::PingPolicy& policy) {
    api::Gateway out;
    out.address = std::move(name);
    out.phones = view.phones;
    out.rebinds = view.rebinds;
    out.pings = view.sent;
    out.missed = view.missed;
    out.outages = view.outages;
    std::copy(view.rewritten.begin(), view.rewritten.end(), out.rewritten.begin());
    for (const qualify::LessonView& lesson : view.lessons) {
        if (lesson.phones != 0) {
            out.lessons.push_back({std::string(nat::agent_name(lesson.agent)), lesson.phones,
                                   qualify::learned_ms(policy, lesson.safe_s) / 1'000.0,
                                   lesson.safe_s, lesson.fail_s, lesson.trial_s, lesson.losses});
        }
    }
    return out;
}

}  // namespace

api::Nat RunningSystem::nat(std::size_t limit) {
    const qualify::PingPolicy policy = qualify_policy(parts_.reconfiguration.current()->qualify);
    const std::uint32_t now_s = parts_.clock.now().s;
    api::Nat out;
    out.learns = policy.learn;
    out.fixed_interval_s = policy.interval_ms / 1'000;
    Largest<qualify::GatewayView> largest(limit);
    Largest<api::Outage> outages(limit);
    const auto add_outage = [&](std::string where, std::uint32_t phones, std::uint32_t since_s) {
        outages.add({std::move(where), phones, now_s > since_s ? now_s - since_s : 0});
    };
    qualify::GatewayView view;
    for (std::uint32_t i = 1; i <= parts_.gateways.capacity(); ++i) {
        if (!parts_.gateways.read_any(i, view) || view.phones == 0) {
            continue;
        }
        ++out.gateways;
        out.phones += view.phones;
        largest.add(view);
        if (view.silent_since_s != 0) {
            add_outage(parts_.gateways.name_of(view.address), view.phones, view.silent_since_s);
        }
    }
    qualify::AreaView area;
    for (std::uint32_t i = 1; i <= parts_.gateways.area_capacity(); ++i) {
        if (parts_.gateways.read_area_any(i, area) && area.silent_since_s != 0) {
            add_outage(qualify::area_text(area.prefix), area.phones, area.silent_since_s);
        }
    }
    for (const qualify::GatewayView& gateway : largest.take()) {
        out.largest.push_back(told(gateway, parts_.gateways.name_of(gateway.address), policy));
    }
    out.outages = outages.take();
    return out;
}

}  // namespace pinhole::daemon
