// SPDX-License-Identifier: BSD-3-Clause
// Whatever comes, from whomever: nothing is sent anywhere but to the phone, the peer or back; what
// is forwarded is SIP; a stranger reaches no phone; and nobody's answer is larger than it may be.
#include "dataplane/route/answer.h"
#include "tests/unit/route/world.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

namespace pinhole::route {
namespace {

std::string mutated(std::string text, std::mt19937& random) {
    static const std::string kBytes = "\r\n\t \0:;,<>\"@?%=/.[]0a\x7f\xff";
    for (unsigned n = random() % 4 + 1; n != 0 && !text.empty(); --n) {
        const std::size_t at = random() % text.size();
        switch (random() % 5) {
            case 0:
                text[at] = kBytes[random() % kBytes.size()];
                break;
            case 1:
                text.insert(at, 1, kBytes[random() % kBytes.size()]);
                break;
            case 2:
                text.erase(at, random() % 8 + 1);
                break;
            case 3:  // a piece of it once more
                text.insert(at, text.substr(random() % text.size(), random() % 60));
                break;
            default:
                text.resize(random() % 16 == 0 ? at : text.size());
                break;
        }
    }
    return text;
}

class Robustness : public testing::TestWithParam<bool> {};
INSTANTIATE_TEST_SUITE_P(OneAndTwoAddresses, Robustness, testing::Bool());

TEST_P(Robustness, MutatedMessages) {
    World world(GetParam());
    world.add({});
    const Sent in = world.from_core(kInvite);
    const Sent out = world.from_phone(kInviteOut);
    std::string routes;
    for (const std::string& route : in.values(sip::HeaderId::kRecordRoute)) {
        routes += "Route: " + route + "\n";
    }
    const std::string bye =
        replace(with_method(kInvite, "INVITE", "BYE"), "Max-Forwards: 69\n", routes);
    const std::vector<std::string> seeds = {crlf(kInvite), crlf(kInviteOut),   crlf(bye),
                                            in.text,       answer_to(in, 200), answer_to(out, 503)};
    const net::Flow core = world.peers[0].flow;
    const net::Flow by[] = {core, World::phone_flow(), World::stranger_flow()};
    std::mt19937 random(7);
    for (int i = 0; i < 30'000; ++i) {
        const std::string text = mutated(seeds[random() % seeds.size()], random);
        const net::Flow& sender = by[random() % 3];
        const Sent sent =
            world.receive(text, sender, sender == core, i % 8 == 0 ? random() % 900 : 4096);
        const net::Flow& to = sent.decision.flow;
        if (sent.forwarded()) {
            EXPECT_TRUE(to == core || to == World::phone_flow()) << text;
            EXPECT_FALSE(sender == World::stranger_flow() && to != core) << text;
            sip::Message message;
            EXPECT_EQ(sip::parse(sent.text, message), sip::ParseError::kOk) << text << "\n"
                                                                            << sent.text;
        } else if (sent.decision.kind == Kind::kReply) {
            EXPECT_EQ(to.theirs, sender.theirs);
            EXPECT_TRUE(sender == core || sent.text.size() <= answer_limit(text.size(), true))
                << text;
        }
    }
}

}  // namespace
}  // namespace pinhole::route
