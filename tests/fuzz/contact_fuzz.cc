// SPDX-License-Identifier: BSD-3-Clause
// The input as the Contact of a REGISTER, with the lines behind it if it has any: what the
// registrar reads of it is within its bounds, can be written into an answer as it is, and is read
// the same from there.
#include "dataplane/registrar/register_request.h"
#include "dataplane/sip/name_addr.h"
#include "dataplane/sip/params.h"
#include "dataplane/sip/uri_compare.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>

namespace {

namespace sip = pinhole::sip;
namespace table = pinhole::table;
using pinhole::registrar::RegisterRequest;
using pinhole::registrar::RequestedContact;
using pinhole::registrar::Verdict;

void require(bool promise) {
    if (!promise) {
        std::abort();
    }
}

// As an answer has it; it stands for the same contact.
void read_again(const RequestedContact& contact) {
    const std::string line = "<" + std::string(contact.uri) + ">" + std::string(contact.params);
    std::string_view rest = line;
    std::string_view element;
    sip::NameAddr again;
    require(sip::next_element(rest, element) && rest.empty());
    require(sip::parse_name_addr(element, again) && again.uri.text == contact.uri);
    const sip::ContactParams params = sip::contact_params(again);
    require(params.instance == contact.instance && !params.q && !params.expires);
    require(contact.instance.empty() || params.reg_id == contact.reg_id);
    require(sip::same_uri(contact.uri, again.uri.text));
}

void exercise(const RegisterRequest& request, const pinhole::registrar::RegistrarPolicy& policy) {
    require(request.count <= request.contacts.size() && !(request.star && request.count != 0));
    for (std::size_t i = 0; i < request.count; ++i) {
        const RequestedContact& contact = request.contacts[i];
        require(contact.uri.size() <= table::kMaxUriBytes);
        require(contact.params.size() <= table::kMaxParamsBytes);
        require(contact.expires_s == 0 || (contact.expires_s >= policy.min_expires_s &&
                                           contact.expires_s <= policy.max_expires_s));
        require(contact.q <= 1000);
        for (const std::string_view text : {contact.uri, contact.params}) {
            require(text.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos);
        }
        read_again(contact);
        for (std::size_t other = 0; other < i; ++other) {
            require(!sip::same_uri(contact.uri, request.contacts[other].uri));
        }
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const pinhole::registrar::RegistrarPolicy policy;
    static const sip::Identity identity = [] {
        sip::Identity ours;
        require(ours.add_domain("example.com"));
        return ours;
    }();
    static const table::KeyedHash hash{std::array<std::byte, table::KeyedHash::kSeedBytes>{}};
    static const auto whose = std::make_unique<pinhole::registrar::Whose>();
    static const auto request = std::make_unique<RegisterRequest>();
    const std::string text =
        "REGISTER sip:example.com SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\n"
        "From: <sip:a@example.com>;tag=1\r\nTo: <sip:a@example.com>\r\nCall-ID: c\r\n"
        "CSeq: 1 REGISTER\r\nContact: " +
        std::string(reinterpret_cast<const char*>(data), size) + "\r\n\r\n";
    sip::Message message;
    const pinhole::registrar::ReadContext context{policy, identity, hash, {}};
    if (sip::parse(text, message) == sip::ParseError::kOk &&
        read_whose(message, {}, context, *whose) == Verdict::kOk &&
        read_contacts(message, context, nullptr, *whose, *request) == Verdict::kOk) {
        exercise(*request, policy);
    }
    return 0;
}
