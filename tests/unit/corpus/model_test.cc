// SPDX-License-Identifier: BSD-3-Clause
// Random REGISTERs, good and bad, from several phones of several AORs through the registrar's
// stages, held against the plain model of RFC 3261 §10.3 (model.h): after each the answer's code,
// its contacts and what the table holds. Seeded: what fails, fails again.
#include "tests/unit/corpus/model.h"

#include "tests/unit/corpus/edge.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <map>
#include <random>
#include <string>
#include <vector>

namespace pinhole::corpus {
namespace {

using registrar::FullAor;
using registrar::RegistrarPolicy;
using registrar::TooBrief;

constexpr unsigned kSequences = 150;
constexpr unsigned kSteps = 120;

class Dice {
  public:
    explicit Dice(std::uint64_t seed) : engine_(seed) {}
    unsigned below(unsigned n) { return static_cast<unsigned>(engine_() % n); }
    bool percent(unsigned p) { return below(100) < p; }
    template <class T, std::size_t N>
    const T& of(const T (&choices)[N]) {
        return choices[below(N)];
    }

  private:
    std::mt19937_64 engine_;
};

struct Number {
    const char* text;
    std::optional<std::uint32_t> value;  // none: absent, or not to be read
};

// Text and meaning of a REGISTER are made side by side.
struct Sample {
    Register meant;
    std::string text;
};

class Phones {
  public:
    explicit Phones(Dice& dice) : dice_(dice) {}

    const Sample& next() {
        if (last_.text.empty() || !dice_.percent(6)) {  // now and then the same once more
            make();
        }
        return last_;
    }

  private:
    static constexpr const char* kAors[] = {"alice", "bob"};
    // Several spellings a device: equal by RFC 3261 §19.1.4.
    static constexpr const char* kUris[3][2] = {
        {"sip:line@192.168.1.10:5060", "SIP:%6cine@192.168.1.10:5060"},
        {"sip:line@192.168.1.11:5060;ob", "sip:line@192.168.1.11:5060;OB"},
        {"sip:192.168.1.12;transport=udp", "sip:192.168.1.12;Transport=UDP"},
    };
    static constexpr const char* kInstances[] = {"<urn:uuid:00000000-0000-1000-8000-000000000001>",
                                                 "<urn:uuid:00000000-0000-1000-8000-000000000002>"};
    static constexpr Number kExpires[] = {
        {"0", 0},     {"0", 0},     {"59", 59},     {"60", 60},
        {"90", 90},   {"600", 600}, {"3600", 3600}, {"99999999999", 0xffffffff},
        {"soon", {}}, {"-1", {}},
    };
    static constexpr Number kQ[] = {
        {"1", 1000}, {"0.5", 500}, {"0.305", 305}, {"0.0", 0}, {"2", {}}};

    void make() {
        Register& meant = last_.meant;
        meant = {};
        const std::string user = dice_.of(kAors);
        meant.aor = user + "@example.com";
        meant.call_id = "call-" + std::to_string(dice_.below(3));
        meant.cseq = next_cseq(meant.aor + meant.call_id);
        meant.flow =
            route::flow(World::kEdge, 5060, dice_.percent(70) ? "67.194.23.55" : "67.194.23.56",
                        static_cast<std::uint16_t>(dice_.percent(70) ? 32947 : 40001));
        if (dice_.percent(8)) {
            meant.defect = static_cast<Register::Defect>(1 + dice_.below(5));
        }
        std::string headers;
        if (dice_.percent(60)) {
            const Number& expires = dice_.of(kExpires);
            meant.expires = expires.value;
            headers += std::string("Expires: ") + expires.text + "\r\n";
        }
        const unsigned kind = dice_.below(100);
        if (kind < 7) {
            star(headers);
        } else {
            const unsigned count = kind < 12 ? 0 : kind < 75 ? 1 : kind < 92 ? 2 : 3;
            for (unsigned i = 0; i < count; ++i) {
                contact(headers);
            }
        }
        write(user, headers);
    }

    // Mostly the next; or the last, an older one, or as after a restart.
    std::uint32_t next_cseq(const std::string& dialog) {
        std::uint32_t& last = cseqs_[dialog];
        const unsigned kind = dice_.below(100);
        if (kind < 80) {
            return ++last;
        }
        if (kind < 88) {
            return last;
        }
        return kind < 97 ? last - std::min(last, 1 + dice_.below(3)) : (last = 1);
    }

    void star(std::string& headers) {
        last_.meant.contacts.push_back({.kind = Asked::Kind::kStar});
        headers += "Contact: *\r\n";
        if (dice_.percent(60) && last_.meant.expires != 0U) {
            const std::size_t at = headers.find("Expires: ");
            if (at != std::string::npos) {
                headers.erase(at, headers.find("\r\n", at) + 2 - at);
            }
            last_.meant.expires = 0;
            headers += "Expires: 0\r\n";
        }
        if (dice_.percent(10)) {
            contact(headers);
        }
    }

    void contact(std::string& headers) {
        Asked asked;
        asked.device = dice_.below(std::size(kUris));
        asked.uri = kUris[asked.device][dice_.percent(15) ? 1 : 0];
        std::string params;
        if (dice_.percent(30)) {
            asked.instance = dice_.of(kInstances);
            asked.params = ";+sip.instance=\"" + asked.instance + "\"";
            if (dice_.percent(40)) {
                asked.reg_id = 1 + dice_.below(2);
                asked.params += ";reg-id=" + std::to_string(asked.reg_id);
            }
        }
        params = asked.params;
        if (dice_.percent(50)) {
            const Number& expires = dice_.of(kExpires);
            asked.expires = expires.value;
            params += std::string(";expires=") + expires.text;
        }
        if (dice_.percent(40)) {
            const Number& q = dice_.of(kQ);
            asked.q = q.value;
            params += std::string(";q=") + q.text;
        }
        std::string uri = asked.uri;
        if (dice_.percent(3)) {
            asked.kind = dice_.percent(50) ? Asked::Kind::kUnreadable : Asked::Kind::kNoSip;
            uri = asked.kind == Asked::Kind::kNoSip ? "tel:+4930123" : "sip:";
        }
        last_.meant.contacts.push_back(asked);
        // In a header of its own, or in one list.
        const bool joins = headers.ends_with(">\r\n") || dice_.percent(50);
        const std::size_t at = headers.rfind("Contact: <");
        if (joins && at != std::string::npos && headers.find("\r\n", at) + 2 == headers.size()) {
            headers.resize(headers.size() - 2);
            headers += ", <" + uri + ">" + params + "\r\n";
        } else {
            headers += "Contact: <" + uri + ">" + params + "\r\n";
        }
    }

    // With room in it for an answer that lists all contacts.
    void write(const std::string& user, const std::string& headers) {
        const Register& meant = last_.meant;
        const auto has = [&](Register::Defect defect) { return meant.defect == defect; };
        const std::string domain =
            has(Register::Defect::kForeignTo) ? "elsewhere.net" : "example.com";
        last_.text =
            "REGISTER sip:example.com SIP/2.0\r\n"
            "Via: SIP/2.0/UDP 192.168.1.10:5060;branch=z9hG4bK" +
            std::to_string(++branch_) + ";rport\r\n";
        last_.text += has(Register::Defect::kUnreadableFrom)
                          ? "From: <sip:a b>;tag=1\r\n"
                          : "From: <sip:me@example.com>;tag=1\r\n";
        last_.text += has(Register::Defect::kUnreadableTo)
                          ? std::string("To: <sip:\r\n")
                          : "To: <sip:" + user + "@" + domain + ">\r\n";
        last_.text += "Call-ID: " + meant.call_id + "\r\n";
        last_.text += "CSeq: " + std::to_string(meant.cseq) +
                      (has(Register::Defect::kCSeqMethod) ? " OPTIONS\r\n" : " REGISTER\r\n");
        last_.text += has(Register::Defect::kRequire) ? "Require: teleport\r\n" : "";
        last_.text += headers + "X-Room: " + std::string(2000, '.') + "\r\n\r\n";
    }

    using World = route::World;

    Dice& dice_;
    Sample last_;
    std::map<std::string, std::uint32_t> cseqs_;
    unsigned branch_ = 0;
};

std::string q_text(std::optional<std::uint16_t> q) {
    static const std::map<unsigned, std::string> texts{{0, "0.0"}, {305, "0.305"}, {500, "0.5"}};
    return q.value_or(1000) == 1000 ? "" : ";q=" + texts.at(*q);
}

std::vector<std::string> sorted(std::vector<std::string> texts) {
    std::sort(texts.begin(), texts.end());
    return texts;
}

class Held {
  public:
    Held(const RegistrarPolicy& policy, std::uint64_t seed)
        : dice_(seed), phones_(dice_), model_(edge_.policy) {
        edge_.policy = policy;
    }

    void step() {
        pass_time();
        const Sample& sample = phones_.next();
        SCOPED_TRACE(sample.text.substr(0, sample.text.find("X-Room")));
        const route::Sent sent = edge_.take(sample.text, sample.meant.flow);
        const unsigned code = model_.take(sample.meant, now_ms());
        ASSERT_TRUE(sent.replied(code)) << "instead of " << code << ":\n" << sent.text;
        ++codes_[code];
        expect_answer(sample.meant, sent);
        expect_table(sample.meant.aor);
    }

    [[nodiscard]] const std::map<unsigned, unsigned>& codes() const { return codes_; }
    [[nodiscard]] unsigned in_place() const { return in_place_; }

  private:
    [[nodiscard]] std::uint64_t now_ms() const { return edge_.now_us / 1000; }
    [[nodiscard]] std::uint32_t now_s() const {
        return static_cast<std::uint32_t>(now_ms() / 1000);
    }

    void pass_time() {
        const unsigned kind = dice_.below(100);
        const unsigned most_ms = kind < 60   ? 3'000
                                 : kind < 90 ? 40'000
                                 : kind < 98 ? 400'000
                                             : 9'000'000;
        edge_.now_us += std::uint64_t{dice_.below(most_ms)} * 1000;
    }

    void expect_answer(const Register& meant, const route::Sent& sent) {
        std::vector<std::string> contacts;
        if (sent.decision.code == 200) {
            in_place_ += edge_.last_was_in_place() ? 1 : 0;
            for (const Bound& b : model_.bindings(meant.aor, now_ms())) {
                contacts.push_back(
                    "<" + b.contact.uri + ">" + b.contact.params + q_text(b.contact.q) +
                    ";expires=" + std::to_string(std::max(b.expires_at_s - now_s() - 1, 1U)));
            }
        }
        EXPECT_EQ(sorted(sent.values(sip::HeaderId::kContact)), sorted(contacts));
        EXPECT_EQ(sent.decision.code == 423, sent.has("\r\nMin-Expires: 60\r\n"));
        EXPECT_EQ(sent.decision.code == 420, sent.has("\r\nUnsupported: teleport\r\n"));
        EXPECT_EQ(sent.decision.flow, meant.flow);
    }

    void expect_table(const std::string& aor) {
        const std::vector<Bound> bound = model_.bindings(aor, now_ms());
        const table::Record* record = edge_.table->find(edge_.table->hash()(aor), aor);
        std::size_t n = 0;
        for (std::size_t i = 0; record != nullptr && i < record->contact_count(); ++i) {
            table::ContactView view;
            ASSERT_TRUE(record->read(i, view));
            if (view.state.expires_at_s <= now_s()) {
                continue;
            }
            ASSERT_LT(n, bound.size()) << view.uri;
            const Bound& b = bound[n++];
            EXPECT_EQ(view.uri, b.contact.uri);
            EXPECT_EQ(view.params, b.contact.params);
            EXPECT_EQ(view.params.instance(), b.contact.instance);
            EXPECT_EQ(view.reg_id, b.contact.reg_id);
            EXPECT_EQ(view.registered_at_s, b.registered_at_s);
            EXPECT_EQ(view.state.flow, b.flow);
            EXPECT_EQ(view.state.q, b.contact.q.value_or(1000));
            EXPECT_EQ(view.state.cseq, b.cseq);
            EXPECT_EQ(view.state.call_id_hash, edge_.table->hash()(b.call_id));
            EXPECT_EQ(view.state.expires_at_s, b.expires_at_s);
            EXPECT_EQ(view.state.refreshed_at_ms, static_cast<std::uint32_t>(b.refreshed_ms));
        }
        EXPECT_EQ(n, bound.size());
    }

    Dice dice_;
    Phones phones_;
    Edge edge_;
    Model model_;
    std::map<unsigned, unsigned> codes_;
    unsigned in_place_ = 0;
};

TEST(Model, RandomRegistersMeetTheRegistrarAsTheModel) {
    std::map<unsigned, unsigned> codes;
    unsigned in_place = 0;
    for (unsigned seed = 0; seed < kSequences && !testing::Test::HasFailure(); ++seed) {
        RegistrarPolicy policy;
        policy.max_contacts_per_aor = static_cast<std::uint8_t>(2 + seed % 4);
        policy.too_brief = seed % 3 == 0 ? TooBrief::kRaise : TooBrief::kReject;
        policy.full_aor = seed % 2 == 0 ? FullAor::kReplace : FullAor::kReject;
        Held held(policy, seed);
        for (unsigned step = 0; step < kSteps && !testing::Test::HasFailure(); ++step) {
            SCOPED_TRACE("sequence " + std::to_string(seed) + ", step " + std::to_string(step));
            held.step();
        }
        for (const auto& [code, count] : held.codes()) {
            codes[code] += count;
        }
        in_place += held.in_place();
    }
    // Nothing of what it is about has been missed by chance.
    for (const unsigned code : {200U, 400U, 403U, 404U, 420U, 423U, 500U}) {
        EXPECT_GT(codes[code], 100U) << code;
    }
    EXPECT_GT(in_place, 500U);
}

}  // namespace
}  // namespace pinhole::corpus
