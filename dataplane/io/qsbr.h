// SPDX-License-Identifier: BSD-3-Clause
// Quiescent states: which threads may still hold a pointer into what was unlinked. A thin face over
// rte_rcu_qsbr. Thread numbers: workers 0 to W-1, then control, service and whatever else reads
// (see Threads). A thread that goes to sleep or does what may block goes offline first and holds no
// pointers meanwhile. start() and passed() may be called by any thread; the others by the thread
// that they name.
#pragma once

#include "dataplane/io/result.h"

#include <rte_rcu_qsbr.h>

#include <cstdint>
#include <memory>

namespace pinhole::io {

class Qsbr {
  public:
    // Room for `threads` thread numbers, 0 up.
    static Result<std::unique_ptr<Qsbr>> create(unsigned threads);
    ~Qsbr();
    Qsbr(const Qsbr&) = delete;
    Qsbr& operator=(const Qsbr&) = delete;

    // Once, by the thread at its beginning (leaves it offline) and at its end.
    Status join(unsigned thread);
    void leave(unsigned thread);

    void online(unsigned thread) { rte_rcu_qsbr_thread_online(state_, thread); }
    void offline(unsigned thread) { rte_rcu_qsbr_thread_offline(state_, thread); }
    // "I hold no pointer from before." A few times per thousand packets is enough.
    void quiescent(unsigned thread) { rte_rcu_qsbr_quiescent(state_, thread); }

    // A token for what has been unlinked before this call; passed() says whether no reader can
    // still see that.
    [[nodiscard]] std::uint64_t start() { return rte_rcu_qsbr_start(state_); }
    [[nodiscard]] bool passed(std::uint64_t token) {
        return rte_rcu_qsbr_check(state_, token, false) == 1;
    }

    // The same as plain functions, for code that knows no DPDK (the table takes these three).
    static std::uint64_t start_fn(void* qsbr) { return static_cast<Qsbr*>(qsbr)->start(); }
    static bool passed_fn(void* qsbr, std::uint64_t token) {
        return static_cast<Qsbr*>(qsbr)->passed(token);
    }

  private:
    explicit Qsbr(rte_rcu_qsbr* state) : state_(state) {}

    rte_rcu_qsbr* state_;
};

}  // namespace pinhole::io
