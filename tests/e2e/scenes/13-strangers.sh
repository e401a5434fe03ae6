#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# What the edge answers for itself, and that it relays for nobody but the core.
# shellcheck source=tests/e2e/scene.sh
. "$(dirname "$0")/../scene.sh"

# request METHOD URI [HEADER...]: a request from phone2, where no one is registered; prints the answer.
request() {
    local method=$1 uri=$2 version=${SIP_VERSION:-SIP/2.0} to=$2
    shift 2
    [ "$method" != REGISTER ] || to=sip:eve@$DOMAIN
    count=$((${count:-0} + 1))
    {
        printf '%s %s %s\n' "$method" "$uri" "$version"
        printf 'Via: SIP/2.0/UDP {ip}:{port};rport;branch=z9hG4bKask%s%s\n' "$count" "$RANDOM"
        printf 'From: <sip:eve@example.com>;tag=%s\nTo: <%s>\n' "$RANDOM" "$to"
        printf 'Call-ID: ask-%s-%s\nCSeq: 1 %s\nMax-Forwards: 70\n' "$count" "$RANDOM" "$method"
        [ $# = 0 ] || printf '%s\n' "$@"
        printf 'Content-Length: 0\n\n'
    } | lab_exec phone2 "$ROOT/tests/e2e/ask" "${ASK_ADDRESS:-$EDGE4}" 2>/dev/null || echo "no answer"
}

# expect WHAT STATUS HEADER REQUEST...: the answer has the status, and the header unless it is empty.
expect() {
    local what=$1 status=$2 header=$3 answer
    shift 3
    answer=$(request "$@")
    [[ $answer == "SIP/2.0 $status "* ]] || fail "$what got '$(head -n 1 <<<"$answer")', not $status"
    [ -z "$header" ] || grep -qi "^$header:" <<<"$answer" || fail "$what: the $status has no $header"
}

lab_home 60
edge_config
edge_start
phone_start phone1 alice
us=sip:$EDGE4

expect "OPTIONS to the edge" 200 "" OPTIONS "$us"
ASK_ADDRESS=$EDGE6 expect "OPTIONS to the edge by IPv6" 200 "" OPTIONS "sip:[$EDGE6]"
expect "SUBSCRIBE to the edge" 405 Allow SUBSCRIBE "$us"
expect "OPTIONS with a strange Require" 420 Unsupported OPTIONS "$us" "Require: telepathy"
SIP_VERSION=SIP/3.0 expect "SIP/3.0" 505 "" OPTIONS "$us"
expect "two Call-IDs" 400 "" OPTIONS "$us" "Call-ID: another"
expect "a REGISTER for too short a time" 423 Min-Expires REGISTER "sip:$DOMAIN" "Contact: <sip:eve@10.0.0.9>" "Expires: 1"
check "the answer lacks what NAT made of the source" grep -q "received=67.194.23.55" <<<"$(request OPTIONS "$us")"

# Strangers' calls, and a response that we never asked for.
for uri in "sip:alice@$DOMAIN" "sip:alice@192.168.1.10" "sip:alice@$(binding alice far_end)"; do
    # No answer at all would do as well: what counts is that nothing is relayed.
    answer=$(request INVITE "$uri" "Contact: <sip:eve@{ip}:{port}>" | sed -n 1p) || true
    check "a stranger's INVITE to $uri got '$answer'" not grep -q "^SIP/2.0 [12]" <<<"$answer"
done
printf '%s\n' "SIP/2.0 200 OK" "Via: SIP/2.0/UDP $EDGE4;branch=z9hG4bKforged" \
    "Via: SIP/2.0/UDP $(binding alice far_end);branch=z9hG4bKvictim" "From: <sip:a@b>;tag=1" \
    "To: <sip:c@d>;tag=2" "Call-ID: forged" "CSeq: 1 INVITE" "Content-Length: 0" "" |
    lab_exec phone2 "$ROOT/tests/e2e/ask" "$EDGE4" >/dev/null 2>&1 && fail "a forged response was answered"
check "a stranger's call rang" not phone_saw phone1 rings 1
check "something forged reached the phone" not grep -q "forged" "$LAB_DIR/phone1.messages"
check "after all that a real call failed" core_call call alice
