// SPDX-License-Identifier: BSD-3-Clause
// A worker's outgoing commands and answers, gathered over a round and put into the rings in bulk.
// Neither is ever lost: what finds a ring full waits for the next round. Bounded, since a worker
// has at most edge::kMaxJobs under way. One worker.
#pragma once

#include "dataplane/edge/command.h"
#include "dataplane/io/mesh.h"

#include <span>
#include <vector>

namespace pinhole::io {

class Post {
  public:
    Post(Mesh& mesh, unsigned worker) : mesh_(mesh), worker_(worker), out_(mesh.workers()) {
        for (auto& queue : out_) {
            queue.reserve(Mesh::kCommandSlots);
        }
    }

    void send(unsigned to, const edge::Command& command) { out_[to].push_back(command); }

    // Puts what it can; the rest stays for the next round, in order. The rings hold more than all
    // workers can have under way, so that is a matter of a round at most.
    void flush() {
        for (unsigned to = 0; to < out_.size(); ++to) {
            auto& queue = out_[to];
            if (queue.empty()) {
                continue;
            }
            const unsigned put =
                mesh_.commands(worker_, to).put(queue.data(), static_cast<unsigned>(queue.size()));
            queue.erase(queue.begin(), queue.begin() + put);
        }
    }

  private:
    Mesh& mesh_;
    unsigned worker_;
    std::vector<std::vector<edge::Command>> out_;  // by owner; reserved, never grown in the loop
};

}  // namespace pinhole::io
