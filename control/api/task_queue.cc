// SPDX-License-Identifier: BSD-3-Clause
#include "control/api/task_queue.h"

#include <utility>

namespace pinhole::api {

BoundedTaskQueue::BoundedTaskQueue(std::size_t threads, std::size_t max_waiting)
    : max_waiting_(max_waiting) {
    for (std::size_t i = 0; i < threads; ++i) {
        threads_.emplace_back([this] { run(); });
    }
}

BoundedTaskQueue::~BoundedTaskQueue() {
    shutdown();
}

void BoundedTaskQueue::enqueue(std::function<void()> task) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return waiting_.size() < max_waiting_ || ending_; });
    waiting_.push_back(std::move(task));
    changed_.notify_all();
}

void BoundedTaskQueue::shutdown() {
    {
        const std::lock_guard lock(mutex_);
        ending_ = true;
    }
    changed_.notify_all();
    for (std::thread& thread : threads_) {
        thread.join();
    }
    threads_.clear();
}

void BoundedTaskQueue::run() {
    for (;;) {
        std::function<void()> task;
        {
            std::unique_lock lock(mutex_);
            changed_.wait(lock, [this] { return !waiting_.empty() || ending_; });
            if (waiting_.empty()) {
                return;
            }
            task = std::move(waiting_.front());
            waiting_.pop_front();
        }
        changed_.notify_all();
        task();
    }
}

}  // namespace pinhole::api
