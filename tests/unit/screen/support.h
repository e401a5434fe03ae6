// SPDX-License-Identifier: BSD-3-Clause
// Rules from text, and what they say of a message.
#pragma once

#include "dataplane/screen/rule_file.h"
#include "dataplane/screen/rule_set.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace pinhole::screen {

inline std::unique_ptr<RuleSet> compiled(std::string_view text, unsigned workers = 1) {
    RuleFile file = read_rules(text);
    auto set = RuleSet::compile(file.rules, workers, file.complaints);
    for (const Complaint& complaint : file.complaints) {
        ADD_FAILURE() << complaint.line << ": " << complaint.text;
    }
    return set;
}

// The names of the rules that match, in their order; fields are asked if the text parses.
inline std::vector<std::string> hit_by(const RuleSet& set, std::string_view text) {
    sip::Message message;
    const bool good = sip::parse(text, message) == sip::ParseError::kOk;
    const Matches matches = set.match(text, good ? &message : nullptr, 0);
    std::vector<std::string> names;
    for (std::size_t i = 0; i < set.rules().size(); ++i) {
        if (matches[i]) {
            names.push_back(set.rules()[i].name);
        }
    }
    return names;
}

struct Request {
    std::string ruri = "sip:example.com";
    std::string from = "From: <sip:100@example.com>;tag=f";
    std::string to = "To: <sip:100@example.com>";
    std::string contact = "Contact: <sip:100@192.168.1.10:5060>";
    std::string call_id = "Call-ID: 1714@192.168.1.10";
    std::string more = "User-Agent: Yealink SIP-T46U 108.86.0.90\r\n";

    [[nodiscard]] std::string text() const {
        return "REGISTER " + ruri +
               " SIP/2.0\r\nVia: SIP/2.0/UDP 192.168.1.10:5060;branch=z9hG4bK1;rport\r\n"
               "Max-Forwards: 70\r\n" +
               from + "\r\n" + to + "\r\n" + call_id + "\r\nCSeq: 1 REGISTER\r\n" + contact +
               "\r\n" + more + "Content-Length: 0\r\n\r\n";
    }
};

}  // namespace pinhole::screen
