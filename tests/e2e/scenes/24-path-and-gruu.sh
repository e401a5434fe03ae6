#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# A proxy stands before a phone and adds a Path (RFC 3327): calls go back through it, by a Route, and it
# is not pinged. From an address that is no path peer the same Path is worth nothing. Two phones of one
# AOR are told their GRUUs (RFC 5627), and the core reaches each by them, and not the other.
# shellcheck source=tests/e2e/scene.sh
. "$(dirname "$0")/../scene.sh"

# proxy_start PROXY HOST: a machine at 192.0.2.HOST in the wide net.
proxy_start() {
    lab_namespace "$1"
    lab_link "$1" eth0 net "$1"
    lab_address "$1" eth0 "192.0.2.$2/24"
    lab_address net "$1" "192.0.2.$(($2 + 100))/24"
    lab_route "$1" default via "192.0.2.$(($2 + 100))"
}

lab_home 30
proxy_start proxy 5
edge_config 'registrar_keys=path_peers = ["192.0.2.5"]'
edge_start

# --- Path
phone_start proxy alice scenario="$SIPP_DIR/path_proxy.xml"
route="<sip:flow1@192.0.2.5:5060;lr>"
check "alice's Path is '$(binding alice path)'" binding_is alice path "$route"
check "alice is at '$(binding alice far_end)'" binding_is alice far_end 192.0.2.5:5060
check "the call to alice failed" core_call call alice
check "the call to alice did not ring behind the proxy" rang proxy
check "the proxy's INVITE had no Route" grep -q "^Route: $route" "$LAB_DIR/proxy.messages"
check "the INVITE's URI is not the phone's Contact" \
    grep -q "^INVITE sip:alice@192.168.7.10:5060 SIP/2.0" "$LAB_DIR/proxy.messages"
phone_start phone2 bob
check_soon 15 "bob is not pinged" phone_saw phone2 pinged 2
check "the proxy was pinged" not phone_saw proxy pinged 1

# The same Path from elsewhere: required, it is refused.
answer=$(printf '%s\n' "REGISTER sip:$DOMAIN SIP/2.0" "Via: SIP/2.0/UDP {ip}:{port};rport;branch=z9hG4bKx" \
    "Path: <sip:flow1@192.0.2.5:5060;lr>" "Require: path" "From: <sip:carol@$DOMAIN>;tag=1" \
    "To: <sip:carol@$DOMAIN>" "Call-ID: carol" "CSeq: 1 REGISTER" "Contact: <sip:carol@10.0.0.9>" \
    "Max-Forwards: 70" "Content-Length: 0" "" | lab_exec phone1 "$ROOT/tests/e2e/ask" "$EDGE4") || true
check "a stranger's Path got '$(head -n 1 <<<"$answer")'" grep -q "^SIP/2.0 420 " <<<"$answer"
check "carol is registered" [ "$(binding_count carol)" = 0 ]

# --- GRUU
# gruu_of PHONE KIND: the URI that its last 200 has told for its own address.
gruu_of() {
    grep "^Contact: <sip:dave@$(address_of "$1" eth0 4):" "$LAB_DIR/$1.messages" |
        sed -n "s/.*;$2=\"sip:\([^\"]*\)\".*/\1/p" | tail -n 1
}
# call_gruu URI-WITHOUT-SCHEME SCENARIO
call_gruu() { core_call "$2" "${1%%@*}" domain="${1#*@}"; }
forget() { edge_ctl remove "$1@$DOMAIN" "$2" >/dev/null; }

phone_stop phone2
phone_start phone1 dave scenario="$SIPP_DIR/phone_gruu.xml"
phone_start phone2 dave scenario="$SIPP_DIR/phone_gruu.xml"
check "dave's two phones are $(binding_count dave)" [ "$(binding_count dave)" = 2 ]
for phone in phone1 phone2; do
    other=phone$((3 - ${phone#phone}))
    for kind in pub-gruu temp-gruu; do
        gruu=$(gruu_of "$phone" "$kind")
        check "$phone was told no $kind" [ -n "$gruu" ]
        check "the call to $gruu failed" call_gruu "$gruu" call
        check "the call to $gruu did not ring at $phone" rang "$phone"
        check "the call to $gruu rang at $other" not rang "$other"
    done
    check "$phone's temp-gruu $gruu says whose it is" not grep -q dave <<<"$gruu"
done
away=$(gruu_of phone2 pub-gruu)
check "phone2 could not be removed" forget dave "$(binding dave id | tail -n 1)"
check "a call for the phone that is away was not refused" call_gruu "$away" call_refused
check "it was not refused with 480" grep -q "^refused 480" "$CALL_LOG"
check "the call for phone2 rang at phone1" not rang phone1
