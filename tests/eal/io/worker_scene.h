// SPDX-License-Identifier: BSD-3-Clause
// The fixture for tests of a worker: EAL once, an Edge for each test, and REGISTERs as phones write
// them. At the end of each test no packet buffer may be missing.
#pragma once

#include "tests/eal/io/edge.h"
#include "tests/eal/io/scene.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace pinhole::io {

struct Register {
    std::string user = "100";
    std::string call_id = "call-100";
    unsigned cseq = 1;
    std::string contact = "<sip:100@192.168.1.10:5060>";  // empty: a fetch
    std::string expires = "600";
    std::string extra;  // header lines with CRLF

    [[nodiscard]] std::string text() const {
        const std::string cseq_text = std::to_string(cseq);
        return "REGISTER sip:example.com SIP/2.0\r\n"
               "Via: SIP/2.0/UDP 192.168.1.10:5060;branch=z9hG4bK" +
               call_id + cseq_text + ";rport\r\nMax-Forwards: 70\r\nFrom: <sip:" + user +
               "@example.com>;tag=f\r\nTo: <sip:" + user + "@example.com>\r\nCall-ID: " + call_id +
               "\r\nCSeq: " + cseq_text + " REGISTER\r\n" +
               (contact.empty() ? "" : "Contact: " + contact + "\r\n") + "Expires: " + expires +
               "\r\n" + extra + "Content-Length: 0\r\n\r\n";
    }
};

class WorkerScene : public testing::Test {
  public:
    static void SetUpTestSuite() {
        if (!eal) {
            enter_own_namespace();
            // Once a process: what any test here needs.
            auto started = Eal::start(settings_for(2, {{DeviceKind::kVdev, "net_ring0"}}));
            ASSERT_TRUE(started.ok()) << started.error().message;
            eal = started.take();
        }
    }
    void TearDown() override { end(); }

    void lay(unsigned workers, std::uint32_t max_contacts = 1000,
             const admit::LimitPolicy& limits = {.enabled = false}) {
        EdgeSettings settings;
        settings.io = settings_for(workers, {{DeviceKind::kVdev, "net_ring0"}});
        settings.max_contacts = max_contacts;
        settings.limits = limits;
        edge = std::make_unique<Edge>(settings);
    }

    // Ends the edge's workers, so that no packet is under way any more.
    void end() {
        if (edge == nullptr) {
            return;
        }
        edge->end_workers();
        EXPECT_EQ(rte_mempool_in_use_count(edge->ports().device(0).info().rx_pool), 0U);
        EXPECT_EQ(rte_mempool_in_use_count(edge->ports().big_pool()), 0U);
        edge.reset();
    }

    [[nodiscard]] const table::Record* record(const std::string& user) const {
        const std::string aor = user + "@example.com";
        return edge->table().find(edge->table().hash()(aor), aor);
    }
    [[nodiscard]] std::size_t contacts(const std::string& user) const {
        const table::Record* found = record(user);
        return found == nullptr ? 0 : found->contact_count();
    }
    [[nodiscard]] table::ContactView contact(const std::string& user, std::size_t i = 0) const {
        table::ContactView view;
        const table::Record* found = record(user);
        EXPECT_TRUE(found != nullptr && i < found->contact_count() && found->read(i, view));
        return view;
    }
    // A user whose AOR is this worker's.
    [[nodiscard]] std::string user_of(unsigned owner, unsigned skip = 0) const {
        for (unsigned n = 0;; ++n) {
            const std::string user = "u" + std::to_string(n);
            const std::uint64_t hash = edge->table().hash()(user + "@example.com");
            if (edge->table().shard_of(hash) == owner && skip-- == 0) {
                return user;
            }
        }
    }

    static inline std::unique_ptr<Eal> eal;
    std::unique_ptr<Edge> edge;
};

}  // namespace pinhole::io
