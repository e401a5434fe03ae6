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

# core_answers FAMILY: the core takes a call at that address of its.
core_answers() {
    local own=$CORE4
    [ "$1" = 4 ] || own=$CORE6
    lab_spawn core "$LAB_DIR/core$1.screen" sipp -sf "$LAB_DIR/phone_answers.xml" -i "$own" -p 5060 -m 1 -nostdin \
        -key user core -trace_logs -log_file "$LAB_DIR/core$1.log" \
        -trace_msg -message_file "$LAB_DIR/core$1.messages"
}

# call_out PHONE FAMILY: from the socket by which the phone is registered. Which of the core's addresses
# gets it is pinhole's choice.
call_out() {
    local phone_pid pids=() at=4
    phone_stop "$1"
    rm -f "$LAB_DIR"/core[46].messages
    for family in 4 6; do
        core_answers $family
        pids[family]=$LAB_PID
    done
    lab_spawn "$1" "$LAB_DIR/$1-calls.screen" sipp "$(edge_address "$2"):5060" -sf "$LAB_DIR/call.xml" \
        -i "$(address_of "$1" eth0 "$2")" -p 5060 -m 1 -nostdin -d 200 -s someone -key domain "$DOMAIN" \
        -timeout 20s -timeout_error -trace_msg -message_file "$LAB_DIR/$1-calls.messages"
    phone_pid=$LAB_PID
    check "the call of $1 failed" wait "$phone_pid"
    grep -q "^INVITE" "$LAB_DIR/core4.messages" || at=6
    lab_stop "${pids[10 - at]}" KILL
    check "the core's side of $1's call failed" wait "${pids[at]}"
    check "the INVITE of $1 was touched" untouched "$1-calls" "core$at" INVITE 8000
    check "the answer to $1 was touched" untouched "core$at" "$1-calls" "SIP/2.0 200" 8000
}

lab_home 60
ip -n "${LAB_PREFIX}net" link set gw1 mtu $SMALL_MTU
ip -n "${LAB_PREFIX}gw1" link set wan mtu $SMALL_MTU
# All that pinhole sends by IPv4 may be cut by routers.
lab_count net uncuttable "iifname edge ip protocol udp ip frag-off & 0x4000 != 0"
enlarge "$SIPP_DIR/call.xml" "$LAB_DIR/call.xml"
enlarge "$SIPP_DIR/phone_answers.xml" "$LAB_DIR/phone_answers.xml"

for driver in af_packet af_xdp; do
    edge_config driver=$driver interval_s=1 check_interval_s=0  # SIPp at the core knows calls only
    edge_start
    phone_start phone1 alice answers="$LAB_DIR/phone_answers.xml"
    phone_start phone2 bob family=6 answers="$LAB_DIR/phone_answers.xml"
    call_in phone1 alice 4
    check "IPv4 knows of a path's MTU, for which nobody was asked" [ "$(edge_metric pinhole_path_mtus)" = 0 ]
    call_in phone2 bob 6
    check "pinhole has not learned one path's MTU" [ "$(edge_metric pinhole_path_mtus)" = 1 ]
    # What was lost before it was learned has been sent again; from now on nothing is.
    check "the first INVITE was not lost: this scene shows nothing" [ "$(invites_sent)" -ge 2 ]
    call_in phone2 bob 6
    check "the second INVITE was sent $(invites_sent) times" [ "$(invites_sent)" = 1 ]
    call_out phone1 4
    call_out phone2 6
    check "pinhole sent $(lab_counted net uncuttable) packets with DF" [ "$(lab_counted net uncuttable)" = 0 ]
    lab_stop "$EDGE_PID" TERM
done
