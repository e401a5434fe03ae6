// SPDX-License-Identifier: BSD-3-Clause
#include "tests/fuzz/exercise.h"

#include "dataplane/sip/credentials.h"
#include "dataplane/sip/elements.h"
#include "dataplane/sip/name_addr.h"
#include "dataplane/sip/reply.h"
#include "dataplane/sip/uri.h"
#include "dataplane/sip/via.h"

#include <array>
#include <cstdlib>
#include <functional>

namespace pinhole::sip::fuzz {
namespace {

void require(bool promise) {
    if (!promise) {
        std::abort();
    }
}

void require_inside(std::string_view part, std::string_view whole) {
    const std::less_equal<const char*> before;
    require(part.empty() || (before(whole.data(), part.data()) &&
                             before(part.data() + part.size(), whole.data() + whole.size())));
}

void require_no_control(std::string_view text) {
    for (const char c : text) {
        require(static_cast<unsigned char>(c) > ' ' && c != 0x7f);
    }
}

// Every variant sees the same lines.
void exercise_scan(std::string_view input) {
    Lines reference;
    scan_variants().front().scan(input, reference);
    for (const ScanVariant& variant : scan_variants().subspan(1)) {
        Lines lines;
        variant.scan(input, lines);
        require(lines.count == reference.count && lines.complete == reference.complete &&
                lines.too_many == reference.too_many && lines.stray_cr == reference.stray_cr &&
                lines.plain == reference.plain && lines.body == reference.body);
        for (std::size_t i = 0; i < lines.count; ++i) {
            require(lines.start[i] == reference.start[i] && lines.colon[i] == reference.colon[i]);
        }
    }
}

void exercise_headers(const Message& message) {
    std::size_t at = message.line_offset(0);
    for (std::size_t i = 0; i < message.header_count(); ++i) {
        require_inside(message.header_line(i), message.datagram);
        require_inside(message.name(i), message.header_line(i));
        require_inside(message.value(i), message.header_line(i));
        require(message.line_offset(i) == at);  // the lines are all there is, without a gap
        at += message.header_line(i).size();
    }
}

void exercise_values(const Message& message) {
    for (const HeaderId id : {HeaderId::kVia, HeaderId::kContact, HeaderId::kRoute}) {
        Elements elements(message, id);
        std::string_view element;
        while (elements.next(element)) {
            require_inside(element, message.datagram);
            exercise_via(element);
            exercise_name_addr(element);
        }
    }
    exercise_name_addr(message.from());
    exercise_name_addr(message.to());
    exercise_uri(message.request_uri);
    exercise_credentials(message.first(HeaderId::kAuthorization));
    (void)expires_of(message);
    (void)lists_token(message, HeaderId::kSupported, "path");
}

}  // namespace

void exercise_message(std::string_view input) {
    exercise_scan(input.substr(0, kMaxDatagram));
    Message message;
    const ParseError error = parse(input, message);
    require(error < ParseError::kCount);
    exercise_headers(message);
    if (error != ParseError::kOk) {
        return;
    }
    require(message.has(HeaderId::kVia) && message.has(HeaderId::kCSeq));
    require(message.cseq < 0x80000000u);
    require(message.status == 0 ? message.is_request : !message.is_request);
    require_inside(message.body(), input);
    require_no_control(message.request_uri);
    require_no_control(message.call_id());
    exercise_values(message);
}

void exercise_uri(std::string_view input) {
    Uri uri;
    if (!parse_uri(input, uri)) {
        return;
    }
    require_no_control(input);
    require_inside(uri.user, input);
    require_inside(uri.host, input);
    require_inside(uri.params, input);
    require_inside(uri.headers, input);
    require(!uri.is_sip() || !uri.host.empty());
    (void)uri.has_param("lr");
    std::array<char, 64> plain;
    (void)unescape(uri.user, plain.data(), plain.size());
    std::array<char, kMaxAor> first;
    const auto aor = canonical_aor(uri, first.data());
    if (!aor) {
        return;
    }
    // The canonical form is its own canonical form, and one '@' splits it.
    require_no_control(*aor);
    require(aor->find('@') == aor->rfind('@'));
    std::array<char, kMaxAor + 4> text;
    Writer writer(text.data(), text.size());
    writer.text("sip:").text(*aor);
    Uri again;
    std::array<char, kMaxAor> second;
    require(parse_uri(writer.view(), again));
    const auto same = canonical_aor(again, second.data());
    // Near the bound an escape needs room that its longer spelling did not have.
    require(same ? *same == *aor : aor->size() > kMaxAor - 4);
}

void exercise_via(std::string_view input) {
    Via via;
    if (!parse_via(input, via)) {
        return;
    }
    require_inside(via.text, input);
    require_inside(via.host, input);
    require_inside(via.branch, input);
    static std::array<char, 70000> text;
    Writer out(text.data(), text.size());
    write_received_via(via, {net::Address::v4(0xc0000201), 40000, true}, out);
    Via again;
    require(parse_via(out.view(), again));
    require(again.received == "192.0.2.1" && again.rport == 40000 && again.host == via.host &&
            again.port == via.port);
    const bool folded = via.branch.find_first_of("\r\n") != std::string_view::npos;
    require(folded || again.branch == via.branch);
}

void exercise_name_addr(std::string_view input) {
    NameAddr address;
    if (!parse_name_addr(input, address, true) || address.star) {
        return;
    }
    require_inside(address.uri.text, input);
    require_inside(address.params, input);
    require_no_control(address.uri.text);
    require_inside(address.tag, input);
    const ContactParams params = contact_params(address);
    require(!params.q || *params.q <= 1000);
    require_inside(params.instance, input);
    exercise_uri(address.uri.text);
}

void exercise_credentials(std::string_view input) {
    Credentials credentials;
    if (read_credentials(input, credentials) != CredentialsRead::kOk) {
        return;
    }
    for (const std::string_view part :
         {credentials.username, credentials.realm, credentials.nonce, credentials.uri,
          credentials.response, credentials.algorithm, credentials.cnonce, credentials.qop,
          credentials.nc}) {
        require_inside(part, input);
        for (const char c : part) {
            require(static_cast<unsigned char>(c) >= ' ' && c != 0x7f);
        }
    }
    std::array<char, 32> room;
    const auto plain = unescape_quoted(credentials.username, room.data(), room.size());
    require(!plain || plain->size() <= credentials.username.size());
    // Written anew, they are read the same.
    static std::array<char, 70000> text;
    Writer out(text.data(), text.size());
    out.text("Digest nc=\"").text(credentials.nc).text("\",username=\"");
    out.text(credentials.username).text("\",uri=\"").text(credentials.uri).text("\"");
    Credentials again;
    // A text without quotes may have what must be escaped within them.
    const auto quotable = [](std::string_view part) {
        return part.find_first_of("\"\\") == std::string_view::npos;
    };
    if (!quotable(credentials.nc) || !quotable(credentials.username) ||
        !quotable(credentials.uri) || out.overflow()) {
        return;
    }
    require(read_credentials(out.view(), again) == CredentialsRead::kOk);
    require(again.nc == credentials.nc && again.username == credentials.username &&
            again.uri == credentials.uri);
}

void exercise_reply(std::string_view input) {
    Message request;
    (void)parse(input, request);
    static std::array<char, 70000> text;
    Writer out(text.data(), text.size());
    const Reply reply{.code = 400,
                      .reason = reason_of(ParseError::kBadHeader),
                      .via = {net::Address::v4(0xc0000201), 40000},
                      .to_tag = "t",
                      .extra_headers = "Server: pinhole\r\n"};
    if (!write_reply(request, reply, out)) {
        return;
    }
    // No line of the answer is another's than those we meant to write.
    std::size_t vias = 1;
    for (auto i = request.first_index(HeaderId::kVia);
         (i = request.next_index(HeaderId::kVia, i)) != kNoHeader;) {
        ++vias;
    }
    const std::size_t meant = 1 + vias + 4 + 1 + 1;
    if (meant > kMaxLines) {
        return;  // of nothing but Vias: the answer has two lines more than can be read again
    }
    Lines lines;
    scan_lines(out.view().substr(0, kMaxDatagram), lines);
    require(lines.plain && lines.complete && lines.body == out.size());
    require(lines.count == meant);
}

}  // namespace pinhole::sip::fuzz
