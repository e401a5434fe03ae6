// SPDX-License-Identifier: BSD-3-Clause
// A fixed number of threads and a short queue before them. When both are full, enqueue() waits: the
// accept loop stands still, and the kernel's backlog, not our memory, holds the crowd.
#pragma once

#include <httplib.h>

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace pinhole::api {

class BoundedTaskQueue final : public httplib::TaskQueue {
  public:
    BoundedTaskQueue(std::size_t threads, std::size_t max_waiting);
    ~BoundedTaskQueue() override;

    void enqueue(std::function<void()> task) override;
    // Runs what waits, then ends the threads.
    void shutdown() override;

  private:
    void run();

    const std::size_t max_waiting_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<std::function<void()>> waiting_;
    bool ending_ = false;
    std::vector<std::thread> threads_;
};

}  // namespace pinhole::api
