// SPDX-License-Identifier: BSD-3-Clause
// A datagram as the edge takes it: its text, the flow that it came by, and a handle by which
// whoever received it knows its buffer again. The edge never looks behind the handle. The text
// stands still until the handle goes back (see Sink). Values; one worker.
#pragma once

#include "dataplane/net/flow.h"

#include <string_view>

namespace pinhole::edge {

struct Handle {
    void* of = nullptr;  // null: no packet
    [[nodiscard]] bool is_set() const { return of != nullptr; }
};

struct Packet {
    Handle handle;
    std::string_view text;
    net::Flow flow;  // as the packet came
};

}  // namespace pinhole::edge
