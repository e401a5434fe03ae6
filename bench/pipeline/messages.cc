// SPDX-License-Identifier: BSD-3-Clause
#include "bench/pipeline/messages.h"

#include "dataplane/auth/nonce.h"

#include <array>
#include <string>
#include <string_view>

namespace pinhole::io {

const Template kYealinkRegister{
    "REGISTER sip:example.com:5060 SIP/2.0\r\n"
    "Via: SIP/2.0/UDP 192.168.1.10:5060;branch=z9hG4bKCCCCCCCC;rport\r\n"
    "From: \"AAAAAAAA\" <sip:AAAAAAAA@example.com:5060>;tag=3187662412\r\n"
    "To: \"AAAAAAAA\" <sip:AAAAAAAA@example.com:5060>\r\n"
    "Call-ID: 0_1714AAAAAAAA@192.168.1.10\r\n"
    "CSeq: CCCCCCCC REGISTER\r\n"
    "Contact: "
    "<sip:AAAAAAAA@192.168.1.10:5060>;+sip.instance=\"<urn:uuid:00000000-0000-1000-8000-"
    "AAAAAAAA1714>\"\r\n"
    "Allow: INVITE, INFO, PRACK, ACK, BYE, CANCEL, OPTIONS, NOTIFY, REGISTER, SUBSCRIBE, REFER, "
    "PUBLISH, UPDATE, MESSAGE\r\n"
    "Max-Forwards: 70\r\n"
    "User-Agent: Yealink SIP-T46U 108.86.0.90\r\n"
    "Expires: 3600\r\n"
    "Allow-Events: talk,hold,conference,refer,check-sync,uaCSTA\r\n"
    "Mac: 80:5e:c0:11:22:33\r\n"
    "Line: 1\r\nX-Model: T46U\r\n"
    "Supported: replaces, 100rel, timer, path, privacy\r\n"
    "Content-Length: 0\r\n\r\n"};

const Template kGruuRegister{[] {
    constexpr std::string_view kPlain = "replaces, 100rel, timer, path, privacy";
    std::string text = kYealinkRegister.text();
    return text.replace(text.find(kPlain), kPlain.size(), "path, gruu, outbound, replaces, 100rel");
}()};

namespace {

Template with_digest(auth::Algorithm algorithm) {
    std::string text = kYealinkRegister.text();
    const std::string line =
        "Authorization: Digest username=\"AAAAAAAA\",realm=\"example.com\",nonce=\"" +
        std::string(auth::NonceText::kChars, 'N') + "\",uri=\"sip:example.com:5060\",response=\"" +
        std::string(2 * auth::hash_bytes(algorithm), 'R') +
        "\",algorithm=" + std::string(auth::name_of(algorithm)) +
        ",cnonce=\"0a4f113b\",nc=00000001,qop=auth\r\n";
    return Template(text.insert(text.find("Content-Length"), line));
}

}  // namespace

const Template& register_with_digest(auth::Algorithm algorithm) {
    static const std::array kAll{with_digest(auth::Algorithm::kMd5),
                                 with_digest(auth::Algorithm::kSha256)};
    return kAll[static_cast<std::size_t>(algorithm)];
}

const Template kYealinkFetch{[] {
    std::string text = kYealinkRegister.text();
    return text.replace(text.find("Contact:"), 8, "X-Conta:");
}()};

const Template kCoreInvite{
    "INVITE sip:AAAAAAAA@example.com SIP/2.0\r\n"
    "Via: SIP/2.0/UDP 203.0.113.10:5060;branch=z9hG4bKCCCCCCCC;rport\r\n"
    "Max-Forwards: 70\r\n"
    "From: <sip:+4930123456@core.example.net>;tag=CCCCCCCC\r\n"
    "To: <sip:AAAAAAAA@example.com>\r\n"
    "Call-ID: CCCCCCCC@203.0.113.10\r\n"
    "CSeq: 1 INVITE\r\n"
    "Contact: <sip:203.0.113.10:5060>\r\n"
    "Content-Type: application/sdp\r\n"
    "Content-Length: 140\r\n\r\n" +
    std::string(
        "v=0\r\no=- 1 1 IN IP4 203.0.113.10\r\ns=-\r\nc=IN IP4 203.0.113.10\r\nt=0 0\r\n"
        "m=audio 20000 RTP/AVP 8 0 101\r\na=rtpmap:101 telephone-event/8000\r\na=ptime:20\r\n")
        .append(140, ' ')
        .substr(0, 140)};

const Template kStrangerOptions{
    "OPTIONS sip:AAAAAAAA@example.com SIP/2.0\r\n"
    "Via: SIP/2.0/UDP 192.168.1.10:5060;branch=z9hG4bKCCCCCCCC;rport\r\n"
    "Max-Forwards: 70\r\n"
    "From: <sip:AAAAAAAA@example.com>;tag=CCCCCCCC\r\n"
    "To: <sip:AAAAAAAA@example.com>\r\n"
    "Call-ID: CCCCCCCC@192.168.1.10\r\n"
    "CSeq: 1 OPTIONS\r\n"
    "User-Agent: as long as those of most phones are, so that an answer may go\r\n"
    "Content-Length: 0\r\n\r\n"};

}  // namespace pinhole::io
