// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/io/qsbr.h"

#include "dataplane/io/errors.h"

#include <rte_errno.h>
#include <rte_malloc.h>

namespace pinhole::io {

Result<std::unique_ptr<Qsbr>> Qsbr::create(unsigned threads) {
    const std::size_t size = rte_rcu_qsbr_get_memsize(threads);
    auto* state = static_cast<rte_rcu_qsbr*>(rte_zmalloc("qsbr", size, RTE_CACHE_LINE_SIZE));
    if (state == nullptr) {
        return Error{ErrorCode::kNoMemory, "no memory for the quiescent state of the threads"};
    }
    if (rte_rcu_qsbr_init(state, threads) != 0) {
        rte_free(state);
        return system_error("cannot set up quiescent states", rte_errno);
    }
    return std::unique_ptr<Qsbr>(new Qsbr(state));
}

Qsbr::~Qsbr() {
    rte_free(state_);
}

Status Qsbr::join(unsigned thread) {
    if (rte_rcu_qsbr_thread_register(state_, thread) != 0) {
        return Error{ErrorCode::kInvalid,
                     "no room for the quiescent state of thread " + std::to_string(thread)};
    }
    return {};
}

void Qsbr::leave(unsigned thread) {
    rte_rcu_qsbr_thread_offline(state_, thread);
    rte_rcu_qsbr_thread_unregister(state_, thread);
}

}  // namespace pinhole::io
