// SPDX-License-Identifier: BSD-3-Clause
// Two network namespaces for a test: the process's own, and one that a thread of it stands in (the
// far side). Neither has a name, so both are gone when the process is, however it ends.
#pragma once

#include "dataplane/io/eal.h"
#include "dataplane/io/settings.h"

#include <rte_mbuf.h>

#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace pinhole::io {

// Moves the calling thread (and all that it starts from now on) to a new namespace, loopback up.
// Once, before EAL.
void enter_own_namespace();

// Runs a command; false, and its output on stderr, if it fails.
bool run(const std::string& command);

class FarSide {
  public:
    FarSide();
    ~FarSide();
    FarSide(const FarSide&) = delete;
    FarSide& operator=(const FarSide&) = delete;

    // Runs `work` in the far namespace and waits for it.
    void in(const std::function<void()>& work);
    bool run(const std::string& command);
    // A thread of it, which `ip link set ... netns` takes for a namespace.
    [[nodiscard]] int thread_id() const { return thread_id_; }

  private:
    void loop();

    std::mutex mutex_;
    std::condition_variable changed_;
    const std::function<void()>* work_ = nullptr;
    bool over_ = false;
    int thread_id_ = 0;
    std::thread thread_;
};

// veth `near` here (10.9.0.1/24, fd09::1/64) and `far` there (10.9.0.2/24, fd09::2/64), up,
// neighbours known, no address detection delay.
bool lay_veth(FarSide& far);

Settings settings_for(unsigned workers, std::vector<DeviceSettings> devices);

// Polls a queue until `wanted` accepts a frame or `polls` are over (1 ms apart); the other frames
// are freed.
rte_mbuf* receive(std::uint16_t ethdev, std::uint16_t queue,
                  const std::function<bool(rte_mbuf*)>& wanted, unsigned polls = 2000);
// The UDP payload of an Ethernet and IPv4 or IPv6 frame without options; "" if it is none.
std::string udp_payload(rte_mbuf* frame);

}  // namespace pinhole::io
