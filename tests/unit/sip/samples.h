// SPDX-License-Identifier: BSD-3-Clause
// Messages that several tests of this folder (and the parse benchmark) start from.
#pragma once

#include <string>
#include <string_view>

namespace pinhole::sip::samples {

// As a Yealink phone behind a NAT sends it; addresses are RFC 1918's and the documentation's.
inline constexpr std::string_view kYealinkRegister =
    "REGISTER sip:example.com:5060 SIP/2.0\r\n"
    "Via: SIP/2.0/UDP 192.168.1.10:5060;rport;branch=z9hG4bK2887415863\r\n"
    "From: \"1001\" <sip:1001@example.com:5060>;tag=1846295110\r\n"
    "To: \"1001\" <sip:1001@example.com:5060>\r\n"
    "Call-ID: 0_3245693412@192.168.1.10\r\n"
    "CSeq: 2 REGISTER\r\n"
    "Contact: <sip:1001@192.168.1.10:5060>;+sip.instance=\"<urn:uuid:00000000-0000-1000-8000-"
    "001565a1b2c3>\";reg-id=1\r\n"
    "Allow: INVITE, INFO, PRACK, ACK, BYE, CANCEL, OPTIONS, NOTIFY, REGISTER, SUBSCRIBE, REFER, "
    "PUBLISH, UPDATE, MESSAGE\r\n"
    "Max-Forwards: 70\r\n"
    "User-Agent: Yealink SIP-T46S 66.86.0.15\r\n"
    "Expires: 3600\r\n"
    "Allow-Events: talk,hold,conference,refer,check-sync\r\n"
    "Supported: path, gruu, outbound, replaces, timer, 100rel, histinfo\r\n"
    "Mac: 00:15:65:a1:b2:c3\r\n"
    "Content-Length: 0\r\n"
    "\r\n";

// RFC 4475 §3.1.1.1, "A Short Tortuous INVITE": everything odd that is allowed, in one message.
inline constexpr std::string_view kTortuousInvite =
    "INVITE sip:vivekg@chair-dnrc.example.com;unknownparam SIP/2.0\r\n"
    "TO :\r\n"
    " sip:vivekg@chair-dnrc.example.com ;   tag    = 1918181833n\r\n"
    "from   : \"J Rosenberg \\\\\\\"\"       <sip:jdrosen@example.com>\r\n"
    "  ;\r\n"
    "  tag = 98asjd8\r\n"
    "MaX-fOrWaRdS: 0068\r\n"
    "Call-ID: wsinv.ndaksdj@192.0.2.1\r\n"
    "Content-Length   : 150\r\n"
    "cseq: 0009\r\n"
    "  INVITE\r\n"
    "Via  : SIP  /   2.0\r\n"
    " /UDP\r\n"
    "    192.0.2.2;branch=390skdjuw\r\n"
    "s :\r\n"
    "NewFangledHeader:   newfangled value\r\n"
    " continued newfangled value\r\n"
    "UnknownHeaderWithUnusualValue: ;;,,;;,;\r\n"
    "Content-Type: application/sdp\r\n"
    "Route:\r\n"
    " <sip:services.example.com;lr;unknownwith=value;unknown-no-value>\r\n"
    "v:  SIP  / 2.0  / TCP     spindle.example.com   ;\r\n"
    "  branch  =   z9hG4bK9ikj8  ,\r\n"
    " SIP  /    2.0   / UDP  192.168.255.111   ; branch=\r\n"
    " z9hG4bK30239\r\n"
    "m:\"Quoted string \\\"\\\"\" <sip:jdrosen@example.com> ; newparam =\r\n"
    "      newvalue ;\r\n"
    "  secondparam ; q = 0.33\r\n"
    "\r\n"
    "v=0\r\n"
    "o=mhandley 29739 7272939 IN IP4 192.0.2.3\r\n"
    "s=-\r\n"
    "c=IN IP4 192.0.2.4\r\n"
    "t=0 0\r\n"
    "m=audio 49217 RTP/AVP 0 12\r\n"
    "m=video 3227 RTP/AVP 31\r\n"
    "a=rtpmap:31 LPC\r\n";

// A request of the five headers that any must have, `more` among them, one body.
inline std::string request(std::string_view more = "", std::string_view body = "",
                           std::string_view start = "OPTIONS sip:example.com SIP/2.0",
                           std::string_view cseq = "1 OPTIONS") {
    std::string text(start);
    text += "\r\nVia: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK1\r\n";
    text += "From: <sip:a@example.com>;tag=1\r\nTo: <sip:b@example.com>\r\nCall-ID: c1\r\nCSeq: ";
    text += cseq;
    text += "\r\n";
    text += more;
    text += "\r\n";
    text += body;
    return text;
}

}  // namespace pinhole::sip::samples
