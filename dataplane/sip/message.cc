// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/sip/message.h"

#include "dataplane/sip/elements.h"
#include "dataplane/sip/text.h"

#include <cstring>

namespace pinhole::sip {
namespace {

constexpr std::string_view kVersion = "SIP/2.0";

constexpr std::uint64_t bit(HeaderId id) {
    return std::uint64_t{1} << static_cast<unsigned>(id);
}
static_assert(kHeaderIdCount <= 64, "a set of headers is a word");

// A second one of these lets two elements on the way read two different messages (RFC 4475 §3.3.8).
constexpr std::uint64_t kOnlyOnce = bit(HeaderId::kFrom) | bit(HeaderId::kTo) |
                                    bit(HeaderId::kCallId) | bit(HeaderId::kCSeq) |
                                    bit(HeaderId::kMaxForwards);
constexpr std::uint64_t kMandatory = bit(HeaderId::kVia) | bit(HeaderId::kFrom) |
                                     bit(HeaderId::kTo) | bit(HeaderId::kCallId) |
                                     bit(HeaderId::kCSeq);

void clear(Message& message) {
    message.is_request = false;
    message.method = Method::kOther;
    message.status = 0;
    message.method_text = message.request_uri = message.reason = {};
    message.cseq = 0;
    message.max_forwards = Message::kNoMaxForwards;
    message.content_length = 0;
    message.datagram = {};
    message.lines.count = 1;  // no header
    message.lines.start[0] = message.lines.start[1] = 0;
    message.lines.body = 0;
    message.lines.plain = false;
    message.first_of.fill(kNoHeader);
    message.repeated = bit(HeaderId::kOther);  // not looked at: any number of them may be there
    message.asked_ = message.good_ = 0;
}

// Not empty, no control character and no space; `last` is the highest byte allowed (DEL never is).
bool all_graphic(std::string_view text, std::uint8_t last) {
    std::uint8_t bad = text.empty() ? 1 : 0;
    for (const char c : text) {  // without an exit, so that it is done 16 bytes at a time
        const auto byte = static_cast<std::uint8_t>(c);
        bad = static_cast<std::uint8_t>(bad | (byte <= ' ') | (byte == 0x7f) | (byte > last));
    }
    return bad == 0;
}

// What stands before the start line (RFC 3261 §7.5); NULs and CRLFs alone are a keepalive.
ParseError skip_leading(std::string_view& datagram) {
    std::size_t i = 0;
    while (i < datagram.size() && (datagram[i] == '\r' || datagram[i] == '\n')) {
        ++i;
    }
    datagram.remove_prefix(i);
    if (datagram.empty()) {
        return ParseError::kKeepalive;
    }
    if (is(datagram.front(), kToken)) [[likely]] {
        return ParseError::kOk;
    }
    const bool noise =
        datagram.find_first_not_of(std::string_view("\0\r\n", 3)) == std::string_view::npos;
    return noise ? ParseError::kKeepalive : ParseError::kNotSip;
}

// "SIP/2.0 200 OK"
ParseError parse_status_line(std::string_view line, Message& message) {
    std::string_view rest = line.substr(kVersion.size());
    if (rest.size() < 4 || rest[0] != ' ' || (rest.size() > 4 && rest[4] != ' ')) {
        return ParseError::kBadStartLine;
    }
    Decimal status;
    if (!parse_decimal(rest.substr(1, 3), 699, status) || status.overflow || status.value < 100) {
        return ParseError::kBadStartLine;
    }
    message.status = static_cast<std::uint16_t>(status.value);
    message.reason = rest.size() > 5 ? rest.substr(5) : std::string_view{};
    return ParseError::kOk;
}

// "REGISTER sip:example.com SIP/2.0": one space each, no white space after it (RFC 3261 §7.1).
ParseError parse_request_line(std::string_view line, Message& message) {
    const std::size_t last = line.rfind(' ');
    const std::size_t first = line.find(' ');
    if (first == std::string_view::npos) {
        return ParseError::kNotSip;
    }
    const std::string_view version = line.substr(last + 1);
    const bool sip = starts_with_ci(version, "SIP/");
    message.method_text = line.substr(0, first);
    message.method = method_of(message.method_text);
    if (message.method == Method::kOther && !all(message.method_text, kToken)) {
        return ParseError::kNotSip;
    }
    // With white space behind it, or a word more, it is SIP gone wrong; else another protocol.
    if (!sip && line.find(" SIP/") == std::string_view::npos) {
        return ParseError::kNotSip;
    }
    message.is_request = true;
    if (!sip) {
        return ParseError::kBadStartLine;
    }
    if (!equals_ci(version, kVersion)) {
        return ParseError::kBadVersion;
    }
    if (last == first) {
        return ParseError::kBadStartLine;
    }
    message.request_uri = line.substr(first + 1, last - first - 1);
    // Nothing that could end the line or start another part of it; parse_uri() does the rest.
    return all_graphic(message.request_uri, 0xff) ? ParseError::kOk : ParseError::kBadStartLine;
}

ParseError parse_start_line(Message& message) {
    std::string_view line = message.start_line();
    line.remove_suffix(1);  // the scan ended it at a LF
    if (!line.empty() && line.back() == '\r') {
        line.remove_suffix(1);
    }
    if (line.find('\n') != std::string_view::npos) {
        return ParseError::kNotSip;  // a "folded" start line
    }
    const bool response = line.size() > kVersion.size() && starts_with_ci(line, kVersion);
    return response ? parse_status_line(line, message) : parse_request_line(line, message);
}

// A name that no header of ours has must still be one; one of ours needs no such look.
bool name_header(Message& message, std::size_t i, std::uint64_t& seen) {
    Lines& lines = message.lines;
    const std::size_t start = lines.start[i + 1];
    if (lines.colon[i + 1] == kNoColon) [[unlikely]] {
        lines.colon[i + 1] = static_cast<std::uint16_t>(lines.start[i + 2] - 1);  // an empty value
        message.ids[i] = static_cast<std::uint8_t>(HeaderId::kOther);
        return false;
    }
    const std::string_view name = message.name(i);
    const HeaderId id = header_id(name, message.datagram.size() - start);
    message.ids[i] = static_cast<std::uint8_t>(id);
    if (id == HeaderId::kOther) {
        return all(name, kToken);
    }
    std::uint8_t& first = message.first_of[static_cast<std::size_t>(id)];
    if (first == kNoHeader) {
        first = static_cast<std::uint8_t>(i);
    }
    message.repeated |= seen & bit(id);
    seen |= bit(id);
    return true;
}

ParseError parse_cseq(Message& message) {
    const std::string_view value = message.first(HeaderId::kCSeq);
    std::size_t digits = 0;
    while (digits < value.size() && is(value[digits], kDigit)) {
        ++digits;
    }
    const std::string_view method = trim_front(value.substr(digits));
    Decimal number;
    if (!parse_decimal(value.substr(0, digits), 0x7fffffff, number) || number.overflow ||
        method.size() == value.size() - digits || method.empty()) {
        return ParseError::kBadCSeq;
    }
    message.cseq = number.value;
    if (message.is_request) {
        return method == message.method_text ? ParseError::kOk : ParseError::kBadCSeq;
    }
    if (!all(method, kToken)) {
        return ParseError::kBadCSeq;
    }
    message.method_text = method;
    message.method = method_of(method);
    return ParseError::kOk;
}

ParseError parse_max_forwards(Message& message) {
    Decimal number;
    if (!parse_decimal(message.first(HeaderId::kMaxForwards), 255, number) || number.overflow) {
        return ParseError::kBadMaxForwards;
    }
    message.max_forwards = static_cast<std::uint16_t>(number.value);
    return ParseError::kOk;
}

// Over UDP (RFC 3261 §18.3): what is missing ends with the datagram, what is shorter leaves the
// rest out.
ParseError parse_content_length(Message& message) {
    const std::size_t there = message.datagram.size() - message.lines.body;
    message.content_length = static_cast<std::uint16_t>(there);
    std::uint8_t i = message.first_index(HeaderId::kContentLength);
    if (i == kNoHeader) {
        return ParseError::kOk;
    }
    Decimal number;
    if (!parse_decimal(message.value(i), kMaxDatagram + 1, number)) {
        return ParseError::kBadContentLength;
    }
    while ((i = message.next_index(HeaderId::kContentLength, i)) != kNoHeader) {
        Decimal other;
        if (!parse_decimal(message.value(i), kMaxDatagram + 1, other) ||
            other.value != number.value) {
            return ParseError::kBadContentLength;
        }
    }
    if (number.value > there) {
        return ParseError::kBodyTooShort;
    }
    message.content_length = static_cast<std::uint16_t>(number.value);
    return ParseError::kOk;
}

ParseError missing(std::uint64_t seen) {
    constexpr struct {
        HeaderId id;
        ParseError error;
    } kErrors[] = {{HeaderId::kVia, ParseError::kNoVia},
                   {HeaderId::kFrom, ParseError::kNoFrom},
                   {HeaderId::kTo, ParseError::kNoTo},
                   {HeaderId::kCallId, ParseError::kNoCallId},
                   {HeaderId::kCSeq, ParseError::kNoCSeq}};
    for (const auto& [id, error] : kErrors) {
        if ((seen & bit(id)) == 0) {
            return error;
        }
    }
    return ParseError::kOk;
}

ParseError check_values(Message& message, std::uint64_t seen) {
    if ((seen & kMandatory) != kMandatory) [[unlikely]] {
        return missing(seen);
    }
    if ((message.repeated & kOnlyOnce) != 0) [[unlikely]] {
        return ParseError::kDuplicateHeader;
    }
    if (!all_graphic(message.call_id(), 0x7e)) {
        return ParseError::kBadCallId;
    }
    ParseError error = parse_cseq(message);
    if (error == ParseError::kOk && message.has(HeaderId::kMaxForwards)) {
        error = parse_max_forwards(message);
    }
    if (error == ParseError::kOk) {
        error = parse_content_length(message);
    }
    return error;
}

ParseError broken_lines(const Lines& lines, bool names_good) {
    if (lines.too_many) {
        return ParseError::kTooManyHeaders;
    }
    if (!names_good || lines.stray_cr) {
        return ParseError::kBadHeader;
    }
    return lines.complete ? ParseError::kOk : ParseError::kNoEndOfHeaders;
}

}  // namespace

ParseError parse(std::string_view datagram, Message& message) {
    clear(message);
    if (datagram.size() > kMaxDatagram) {
        return ParseError::kTooLong;
    }
    if (const ParseError error = skip_leading(datagram); error != ParseError::kOk) {
        return error;
    }
    message.datagram = datagram;
    scan_lines(datagram, message.lines);
    if (message.lines.count == 0) {
        clear(message);
        return ParseError::kNotSip;
    }
    const ParseError start_error = parse_start_line(message);
    if (start_error == ParseError::kNotSip) {
        clear(message);
        return start_error;
    }
    std::uint64_t seen = 0;
    bool names_good = true;
    for (std::size_t i = 0; i < message.header_count(); ++i) {
        names_good &= name_header(message, i, seen);
    }
    if (start_error != ParseError::kOk) [[unlikely]] {
        return start_error;
    }
    if (const ParseError error = broken_lines(message.lines, names_good); error != ParseError::kOk)
        [[unlikely]] {
        return error;
    }
    return check_values(message, seen);
}

void Message::read(Part part) const {
    bool good = false;
    switch (part) {
        case kUri:
            good = parse_uri(request_uri, uri_);
            break;
        case kTopVia: {
            std::string_view rest = via();
            std::string_view element;
            good = next_element(rest, element) && parse_via(element, top_via_);
            break;
        }
        case kFromAddress:
            // A REGISTER's is the To's.
            good = is_request && to_address() != nullptr
                       ? parse_name_addr_like(from(), to_.uri, from_)
                       : parse_name_addr(from(), from_);
            break;
        case kToAddress:
            // A call's is the request URI, until somebody forwards it.
            good = is_request && uri() != nullptr ? parse_name_addr_like(to(), uri_, to_)
                                                  : parse_name_addr(to(), to_);
            break;
    }
    asked_ = static_cast<std::uint8_t>(asked_ | part);
    good_ = static_cast<std::uint8_t>(good_ | (good ? part : 0));
}

std::optional<std::uint32_t> expires_of(const Message& message) {
    return parse_expires(message.first(HeaderId::kExpires));
}

std::uint8_t Message::find_behind(HeaderId want, std::uint8_t i) const {
    const std::size_t count = header_count();
    for (std::size_t next = i + std::size_t{1}; next < count; ++next) {
        if (ids[next] == static_cast<std::uint8_t>(want)) {
            return static_cast<std::uint8_t>(next);
        }
    }
    return kNoHeader;
}

bool Message::answerable() const {
    return is_request && method != Method::kAck && has(HeaderId::kVia) && has(HeaderId::kFrom) &&
           has(HeaderId::kTo) && has(HeaderId::kCallId) && has(HeaderId::kCSeq);
}

std::string_view reason_of(ParseError error) {
    switch (error) {
        case ParseError::kBadStartLine:
            return "Bad Request Line";
        case ParseError::kBadVersion:
            return "Version Not Supported";
        case ParseError::kBadHeader:
            return "Bad Header Line";
        case ParseError::kTooManyHeaders:
            return "Too Many Headers";
        case ParseError::kNoEndOfHeaders:
            return "No End Of Headers";
        case ParseError::kDuplicateHeader:
            return "Header More Than Once";
        case ParseError::kBadCallId:
            return "Bad Call-ID";
        case ParseError::kBadCSeq:
            return "Bad CSeq";
        case ParseError::kBadMaxForwards:
            return "Bad Max-Forwards";
        case ParseError::kBadContentLength:
            return "Bad Content-Length";
        case ParseError::kBodyTooShort:
            return "Body Shorter Than Content-Length";
        default:
            return {};  // no answer: no SIP, or nothing to address it by
    }
}

unsigned status_of(ParseError error) {
    if (error == ParseError::kBadVersion) {
        return 505;
    }
    if (error == ParseError::kTooManyHeaders) {
        return 513;
    }
    return reason_of(error).empty() ? 0 : 400;
}

bool came_by_proxy(const Message& request) {
    Elements vias(request, HeaderId::kVia);
    std::string_view via;
    return vias.next(via) && vias.next(via);
}

}  // namespace pinhole::sip
