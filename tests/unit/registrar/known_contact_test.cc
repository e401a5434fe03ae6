// SPDX-License-Identifier: BSD-3-Clause
// A Contact that is stored already is read by comparing, without a look at its grammar: what comes
// of it must be what the whole reading would have given, and nothing else must pass for it.
#include "tests/unit/registrar/request_text.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

namespace pinhole::registrar {
namespace {

const std::string kInstance = ";+sip.instance=\"<urn:uuid:00000000-0000-1000-8000-AABBCCDDEEFF>\"";

// A REGISTER whose Contact headers' values are these, with `more` lines.
std::string register_text(const std::vector<std::string>& contacts, const std::string& more = {}) {
    std::string out =
        "REGISTER sip:example.com SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\n"
        "From: <sip:a@example.com>;tag=1\r\nTo: <sip:a@example.com>\r\nCall-ID: c\r\n"
        "CSeq: 7 REGISTER\r\n" +
        more;
    for (const std::string& contact : contacts) {
        out += "Contact: " + contact + "\r\n";
    }
    return out + "\r\n";
}

struct Read {
    explicit Read(std::string wire, const table::Record* known = nullptr) : text(std::move(wire)) {
        sip::Identity identity;
        EXPECT_TRUE(identity.add_domain("example.com"));
        EXPECT_EQ(sip::parse(text, message), sip::ParseError::kOk);
        const RegistrarPolicy policy;
        const ReadContext context{policy, identity, test_hash(), {}};
        verdict = read_whose(message, {}, context, whose);
        EXPECT_EQ(verdict, Verdict::kOk);
        verdict = read_contacts(message, context, known, whose, request);
    }

    [[nodiscard]] bool is_in_packet(std::string_view view) const {
        return view.empty() || (view.data() >= text.data() &&
                                view.data() + view.size() <= text.data() + text.size());
    }

    std::string text;
    sip::Message message;
    Whose whose;
    RegisterRequest request;
    Verdict verdict;
};

// As the table would store what a REGISTER asked for.
class Stored {
  public:
    explicit Stored(const RegisterRequest& request) : memory_(16384) {
        table::RecordBuilder builder(memory_.data(), memory_.size(), 1, "a@example.com",
                                     request.count);
        for (std::uint32_t i = 0; i < request.count; ++i) {
            const RequestedContact& asked = request.contacts[i];
            table::NewContact contact;
            contact.uri = asked.uri;
            contact.params = asked.params;
            contact.instance = asked.instance;
            contact.reg_id = asked.reg_id;
            builder.add({i, 1}, contact);
        }
        record_ = builder.record();
    }
    [[nodiscard]] const table::Record* record() const { return record_; }

  private:
    std::vector<std::uint64_t> memory_;
    const table::Record* record_;
};

void expect_same(const Read& known, const Read& whole) {
    ASSERT_EQ(known.verdict, whole.verdict) << known.text;
    if (whole.verdict != Verdict::kOk) {
        return;
    }
    ASSERT_EQ(known.request.count, whole.request.count) << known.text;
    EXPECT_EQ(known.request.star, whole.request.star);
    EXPECT_EQ(known.request.gruu, whole.request.gruu);
    EXPECT_EQ(known.request.outbound, whole.request.outbound);
    for (std::size_t i = 0; i < whole.request.count; ++i) {
        const RequestedContact& a = known.request.contacts[i];
        const RequestedContact& b = whole.request.contacts[i];
        EXPECT_EQ(a.uri, b.uri);
        EXPECT_EQ(a.params, b.params);
        EXPECT_EQ(a.instance, b.instance);
        EXPECT_EQ(a.reg_id, b.reg_id);
        EXPECT_EQ(a.expires_s, b.expires_s) << known.text;
        EXPECT_EQ(a.q, b.q);
    }
}

// All forms in which it comes, beside every form that is stored.
const std::vector<std::vector<std::string>> kForms{
    {"<sip:100@192.168.1.10:5060>"},
    {"sip:100@192.168.1.10:5060"},
    {"<sip:100@192.168.1.10:5060>;expires=300"},
    {"<sip:100@192.168.1.10:5060>;expires=0"},
    {"<sip:100@192.168.1.10:5060>;expires=30"},
    {"<sip:100@192.168.1.10:5060>;expires=99999999999"},
    {"<sip:100@192.168.1.10:5060>;expires=x"},
    {"<sip:100@192.168.1.10:5060>;expires="},
    {"<sip:100@192.168.1.10:5060>;expires=300;q=0.5"},
    {"<sip:100@192.168.1.10:5060>;EXPIRES=300"},
    {"<sip:100@192.168.1.10:5060>;q=0.5"},
    {"<sip:100@192.168.1.10:5060>" + kInstance},
    {"<sip:100@192.168.1.10:5060>" + kInstance + ";reg-id=1"},
    {"<sip:100@192.168.1.10:5060>" + kInstance + ";reg-id=1;expires=300"},
    {"<sip:100@192.168.1.10:5060>;expires=300" + kInstance + ";reg-id=1"},
    {"<sip:100@192.168.1.10:5060> " + kInstance},
    {"\"Me\" <sip:100@192.168.1.10:5060>"},
    {"<sip:100@192.168.1.10:5060>;x=\"a,b;expires=0\""},
    {"<sip:100@192.168.1.10:5060>, <sip:100@192.168.1.10:5062>"},
    {"<sip:100@192.168.1.10:5060>", "<sip:100@192.168.1.10:5062>"},
    {"<sip:100@192.168.1.10:5060>" + kInstance, "<sip:101@192.168.1.10:5062>"},
    {"<sip:100@192.168.1.10:5060>", "<sip:100@192.168.1.10:5060>;expires=0"},
    {"<sip:100@192.168.1.10:5060;x=1>"},
    {"<sip:100@192.168.1.10:5060"},
    {"sip:100@192.168.1.10:5060>"},
    {"*"},
};

TEST(KnownContact, ReadsAsItWouldWithoutARecord) {
    std::size_t known_forms = 0;
    for (const auto& stored_form : kForms) {
        const Read stored(register_text(stored_form));
        if (stored.verdict != Verdict::kOk || stored.request.count == 0) {
            continue;
        }
        ++known_forms;
        const Stored record(stored.request);
        for (const auto& asked : kForms) {
            for (const std::string more :
                 {"", "Expires: 120\r\n", "Supported: gruu, outbound\r\n"}) {
                const std::string text = register_text(asked, more);
                expect_same(Read(text, record.record()), Read(text));
            }
        }
    }
    EXPECT_GT(known_forms, 12U);
}

TEST(KnownContact, PointsIntoThePacketNeverIntoTheRecord) {
    const std::string text =
        register_text({"<sip:100@192.168.1.10:5060>" + kInstance + ";reg-id=1"});
    const Read first(text);
    const Stored record(first.request);
    const Read again(text, record.record());
    const RequestedContact& contact = again.request.contacts[0];
    EXPECT_TRUE(again.is_in_packet(contact.uri));
    EXPECT_TRUE(again.is_in_packet(contact.params)) << "copied: it was not taken as known";
    EXPECT_TRUE(again.is_in_packet(contact.instance));
    EXPECT_EQ(contact.instance, "<urn:uuid:00000000-0000-1000-8000-AABBCCDDEEFF>");
}

}  // namespace
}  // namespace pinhole::registrar
