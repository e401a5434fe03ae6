#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Large calls: INVITEs of 8 KB with 24 Vias, and answers as large, from the core to phones and from
# phones to the core, by IPv4 and IPv6, over a link on the way whose MTU is smaller than both ends know.
# Routers cut IPv4 themselves; of IPv6 they say how much is too much, and pinhole heeds it. Every SDP
# arrives as it was sent.
# shellcheck source=tests/e2e/scene.sh
. "$(dirname "$0")/../scene.sh"

SMALL_MTU=1300

# enlarge FROM TO: the scenario with an SDP of some 5,000 bytes more, and 23 more Vias in an INVITE.
enlarge() {
    python3 - "$1" "$2" <<'PYTHON'
import sys

with open(sys.argv[1], encoding="utf-8") as file:
    text = file.read()
vias = "".join(f"Via: SIP/2.0/UDP 10.1.{hop}.1:5060;branch=z9hG4bK-hop{hop:02}-{'v' * 40};received=10.2.{hop}.1\n"
               for hop in range(23))
first = "branch=[branch]\n"
if "\nINVITE " in text:
    text = text.replace(first, first + vias, 1)
sdp = "".join(f"\na=note:{line:02} {'abcdefghij' * 6}" for line in range(75))
before, media, after = text.partition("RTP/AVP 0")
with open(sys.argv[2], "w", encoding="utf-8") as file:
    file.write(before + media + sdp + after)
PYTHON
}

# untouched SENDER RECEIVER BEGINNING BYTES: the last message that begins so and has a body is as long, at
# least, and its body has arrived byte for byte.
untouched() {
    local sent received
    sent=$("$ROOT/tests/e2e/bodies" "$LAB_DIR/$1.messages" sent "$3" | tail -n 1)
    received=$("$ROOT/tests/e2e/bodies" "$LAB_DIR/$2.messages" received "$3" | tail -n 1)
    [ -n "$sent" ] && [ "${sent#* }" = "${received#* }" ] && [ "${sent%% *}" -ge "$4" ]
}

# call_in PHONE USER FAMILY: from the core, and all that is large arrives whole.
call_in() {
    check "the core's call to $2 failed" core_call "$LAB_DIR/call.xml" "$2" family="$3"
    check "it did not ring at $1" rang "$1"
    check "the INVITE for $2 was touched" untouched "core-$CALL_COUNT" "$1" INVITE 8000
    check "the answer of $2 was touched" untouched "$1" "core-$CALL_COUNT" "SIP/2.0 200" 8000
}

# How often the latest call from the core sent its INVITE.
invites_sent() { "$ROOT/tests/e2e/bodies" "$LAB_DIR/core-$CALL_COUNT.messages" sent INVITE | wc -l; }

# core_address FAMILY
core_address() { if [ "$1" = 6 ]; then echo "$CORE6"; else echo "$CORE4"; fi; }

# call_out PHONE FAMILY CORE_FAMILY: from the socket by which the phone is registered, to the core's address
# of that family, its only one.
call_out() {
    local phone_pid core_pid
    phone_stop "$1"
    rm -f "$LAB_DIR/core.messages" "$LAB_DIR/$1-calls.messages"
    lab_spawn core "$LAB_DIR/core.screen" sipp -sf "$LAB_DIR/phone_answers.xml" -i "$(core_address "$3")" -p 5060 \
        -m 1 -nostdin -key user core -trace_logs -log_file "$LAB_DIR/core.log" \
        -trace_msg -message_file "$LAB_DIR/core.messages"
    core_pid=$LAB_PID
    lab_spawn "$1" "$LAB_DIR/$1-calls.screen" sipp "$(edge_address "$2"):5060" -sf "$LAB_DIR/call.xml" \
        -i "$(address_of "$1" eth0 "$2")" -p 5060 -m 1 -nostdin -d 200 -s someone -key domain "$DOMAIN" \
        -timeout 20s -timeout_error -trace_msg -message_file "$LAB_DIR/$1-calls.messages"
    phone_pid=$LAB_PID
    check "the call of $1 by IPv$2 to the core by IPv$3 failed" wait "$phone_pid"
    check "the core's side of $1's call by IPv$3 failed" wait "$core_pid"
    check "the INVITE of $1 was touched on its way to IPv$3" untouched "$1-calls" core INVITE 8000
    check "the answer to $1 was touched on its way from IPv$3" untouched core "$1-calls" "SIP/2.0 200" 8000
}

# edge_with_phones [setting=value...]: alice by IPv4, bob by IPv6.
edge_with_phones() {
    edge_config interval_s=1 check_interval_s=0 "$@" # SIPp at the core knows calls only
    edge_start
    phone_start phone1 alice answers="$LAB_DIR/phone_answers.xml"
    phone_start phone2 bob family=6 answers="$LAB_DIR/phone_answers.xml"
}

lab_home 60
ip -n "${LAB_PREFIX}net" link set gw1 mtu $SMALL_MTU
ip -n "${LAB_PREFIX}gw1" link set wan mtu $SMALL_MTU
# All that pinhole sends by IPv4 may be cut by routers.
lab_count net uncuttable "iifname edge ip protocol udp ip frag-off & 0x4000 != 0"
enlarge "$SIPP_DIR/call.xml" "$LAB_DIR/call.xml"
enlarge "$SIPP_DIR/phone_answers.xml" "$LAB_DIR/phone_answers.xml"

for driver in af_packet af_xdp; do
    edge_with_phones driver=$driver
    call_in phone1 alice 4
    check "IPv4 knows of a path's MTU, for which nobody was asked" [ "$(edge_metric pinhole_path_mtus)" = 0 ]
    call_in phone2 bob 6
    check "pinhole has not learned one path's MTU" [ "$(edge_metric pinhole_path_mtus)" = 1 ]
    # What was lost before it was learned has been sent again; from now on nothing is.
    check "the first INVITE was not lost: this scene shows nothing" [ "$(invites_sent)" -ge 2 ]
    call_in phone2 bob 6
    check "the second INVITE was sent $(invites_sent) times" [ "$(invites_sent)" = 1 ]
    phone_stop phone1
    phone_stop phone2
    lab_stop "$EDGE_PID" TERM
done

# From either phone to either address of the core.
for case in af_packet/4 af_xdp/6; do
    family=${case#*/}
    edge_with_phones driver="${case%/*}" peers="\"$(core_address "$family")\""
    call_out phone1 4 "$family"
    call_out phone2 6 "$family"
    lab_stop "$EDGE_PID" TERM
done
check "pinhole sent $(lab_counted net uncuttable) packets with DF" [ "$(lab_counted net uncuttable)" = 0 ]
