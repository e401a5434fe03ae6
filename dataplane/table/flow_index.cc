// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/table/flow_index.h"

namespace pinhole::table {
namespace {

// The stripe is odd from here to the end of the scope. Its readers load links with acquire: one
// that saw a link stored here (with release) sees the stripe odd, or changed, when it looks again.
class StripeChange {
  public:
    explicit StripeChange(std::atomic<std::uint32_t>& stripe) : stripe_(stripe) { bump(); }
    ~StripeChange() { bump(); }
    StripeChange(const StripeChange&) = delete;
    StripeChange& operator=(const StripeChange&) = delete;

  private:
    void bump() {
        stripe_.store(stripe_.load(std::memory_order_relaxed) + 1, std::memory_order_release);
    }

    std::atomic<std::uint32_t>& stripe_;
};

}  // namespace

void FlowIndex::link(std::uint32_t slot, const net::Flow& flow) {
    const Head head = head_of((*hash_)(flow));
    const StripeChange change(head.stripe);
    const std::uint32_t first = head.first.load(std::memory_order_relaxed);
    (*slots_)[slot].next.store(first, std::memory_order_release);
    previous_[slot] = 0;
    if (first != 0) {
        previous_[first - 1] = slot + 1;
    }
    head.first.store(slot + 1, std::memory_order_release);
}

void FlowIndex::unlink(std::uint32_t slot, const net::Flow& flow) {
    const Head head = head_of((*hash_)(flow));
    const StripeChange change(head.stripe);
    const std::uint32_t next = (*slots_)[slot].next.load(std::memory_order_relaxed);
    const std::uint32_t previous = previous_[slot];
    if (next != 0) {
        previous_[next - 1] = previous;
    }
    if (previous != 0) {
        (*slots_)[previous - 1].next.store(next, std::memory_order_release);
    } else {
        head.first.store(next, std::memory_order_release);
    }
}

}  // namespace pinhole::table
