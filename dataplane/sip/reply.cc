// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/sip/reply.h"

#include "dataplane/sip/name_addr.h"
#include "dataplane/sip/text.h"

#include <array>

namespace pinhole::sip {
namespace {

// A header as it came where that is safe, else on one line with the long name.
void copy_header(const Message& request, std::uint8_t i, Writer& out) {
    if (request.plain()) {
        out.text(request.header_line(i));
        return;
    }
    out.text(header_name(request.id(i))).text(": ").unfolded(request.value(i)).text("\r\n");
}

void copy_first(const Message& request, HeaderId id, Writer& out) {
    copy_header(request, request.first_index(id), out);
}

// All Vias in order (RFC 3261 §8.2.6.2), the top one saying where the packet came from.
bool write_vias(const Message& request, const ReplyVia& from, Writer& out) {
    const Via* top = request.top_via();
    if (top == nullptr) {
        return false;
    }
    out.text("Via: ");
    write_received_via(*top, from, out, request.plain());
    std::uint8_t i = request.first_index(HeaderId::kVia);
    const std::string_view value = request.value(i);
    // Behind the comma.
    const auto end = static_cast<std::size_t>(top->text.data() + top->text.size() - value.data());
    if (const std::string_view rest = trim_front(value.substr(end)); rest.size() > 1) {
        out.text(", ").unfolded(trim_front(rest.substr(1)), request.plain());
    }
    out.text("\r\n");
    while ((i = request.next_index(HeaderId::kVia, i)) != kNoHeader) {
        copy_header(request, i, out);
    }
    return true;
}

void write_to(const Message& request, std::string_view tag, Writer& out) {
    const NameAddr* to = request.to_address();
    // A To that can't be read is repeated as it is: what would be added might not be a parameter.
    if (tag.empty() || to == nullptr || !to->tag.empty()) {
        copy_first(request, HeaderId::kTo, out);
        return;
    }
    out.text("To: ").unfolded(request.to(), request.plain()).text(";tag=").text(tag).text("\r\n");
}

constexpr struct {
    unsigned code;
    std::string_view phrase;
} kPhrases[] = {
    {200, "OK"},
    {100, "Trying"},
    {180, "Ringing"},
    {183, "Session Progress"},
    {202, "Accepted"},
    {302, "Moved Temporarily"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {407, "Proxy Authentication Required"},
    {408, "Request Timeout"},
    {413, "Request Entity Too Large"},
    {414, "Request-URI Too Long"},
    {415, "Unsupported Media Type"},
    {416, "Unsupported URI Scheme"},
    {420, "Bad Extension"},
    {421, "Extension Required"},
    {423, "Interval Too Brief"},
    {430, "Flow Failed"},
    {439, "First Hop Lacks Outbound Support"},
    {440, "Max-Breadth Exceeded"},
    {480, "Temporarily Unavailable"},
    {481, "Call/Transaction Does Not Exist"},
    {482, "Loop Detected"},
    {483, "Too Many Hops"},
    {484, "Address Incomplete"},
    {486, "Busy Here"},
    {487, "Request Terminated"},
    {489, "Bad Event"},
    {500, "Server Internal Error"},
    {501, "Not Implemented"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
    {504, "Server Time-out"},
    {505, "Version Not Supported"},
    {513, "Message Too Large"},
    {600, "Busy Everywhere"},
    {603, "Decline"},
    {604, "Does Not Exist Anywhere"},
    {606, "Not Acceptable"},
};

}  // namespace

void write_received_via(const Via& via, const ReplyVia& from, Writer& out, bool plain) {
    out.text("SIP/").text(via.version).character('/').text(via.transport).character(' ');
    out.unfolded(via.sent_by, plain);
    std::string_view left = via.params;
    for (std::size_t i = 0; i < via.told_count; ++i) {
        const Via::Told& told = via.told[i];
        const auto before = static_cast<std::size_t>(told.text.data() - left.data());
        out.unfolded(left.substr(0, before + (told.is_keep ? told.text.size() : 0)), plain);
        if (told.is_keep && from.keep_s != 0) {
            out.character('=').number(from.keep_s);
        }
        left.remove_prefix(before + told.text.size());
    }
    out.unfolded(left, plain).text(";received=").address(from.source);
    if (via.has_rport || from.add_rport) {
        out.text(";rport=").number(from.source_port);
    }
}

bool write_reply(const Message& request, const Reply& reply, Writer& out) {
    if (!request.answerable()) {
        return false;
    }
    out.text("SIP/2.0 ").number(reply.code).character(' ');
    if (reply.reason.empty()) {
        out.text(reason_phrase(reply.code));
    } else {
        out.clean(reply.reason);
    }
    out.text("\r\n");
    if (!write_vias(request, reply.via, out)) {
        return false;
    }
    copy_first(request, HeaderId::kFrom, out);
    write_to(request, reply.to_tag, out);
    copy_first(request, HeaderId::kCallId, out);
    copy_first(request, HeaderId::kCSeq, out);
    out.text(reply.extra_headers).text("Content-Length: 0\r\n\r\n");
    return !out.overflow();
}

std::string_view reason_phrase(unsigned code) {
    for (const auto& [known, phrase] : kPhrases) {
        if (known == code) {
            return phrase;
        }
    }
    // RFC 3261 §8.1.3.2: an unknown code is its class's x00.
    constexpr std::array<std::string_view, 7> kClasses{"",
                                                       "Trying",
                                                       "OK",
                                                       "Multiple Choices",
                                                       "Bad Request",
                                                       "Server Internal Error",
                                                       "Busy Everywhere"};
    return code / 100 < kClasses.size() ? kClasses[code / 100] : std::string_view{};
}

}  // namespace pinhole::sip
