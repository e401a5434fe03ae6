// SPDX-License-Identifier: BSD-3-Clause
// A SIP message as views into its datagram: where each header is and what it is called, nothing
// copied, nothing allocated. What every message needs (start line, CSeq, Content-Length, the
// presence and number of the mandatory headers) is checked here. What most are asked for (request
// URI, top Via, From, To) is read when it is first asked for, and kept; all else is looked into by
// who needs it (elements.h, name_addr.h). A Message is valid as long as its datagram is. Pure; one
// thread a Message, since asking may write. Limits: 65,535 bytes, 96 headers.
#pragma once

#include "dataplane/sip/header_id.h"
#include "dataplane/sip/method.h"
#include "dataplane/sip/name_addr.h"
#include "dataplane/sip/scan.h"
#include "dataplane/sip/text.h"
#include "dataplane/sip/uri.h"
#include "dataplane/sip/via.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <type_traits>

namespace pinhole::sip {

enum class ParseError : std::uint8_t {
    kOk,
    kKeepalive,       // nothing, CRLFs or NULs: noise that keeps a pinhole open
    kNotSip,          // no SIP start line: counted and dropped
    kTooLong,         // more than kMaxDatagram
    kBadStartLine,    // looks like SIP, but isn't
    kBadVersion,      // another version than SIP/2.0
    kBadHeader,       // a header line without name or colon, or a CR that ends no line
    kTooManyHeaders,  // more than 96
    kNoEndOfHeaders,  // the empty line is missing: cut off
    kNoVia,
    kNoFrom,
    kNoTo,
    kNoCallId,
    kNoCSeq,
    kDuplicateHeader,  // From, To, Call-ID, CSeq or Max-Forwards twice: who reads which? (RFC 4475
                       // §3.3.8)
    kBadCallId,
    kBadCSeq,  // no number below 2^31 and method, or another method than the request's
    kBadMaxForwards,
    kBadContentLength,  // no number, or several that differ
    kBodyTooShort,      // Content-Length says more than the datagram holds (RFC 3261 §18.3)
    kCount
};
// The phrase for the answer ("Bad CSeq"); empty where nothing can be answered.
[[nodiscard]] std::string_view reason_of(ParseError error);
// 400 or 505 or 513; 0: drop.
[[nodiscard]] unsigned status_of(ParseError error);

inline constexpr std::uint8_t kNoHeader = 0xff;
inline constexpr std::size_t kMaxHeaders = kMaxLines - 1;

struct Message {
    // --- the start line ---
    bool is_request;
    Method method;                 // of a response: the CSeq's
    std::uint16_t status;          // of a response: 100 to 699; else 0
    std::string_view method_text;  // of a response: the CSeq's
    std::string_view request_uri;  // of a request, raw and unchecked: parse_uri() checks
    std::string_view reason;       // of a response

    // --- values that each message needs ---
    std::uint32_t cseq;            // below 2^31
    std::uint16_t max_forwards;    // 0 to 255; kNoMaxForwards where there is none
    std::uint16_t content_length;  // of the body, as it stands in this datagram

    static constexpr std::uint16_t kNoMaxForwards = 0xffff;

    // --- headers by index, in the order they came ---
    [[nodiscard]] std::size_t header_count() const { return lines.count - 1u; }
    [[nodiscard]] HeaderId id(std::size_t i) const { return static_cast<HeaderId>(ids[i]); }
    // The whole line with its line end (and folds): what a forwarder copies or leaves out.
    [[nodiscard]] std::string_view header_line(std::size_t i) const {
        return datagram.substr(line_offset(i), line_offset(i + 1) - line_offset(i));
    }
    // Offset of that line in `datagram`; of header_count(): of the empty line behind the last
    // header.
    [[nodiscard]] std::size_t line_offset(std::size_t i) const { return lines.start[i + 1]; }
    [[nodiscard]] std::string_view name(std::size_t i) const {
        const std::size_t start = lines.start[i + 1];
        std::size_t end = lines.colon[i + 1];
        while (end > start && (datagram[end - 1] == ' ' || datagram[end - 1] == '\t')) {
            --end;
        }
        return {datagram.data() + start, end - start};
    }
    // Without the white space around it. Folds inside stand as they came: the parsers take them for
    // white space, and Writer::unfolded() writes them out as one space.
    [[nodiscard]] std::string_view value(std::size_t i) const {
        const std::size_t start = lines.colon[i + 1] + std::size_t{1};
        return trim({datagram.data() + start, lines.start[i + 2] - start});
    }

    // --- headers by name ---
    // Index of the first one, or kNoHeader.
    [[nodiscard]] std::uint8_t first_index(HeaderId want) const {
        return first_of[static_cast<std::size_t>(want)];
    }
    [[nodiscard]] bool has(HeaderId want) const { return first_index(want) != kNoHeader; }
    // Empty where there is none.
    [[nodiscard]] std::string_view first(HeaderId want) const {
        const std::uint8_t i = first_index(want);
        return i == kNoHeader ? std::string_view{} : value(i);
    }
    // Index of the next one of the same name behind `i`, or kNoHeader.
    [[nodiscard]] std::uint8_t next_index(HeaderId want, std::uint8_t i) const {
        const bool again = (repeated >> static_cast<unsigned>(want) & 1) != 0;
        return again ? find_behind(want, i) : kNoHeader;
    }

    [[nodiscard]] std::string_view via() const {
        return first(HeaderId::kVia);
    }  // may hold several Vias
    [[nodiscard]] std::string_view from() const { return first(HeaderId::kFrom); }
    [[nodiscard]] std::string_view to() const { return first(HeaderId::kTo); }
    [[nodiscard]] std::string_view call_id() const { return first(HeaderId::kCallId); }

    // --- what most messages are asked for, read once ---
    // Null: there is none, or it can't be read.
    [[nodiscard]] const Uri* uri() const { return read_once(kUri) ? &uri_ : nullptr; }
    [[nodiscard]] const Via* top_via() const { return read_once(kTopVia) ? &top_via_ : nullptr; }
    [[nodiscard]] const NameAddr* from_address() const {
        return read_once(kFromAddress) ? &from_ : nullptr;
    }
    [[nodiscard]] const NameAddr* to_address() const {
        return read_once(kToAddress) ? &to_ : nullptr;
    }

    // --- the parts ---
    [[nodiscard]] std::string_view start_line() const {
        return datagram.substr(0, lines.start[1]);
    }  // with its end
    // From the first header line to the last, without the empty line.
    [[nodiscard]] std::string_view head() const {
        return datagram.substr(lines.start[1], lines.start[lines.count] - lines.start[1]);
    }
    [[nodiscard]] std::string_view body() const {
        return datagram.substr(lines.body, content_length);
    }
    // No fold, and CRLF everywhere: lines may be copied whole, several at once.
    [[nodiscard]] bool plain() const { return lines.plain; }

    // A request (not an ACK) with all that an answer must repeat: Via, From, To, Call-ID, CSeq.
    // Also after an error.
    [[nodiscard]] bool answerable() const;

    // --- storage; read by the functions above ---
    std::string_view datagram;  // from the start line on: leading CRLFs are skipped (RFC 3261 §7.5)
    Lines lines;
    std::array<std::uint8_t, kMaxHeaders> ids;
    std::array<std::uint8_t, kHeaderIdCount> first_of;
    std::uint64_t repeated;  // a bit a name (HeaderId) that stands more than once

    // --- of uri(), top_via(), from_address() and to_address() ---
    enum Part : std::uint8_t { kUri = 1, kTopVia = 2, kFromAddress = 4, kToAddress = 8 };
    [[nodiscard]] bool read_once(Part part) const {
        if ((asked_ & part) == 0) {
            read(part);
        }
        return (good_ & part) != 0;
    }
    void read(Part part) const;
    [[nodiscard]] std::uint8_t find_behind(HeaderId want, std::uint8_t i) const;
    mutable std::uint8_t asked_;  // a bit a part
    mutable std::uint8_t good_;   // those of them that could be read
    mutable Uri uri_;
    mutable Via top_via_;
    mutable NameAddr from_;
    mutable NameAddr to_;
};
static_assert(std::is_trivially_copyable_v<Message> && sizeof(Message) <= 1536);

// The Expires header of the message, if it has a readable one.
[[nodiscard]] std::optional<std::uint32_t> expires_of(const Message& message);

// More than one Via: a proxy stands between the sender of the request and us.
[[nodiscard]] bool came_by_proxy(const Message& request);

// Fills `message`, which needs no initial value. After an error it may be asked for answerable()
// and, if so, be answered with write_reply(); nothing else of it is to be trusted.
[[nodiscard]] ParseError parse(std::string_view datagram, Message& message);

}  // namespace pinhole::sip
