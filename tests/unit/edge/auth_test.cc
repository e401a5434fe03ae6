// SPDX-License-Identifier: BSD-3-Clause
// RFC 3261 §10.3 step 3 and §22: which requests are challenged, which passwords are taken, and how
// guessing is slowed down.
#include "tests/unit/auth/support.h"
#include "tests/unit/edge/edge_scene.h"

#include <string>
#include <vector>

namespace pinhole::edge::test {
namespace {

using auth::Algorithm;

constexpr std::uint32_t kLifetime_s = 600;

auth::DigestPolicy policy(bool allow_legacy = false) {
    return {auth::Nonces("example.com", 1),
            auth::test_hash(),
            {Algorithm::kMd5, Algorithm::kSha256},
            kLifetime_s,
            allow_legacy,
            {{"200", "100"}}};
}

// A phone as it answers challenges.
struct Phone {
    std::string user = "100";
    std::string password = "pw-100";
    Algorithm algorithm = Algorithm::kMd5;
    std::string nonce = {};
    unsigned nc = 0;
    bool qop = true;

    // The header line for a request.
    std::string authorize(const std::string& method, const std::string& uri,
                          const std::string& name = "Authorization") {
        ++nc;
        char digits[9];
        std::snprintf(digits, sizeof digits, "%08x", nc);
        const std::string a2 = auth::reference(algorithm, method + ":" + uri);
        const std::string a1 = auth::ha1(algorithm, user, password);
        const std::string response =
            auth::reference(algorithm, qop ? a1 + ":" + nonce + ":" + digits + ":c0ffee:auth:" + a2
                                           : a1 + ":" + nonce + ":" + a2);
        return name + ": Digest username=\"" + user + "\",realm=\"example.com\",nonce=\"" + nonce +
               "\",uri=\"" + uri + "\",response=\"" + response +
               "\",algorithm=" + std::string(auth::name_of(algorithm)) +
               (qop ? ",qop=auth,cnonce=\"c0ffee\",nc=" + std::string(digits) : std::string()) +
               "\r\n";
    }
};

std::string nonce_of(const Sent& seen) {
    const std::size_t at = seen.text.find("nonce=\"");
    return at == std::string::npos ? ""
                                   : seen.text.substr(at + 7, seen.text.find('"', at + 7) - at - 7);
}

class Authenticated : public EdgeScene {
  public:
    void SetUp() override { lay_with(policy()); }
    void lay_with(const auth::DigestPolicy& wanted, admit::LimitPolicy limits = {.enabled = false},
                  unsigned workers = 1, const registrar::RegistrarPolicy& registrar = {}) {
        lay({.workers = workers, .policy = registrar, .limits = limits, .auth = wanted});
        edge->subscribe(subscribers.get());
    }

    // Returns the status of the answer, "" if there is none. `seen` holds the whole answer.
    std::string ask(const net::Flow& flow, const std::string& text, unsigned worker = 0) {
        const auto answers = edge->ask(worker, flow, text);
        if (answers.size() != 1) {
            return answers.empty() ? "" : "several";
        }
        seen = answers[0];
        return seen.text.substr(8, 3);
    }
    // Registers with the phone's nonce, and asks for a challenge first if it has none.
    std::string log_in(Phone& phone, Register request, const net::Flow& flow) {
        if (phone.nonce.empty()) {
            EXPECT_EQ(ask(flow, request.text()), "401");
            phone.nonce = nonce_of(seen);
            phone.nc = 0;
        }
        request.extra = phone.authorize("REGISTER", "sip:example.com");
        return ask(flow, request.text());
    }
    // Registers from home and returns the request that was accepted, as an eavesdropper has it.
    Register first_login(Phone& phone) {
        Register request;
        EXPECT_EQ(ask(home, request.text()), "401");
        phone.nonce = nonce_of(seen);
        request.extra = phone.authorize("REGISTER", "sip:example.com");
        EXPECT_EQ(ask(home, request.text()), "200");
        return request;
    }
    [[nodiscard]] std::uint64_t count(AuthResult result) const {
        return edge->counters(0).auth[static_cast<std::size_t>(result)].get();
    }

    std::unique_ptr<auth::Subscribers> subscribers =
        auth::subscribers_of({"100", "101"}, {Algorithm::kMd5, Algorithm::kSha256});
    const net::Flow home = from(kNat, 32947);
    const net::Flow elsewhere = from(address("67.194.24.55"), 1024);
    Sent seen;
};

TEST_F(Authenticated, AChallengeKeepsNoState) {
    EXPECT_EQ(ask(home, Register{}.text()), "401");
    EXPECT_TRUE(seen.has("WWW-Authenticate: Digest realm=\"example.com\",nonce=\""));
    EXPECT_LT(seen.text.find("algorithm=MD5"), seen.text.find("algorithm=SHA-256"));
    EXPECT_FALSE(seen.has("stale"));
    EXPECT_EQ(contacts("100"), 0U);
    EXPECT_EQ(edge->counters(0).handoffs.get(), 0U);
    // The retry may have the same Call-ID and CSeq.
    Phone phone{.nonce = nonce_of(seen)};
    Register again;
    again.extra = phone.authorize("REGISTER", "sip:example.com");
    EXPECT_EQ(ask(home, again.text()), "200");
    EXPECT_EQ(contacts("100"), 1U);
    EXPECT_EQ(count(AuthResult::kChallenged), 1U);
    EXPECT_EQ(count(AuthResult::kGood), 1U);
}

TEST_F(Authenticated, ARefreshGoesOnWithItsNonce) {
    Phone phone;
    for (unsigned cseq = 1; cseq < 10; ++cseq) {
        EXPECT_EQ(log_in(phone, {.cseq = cseq}, home), "200");
        edge->pass_s(40);
    }
    EXPECT_EQ(count(AuthResult::kChallenged), 1U);
    edge->pass_s(kLifetime_s);
    EXPECT_EQ(log_in(phone, {.cseq = 10}, home), "401");
    EXPECT_TRUE(seen.has("stale=true"));
    phone.nonce = nonce_of(seen);
    EXPECT_EQ(log_in(phone, {.cseq = 11}, home), "200");
}

// Only a password that was shown just now, by the binding's own flow, proves that a phone lives.
TEST_F(Authenticated, WhatProvesThatAPhoneLives) {
    const auto proof = [&] {
        const std::uint32_t slot = contact("100").id.slot;
        const table::Proof found = edge->qualify().life_any(slot).proof;
        edge->qualify().forget_life_control(slot);
        return found;
    };
    Phone phone;
    (void)first_login(phone);
    (void)proof();
    Register request{.cseq = 2};
    EXPECT_EQ(ask(home, request.text()), "401");
    EXPECT_EQ(proof(), table::Proof::kNone) << "the Call-ID alone";
    request.extra = phone.authorize("REGISTER", "sip:example.com");
    EXPECT_EQ(ask(home, request.text()), "200");
    EXPECT_EQ(proof(), table::Proof::kRegister);
    EXPECT_EQ(ask(home, request.text()), "200");
    EXPECT_EQ(proof(), table::Proof::kNone) << "an eavesdropper could send the same again";
    phone.password = "guess";
    request.extra = phone.authorize("REGISTER", "sip:example.com");
    EXPECT_EQ(ask(home, request.text()), "401");
    EXPECT_EQ(proof(), table::Proof::kNone);
}

TEST_F(Authenticated, EveryAlgorithm) {
    for (const Algorithm algorithm : {Algorithm::kMd5, Algorithm::kSha256}) {
        Phone phone{.algorithm = algorithm};
        EXPECT_EQ(log_in(phone, {}, home), "200");
    }
    Phone other{.algorithm = Algorithm::kSha512_256};
    EXPECT_EQ(log_in(other, {}, home), "401") << "it was not offered";
    EXPECT_EQ(count(AuthResult::kUnreadable), 1U);
}

// An unknown user gets the same answer, letter by letter, as a wrong password.
TEST_F(Authenticated, NothingTellsWhoExists) {
    const auto answer = [&](const std::string& user, bool with_password) {
        Phone phone{.user = user, .password = "guess"};
        Register request{.user = user, .call_id = "the-same"};
        EXPECT_EQ(ask(elsewhere, request.text()), "401");
        if (with_password) {
            phone.nonce = nonce_of(seen);
            request.extra = phone.authorize("REGISTER", "sip:example.com");
            EXPECT_EQ(ask(elsewhere, request.text()), "401");
        }
        std::string text = seen.text;
        for (const std::string& gone : {nonce_of(seen), user}) {
            for (std::size_t at; (at = text.find(gone)) != std::string::npos;) {
                text.replace(at, gone.size(), "*");
            }
        }
        const std::size_t tag = text.find(";tag=", text.find("To:"));
        return text.erase(tag, text.find("\r\n", tag) - tag);
    };
    EXPECT_EQ(answer("100", false), answer("999", false));
    EXPECT_EQ(answer("100", true), answer("999", true));
    EXPECT_EQ(count(AuthResult::kWrong), 1U);
    EXPECT_EQ(count(AuthResult::kUnknownUser), 1U);
}

TEST_F(Authenticated, AnothersAor) {
    Phone phone;
    EXPECT_EQ(log_in(phone, {.user = "101"}, home), "403");
    EXPECT_EQ(contacts("101"), 0U);
    phone.nonce = "";
    EXPECT_EQ(log_in(phone, {.user = "200"}, home), "200") << "an alias";
    EXPECT_EQ(count(AuthResult::kForbidden), 1U);
}

// What nc is for: a request that was overheard moves no binding.
TEST_F(Authenticated, ACapturedRequestMovesNothing) {
    Phone phone;
    const Register request = first_login(phone);
    const std::string captured = request.text();
    EXPECT_EQ(ask(home, captured), "200") << "the phone itself sends it again";
    EXPECT_EQ(count(AuthResult::kRetransmission), 1U);
    EXPECT_EQ(ask(elsewhere, captured), "401");
    EXPECT_TRUE(seen.has("stale=true"));
    Register other = request;
    other.contact = "<sip:eve@10.6.6.6>";
    EXPECT_EQ(ask(home, other.text()), "401") << "the digest says nothing of the Contact";
    edge->pass_s(40);
    EXPECT_EQ(ask(home, captured), "401");
    EXPECT_EQ(contact("100").state.flow, from(kNat, 32947));
    EXPECT_EQ(contacts("100"), 1U);
    EXPECT_EQ(count(AuthResult::kReplayed), 3U);
    // The phone itself may move, and goes on.
    EXPECT_EQ(log_in(phone, {.cseq = 2}, elsewhere), "200");
    EXPECT_EQ(contact("100").state.flow.theirs, address("67.194.24.55"));
}

TEST_F(Authenticated, ACapturedRequestBringsNoRemovedContactBack) {
    Phone phone;
    const Register request = first_login(phone);
    const std::string captured = request.text();
    EXPECT_EQ(log_in(phone, {.cseq = 2, .expires = "0"}, home), "200");
    EXPECT_EQ(contacts("100"), 0U);
    EXPECT_EQ(ask(home, captured), "401");
    EXPECT_EQ(contacts("100"), 0U);
}

TEST_F(Authenticated, WithoutQop) {
    Phone legacy{.qop = false};
    EXPECT_EQ(log_in(legacy, {}, home), "401");
    lay_with(policy(true));
    legacy.nonce = "";
    EXPECT_EQ(log_in(legacy, {}, home), "200");
    EXPECT_EQ(log_in(legacy, {.cseq = 2}, home), "401");
    EXPECT_TRUE(seen.has("stale=true"));
}

// A request that would be refused with any password is refused at once. A fetch is challenged too:
// it tells where phones are.
TEST_F(Authenticated, WhichRequestsAreChallenged) {
    std::string text = Register{}.text();
    text.replace(text.find("sip:example.com"), 15, "sip:example.org");
    EXPECT_EQ(ask(home, text), "407") << "a request out, like any other";
    text = Register{}.text();
    text.replace(text.find("To: <sip:100@example.com>"), 25, "To: <sip:100@example.org>");
    EXPECT_EQ(ask(home, text), "404");
    EXPECT_EQ(ask(home, Register{.extra = "Require: foo\r\n"}.text()), "420");
    EXPECT_EQ(ask(home, Register{.contact = "<sip:a>", .expires = "1"}.text()), "401");
    EXPECT_EQ(ask(home, Register{.contact = "<bad"}.text()), "401");
    EXPECT_EQ(ask(home, Register{.contact = ""}.text()), "401");
    EXPECT_EQ(ask(from(kCore, kSip), Register{}.text()), "401")
        << "the core has no password either";
    Phone phone;
    EXPECT_EQ(log_in(phone, {.expires = "1"}, home), "423");
}

TEST_F(Authenticated, AnswersStaySmall) {
    std::string text = Register{}.text();
    EXPECT_EQ(ask(home, text), "401");
    EXPECT_LE(seen.text.size() + 28, (text.size() + 28) * 3 / 2);
    // The answer to a short request has no room for every algorithm.
    text =
        "REGISTER sip:example.com SIP/2.0\r\nVia: SIP/2.0/UDP a;branch=z9hG4bKa\r\nFrom: "
        "<sip:100@example.com>;tag=f\r\nTo: <sip:100@example.com>\r\nCall-ID: c\r\nCSeq: 1 "
        "REGISTER\r\nX: " +
        std::string(90, 'x') + "\r\n\r\n";
    EXPECT_EQ(ask(home, text), "401");
    EXPECT_LE(seen.text.size() + 28, (text.size() + 28) * 3 / 2);
    EXPECT_TRUE(seen.has("algorithm=MD5"));
    EXPECT_FALSE(seen.has("algorithm=SHA-256"));
}

TEST_F(Authenticated, OtherSubscribersMeanwhile) {
    Phone phone;
    EXPECT_EQ(log_in(phone, {}, home), "200");
    const auto changed = auth::subscribers_of({"101"}, {Algorithm::kMd5});
    edge->subscribe(changed.get());
    EXPECT_EQ(log_in(phone, {.cseq = 2}, home), "401");
    EXPECT_EQ(count(AuthResult::kUnknownUser), 1U);
    edge->subscribe(subscribers.get());
    EXPECT_EQ(log_in(phone, {.cseq = 3}, home), "200");
}

TEST_F(Authenticated, WholeBursts) {
    std::vector<Phone> phones(kMaxBurst);
    EXPECT_EQ(ask(home, Register{}.text()), "401");
    for (unsigned i = 0; i < phones.size(); ++i) {
        phones[i].nonce = nonce_of(seen);
        phones[i].nc = i;
        phones[i].password = i % 4 == 3 ? "guess" : "pw-100";
    }
    for (unsigned i = 0; i < phones.size(); ++i) {
        Register request{.call_id = "c" + std::to_string(i), .contact = ""};
        request.extra = phones[i].authorize("REGISTER", "sip:example.com");
        edge->put(0, from(kNat, 1000 + i), request.text());
    }
    (void)edge->round(0);
    const auto answers = edge->sent(0);
    EXPECT_EQ(answers.size(), phones.size());
    for (const Sent& answer : answers) {
        const bool guessed = answer.flow.their_udp_port % 4 == 3;
        EXPECT_EQ(answer.text.substr(8, 3), guessed ? "401" : "200");
    }
}

// --- calls ---

std::string invite(const std::string& extra = "", const std::string& method = "INVITE",
                   const std::string& from = "100@example.com") {
    return method +
           " sip:+4930@example.com SIP/2.0\r\nVia: SIP/2.0/UDP "
           "192.168.1.10:5060;branch=z9hG4bKx;rport\r\nMax-Forwards: 70\r\nFrom: <sip:" +
           from + ">;tag=f\r\nTo: <sip:+4930@example.com>\r\nCall-ID: c\r\nCSeq: 1 " + method +
           "\r\nUser-Agent: as long as real ones are\r\n" + extra + "Content-Length: 0\r\n\r\n";
}

TEST_F(Authenticated, ACallFromAFlowThatHasMoved) {
    Phone phone;
    EXPECT_EQ(log_in(phone, {}, home), "200");
    EXPECT_TRUE(edge->ask(0, home, invite())[0].text.starts_with("INVITE")) << "its flow is known";
    EXPECT_EQ(ask(elsewhere, invite()), "407");
    EXPECT_TRUE(seen.has("Proxy-Authenticate: Digest realm=\"example.com\""));
    Phone caller{.nonce = nonce_of(seen)};
    const std::string line =
        caller.authorize("INVITE", "sip:+4930@example.com", "Proxy-Authorization");
    const auto forwarded = edge->ask(0, elsewhere, invite(line));
    ASSERT_EQ(forwarded.size(), 1U);
    EXPECT_TRUE(forwarded[0].text.starts_with("INVITE sip:+4930@example.com"));
    EXPECT_EQ(forwarded[0].flow.theirs, kCore);
    EXPECT_FALSE(forwarded[0].has("Proxy-Authorization")) << "it was meant for the edge";
    // The retransmission, the CANCEL and the ACK go the same way.
    EXPECT_EQ(edge->ask(0, elsewhere, invite(line)).at(0).text.substr(0, 6), "INVITE");
    EXPECT_EQ(edge->ask(0, elsewhere, invite("", "CANCEL")).at(0).text.substr(0, 6), "CANCEL");
    EXPECT_EQ(edge->ask(0, elsewhere, invite("", "ACK")).at(0).text.substr(0, 3), "ACK");
    // From a third flow none of that is accepted.
    const net::Flow third = from(kNat, 999);
    EXPECT_EQ(ask(third, invite(line)), "407");
    EXPECT_EQ(ask(third, invite("", "CANCEL")), "481");
    EXPECT_EQ(ask(third, invite("", "ACK")), "");
}

TEST_F(Authenticated, CallsOfStrangers) {
    EXPECT_EQ(ask(elsewhere, invite("", "INVITE", "100@example.org")), "403");
    EXPECT_EQ(ask(elsewhere, invite("", "INVITE", "999@example.com")), "407")
        << "an unknown user is challenged like a known one";
    Phone eve{.user = "101", .password = "pw-101"};
    EXPECT_EQ(ask(elsewhere, invite()), "407");
    eve.nonce = nonce_of(seen);
    EXPECT_EQ(ask(elsewhere,
                  invite(eve.authorize("INVITE", "sip:+4930@example.com", "Proxy-Authorization"))),
              "403");
    EXPECT_EQ(ask(elsewhere, invite("", "CANCEL")), "481");
}

// --- guesses ---

constexpr admit::LimitPolicy kFew{.flow = {6000, 1000},
                                  .address = {6000, 1000},
                                  .phone = {60, 2},
                                  .guesses = {1, 3},
                                  .address_guesses = {1, 8}};

TEST_F(Authenticated, AGuesserAloneIsCutOff) {
    lay_with(policy(), kFew);
    Phone victim;
    EXPECT_EQ(log_in(victim, {}, home), "200");
    Phone eve{.password = "guess"};
    unsigned answered = 0;
    for (unsigned i = 0; i < 20; ++i) {
        eve.password = "guess" + std::to_string(i);
        eve.nonce = "";
        answered += log_in(eve, {.call_id = "eve"}, elsewhere).empty() ? 0 : 1;
    }
    EXPECT_EQ(answered, 3U);
    EXPECT_EQ(count(AuthResult::kGuessed), 17U);
    EXPECT_EQ(edge->drops(0, DropReason::kGuessing), 17U);
    eve = {};
    EXPECT_EQ(log_in(eve, {.call_id = "eve"}, elsewhere), "")
        << "the right password at last is not even looked at";
    EXPECT_EQ(log_in(victim, {.cseq = 2}, home), "200");
    Phone neighbour{.user = "101", .password = "pw-101"};
    EXPECT_EQ(log_in(neighbour, {.user = "101", .call_id = "n"}, elsewhere), "200")
        << "another user at that address";
    edge->pass_s(60);
    eve.nonce = "";
    EXPECT_EQ(log_in(eve, {.call_id = "eve", .cseq = 9}, elsewhere), "200");
}

// A registered phone behind the same gateway as a guesser is served on.
TEST_F(Authenticated, AKnownFlowIsExempt) {
    lay_with(policy(), kFew);
    Phone victim;
    EXPECT_EQ(log_in(victim, {}, home), "200");
    Phone eve{.password = "guess"};
    const net::Flow beside = from(kNat, 1);
    for (unsigned i = 0; i < 6; ++i) {
        eve.nonce = "";
        (void)log_in(eve, {.call_id = "eve"}, beside);
    }
    EXPECT_GT(edge->drops(0, DropReason::kGuessing), 0U);
    EXPECT_EQ(log_in(victim, {.cseq = 2}, home), "200");
    // A registration of her own doesn't allow a guesser to guess at other users.
    Phone own{.user = "101", .password = "pw-101"};
    EXPECT_EQ(log_in(own, {.user = "101", .call_id = "own"}, beside), "200");
    EXPECT_EQ(ask(beside, Register{.user = "101", .call_id = "own", .cseq = 2}.text()), "401");
    Phone both{.user = "100", .password = "guess", .nonce = nonce_of(seen)};
    EXPECT_EQ(log_in(both, {.user = "101", .call_id = "own", .cseq = 3}, beside), "");
}

// A proxy forwards for many phones: one that guesses must not lock out the others.
TEST_F(Authenticated, AProxyOfOursIsExempt) {
    registrar::RegistrarPolicy registrar;
    registrar.path_peers = {address("67.194.24.55")};
    lay_with(policy(), kFew, 1, registrar);
    Phone eve{.password = "guess"};
    for (unsigned i = 0; i < 20; ++i) {
        eve.nonce = "";
        EXPECT_EQ(log_in(eve, {.call_id = "eve"}, elsewhere), "401");
    }
    EXPECT_EQ(count(AuthResult::kWrong), 20U);
    Phone victim;
    EXPECT_EQ(log_in(victim, {}, elsewhere), "200");
}

// Guesses in one burst are limited as if they came one after the other.
TEST_F(Authenticated, GuessesInOneBurst) {
    lay_with(policy(), kFew);
    EXPECT_EQ(ask(elsewhere, Register{}.text()), "401");
    const std::string nonce = nonce_of(seen);
    for (unsigned i = 0; i < 20; ++i) {
        Phone eve{.password = "guess" + std::to_string(i), .nonce = nonce};
        Register request{.call_id = "eve" + std::to_string(i)};
        request.extra = eve.authorize("REGISTER", "sip:example.com");
        edge->put(0, elsewhere, request.text());
    }
    (void)edge->round(0);
    EXPECT_EQ(edge->sent(0).size(), 3U);
    EXPECT_EQ(count(AuthResult::kWrong), 3U);
}

// The worker is overloaded just so long that it refuses requests without credentials and no others
// yet.
TEST_F(Authenticated, UnderOverloadRequestsWithCredentialsGoFirst) {
    lay({.refuse_when_overloaded = true, .auth = policy()});
    edge->subscribe(subscribers.get());
    EXPECT_EQ(ask(home, Register{}.text()), "401");
    Phone phone{.nonce = nonce_of(seen)};
    constexpr unsigned kMs =
        (admit::Pressure::kGrace_us + 2 * admit::Pressure::kRise_us) / 1000 - 1;
    for (unsigned ms = 0; ms < kMs; ++ms) {
        for (unsigned i = 0; i < kMaxBurst; ++i) {
            edge->put(0, elsewhere, invite("", "OPTIONS"));
        }
        edge->pass_ms(1);
        (void)edge->round(0);
        (void)edge->sent(0);
    }
    const auto refused = [&](Refused group) {
        return edge->counters(0).refused[static_cast<std::size_t>(group)].get();
    };
    for (std::uint16_t i = 0; i < 60; ++i) {
        const net::Flow flow = from(kNat, static_cast<std::uint16_t>(40'000 + i));
        Register request{.call_id = "c" + std::to_string(i)};
        (void)ask(flow, request.text());
        phone.nc = i;
        request.extra = phone.authorize("REGISTER", "sip:example.com");
        request.contact = "";
        EXPECT_EQ(ask(flow, request.text()), "200");
    }
    EXPECT_NEAR(refused(Refused::kUnproven), 40, 2) << "one in three of all";
    EXPECT_EQ(refused(Refused::kNewcomer), 0U);
}

// A worker accepts the nonces of all workers, and knows which of them were used.
TEST_F(Authenticated, AmongWorkers) {
    lay_with(policy(), {.enabled = false}, 2);
    const std::string user = "100";
    Phone phone;
    Register request;
    EXPECT_EQ(ask(home, request.text(), 0), "401");
    phone.nonce = nonce_of(seen);
    request.extra = phone.authorize("REGISTER", "sip:example.com");
    edge->put(1, elsewhere, request.text());
    edge->settle();
    const auto answers = edge->sent(1);
    ASSERT_EQ(answers.size(), 1U);
    EXPECT_TRUE(answers[0].text.starts_with("SIP/2.0 200"));
    EXPECT_EQ(ask(home, request.text(), 0), "401");
    EXPECT_TRUE(seen.has("stale=true"));
}

// Another phone comes to the flow (nat/takeover.h). Addresses can be forged, passwords can't. And
// even a subscriber who forges an address can't displace a phone that has just answered a ping.
TEST_F(Authenticated, OnlyAPasswordDisplacesAContact) {
    Phone phone;
    first_login(phone);
    edge->pass_s(60);
    const auto is_suspect = [&] { return (contact("100").state.flags & table::kSuspect) != 0; };
    const Register other{
        .user = "101", .call_id = "c101", .contact = "<sip:101@192.168.1.20:5060>"};
    EXPECT_EQ(ask(home, other.text()), "401");
    EXPECT_FALSE(is_suspect());
    Phone guesser{.user = "101", .password = "wrong", .nonce = nonce_of(seen)};
    Register guess = other;
    guess.extra = guesser.authorize("REGISTER", "sip:example.com");
    EXPECT_EQ(ask(home, guess.text()), "401");
    EXPECT_FALSE(is_suspect());
    EXPECT_EQ(contacts("101"), 0U);
    const table::ContactId id = contact("100").id;
    Phone owner{.user = "101", .password = "pw-101"};
    const auto answered_ms_ago = [&](std::uint32_t ms) {
        edge->qualify().write_control(
            id.slot, {.generation = id.generation,
                      .state = table::Reach::kReachable,
                      .flags = table::QualifyView::kEverAnswered,
                      .last_ping_ms = static_cast<std::uint32_t>(edge->now().ms) - ms});
    };
    answered_ms_ago(20'000);
    EXPECT_EQ(log_in(owner, other, home), "200");
    EXPECT_FALSE(is_suspect());
    Register gone = other;
    gone.cseq = 2;
    gone.expires = "0";
    EXPECT_EQ(log_in(owner, gone, home), "200");
    EXPECT_EQ(contacts("101"), 0U);
    answered_ms_ago(40'000);
    Register back = other;
    back.cseq = 3;
    EXPECT_EQ(log_in(owner, back, home), "200");
    EXPECT_TRUE(is_suspect());
    EXPECT_EQ(edge->counters(0).displaced.get(), 1U);
}

}  // namespace
}  // namespace pinhole::edge::test
