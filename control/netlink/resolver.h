// SPDX-License-Identifier: BSD-3-Clause
// Which neighbours to ask the kernel about, and when: each at most once a second, in bounded
// memory, since anyone can forge sources on a shared link. Time is handed in. Pure; one thread, the
// service thread.
#pragma once

#include "control/netlink/messages.h"

#include <cstdint>
#include <list>
#include <map>

namespace pinhole::netlink {

class Resolver {
  public:
    static constexpr std::uint64_t kRetryMs = 1000;
    static constexpr std::size_t kMaxRemembered = 4096;
    // Questions a second, over all addresses: a forged flood must not become a flood of ARP.
    static constexpr unsigned kMaxPerSecond = 1000;

    // Whether the kernel is to be asked now.
    [[nodiscard]] bool ask(const LinkAddress& neighbour, std::uint64_t now_ms);
    // Whether it was asked for this one, and has not been forgotten: then a stale entry is worth
    // another question.
    [[nodiscard]] bool remembers(const LinkAddress& neighbour) const;
    [[nodiscard]] std::size_t remembered() const { return asked_.size(); }

  private:
    struct Entry {
        std::uint64_t last_ms = 0;
        std::list<LinkAddress>::iterator age;  // its place in order_
    };
    bool spend(std::uint64_t now_ms);

    std::map<LinkAddress, Entry> asked_;
    std::list<LinkAddress> order_;  // asked longest ago first: the next to be forgotten
    std::uint64_t second_ = 0;
    unsigned spent_ = 0;
};

}  // namespace pinhole::netlink
