#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Somebody behind the same gateway as a phone floods: the flooder is cut off, the phone is not.
# shellcheck source=tests/e2e/scene.sh
. "$(dirname "$0")/../scene.sh"

# request METHOD URI: as {n} of many.
request() {
    printf '%s\n' "$1 $2 SIP/2.0" "Via: SIP/2.0/UDP 192.168.1.11:5060;rport;branch=z9hG4bKflood{n}" \
        "From: <sip:eve@$DOMAIN>;tag={n}" "To: <$2>" "Call-ID: flood-{n}" "CSeq: 1 $1" \
        "Max-Forwards: 70" "User-Agent: so long that an answer is not much longer" "Content-Length: 0" ""
}

flood() { request "$1" "$2" | lab_exec phone2 "$ROOT/tests/e2e/flood" "$3" "$EDGE4"; }

dropped() { edge_http /metrics | sed -n "s/^pinhole_drops_total{core=\"0\",reason=\"$1\"} //p"; }

lab_home 60
edge_config extra='[limits]
flow_per_minute = 60
flow_burst = 50
phone_burst = 0'
edge_start
phone_start phone1 alice refresh_ms=500

read -r answers _ <<<"$(flood INVITE "sip:alice@$DOMAIN" 2000)"
check "$answers of 2000 requests were answered" [ "$answers" -le 60 ]
check "none was" [ "$answers" -ge 40 ]
check "$(dropped flow_limit) were dropped for their flow" [ "$(dropped flow_limit)" -ge 1900 ]
check "the flood rang at the phone" not phone_saw phone1 rings 1
check "the phone's call failed meanwhile" core_call call alice
before=$(phone_events phone1 registered)
check_soon 10 "the phone could not refresh any more" phone_saw phone1 registered $((before + 2))
