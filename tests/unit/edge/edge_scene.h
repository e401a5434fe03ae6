// SPDX-License-Identifier: BSD-3-Clause
// The fixture for tests of what the edge decides: the edges of a few workers, and REGISTERs as
// phones write them. At the end of each test no packet may be missing (~Edges).
#pragma once

#include "tests/unit/edge/edges.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

namespace pinhole::edge::test {

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

class EdgeScene : public testing::Test {
  public:
    void TearDown() override { end(); }

    // Begins anew with these settings.
    void lay(const EdgeSettings& settings = {}) {
        end();
        edge = std::make_unique<Edges>(settings);
    }
    void end() { edge.reset(); }

    [[nodiscard]] const table::Record* record(const std::string& user) const {
        return edge->record(user);
    }
    [[nodiscard]] std::size_t contacts(const std::string& user) const {
        return edge->contacts(user);
    }
    [[nodiscard]] table::ContactView contact(const std::string& user, std::size_t i = 0) const {
        if (i >= contacts(user)) {
            ADD_FAILURE() << user << " has no contact " << i;
            return {};
        }
        return edge->contact(user, i);
    }
    [[nodiscard]] std::string user_of(unsigned owner, unsigned skip = 0) const {
        return edge->user_of(owner, skip);
    }

    std::unique_ptr<Edges> edge;
};

}  // namespace pinhole::edge::test
