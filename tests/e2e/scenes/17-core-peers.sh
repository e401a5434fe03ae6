#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Two core peers share the phones' calls. One dies: that is seen, and new calls go to the other; the
# CANCEL of a call in flight still goes to the first. It comes back. Both dead: 503 with Retry-After.
# shellcheck source=tests/e2e/scene.sh
. "$(dirname "$0")/../scene.sh"

CORE4B=203.0.113.11
declare -A PEER_PID=()

# peer_start ADDRESS: a core peer that answers checks and rings.
peer_start() {
    touch "$LAB_DIR/peer-$1.log"
    lab_spawn core "$LAB_DIR/peer-$1.screen" sipp -i "$1" -p 5060 -nostdin -sf "$SIPP_DIR/peer_answers.xml" \
        -trace_logs -log_file "$LAB_DIR/peer-$1.log" \
        -trace_msg -message_file "$LAB_DIR/peer-$1.messages" -trace_err -error_file "$LAB_DIR/peer-$1.errors"
    PEER_PID[$1]=$LAB_PID
}
peer_saw() { grep -q "^$2 $3\$" "$LAB_DIR/peer-$1.log"; }

# peer_is ADDRESS STATE: by pinholectl and by /metrics.
peer_is() {
    edge_ctl status | has_line "^core peer *$1:5060, $2 for" &&
        edge_http /metrics | has_line "^pinhole_core_peer_up{peer=\"$1:5060\"} $([ "$2" = up ] && echo 1 || echo 0)\$"
}

# phone_call CALL_ID RING_MS: phone1 calls; the call's log is $LAB_DIR/CALL_ID.log.
phone_call() {
    touch "$LAB_DIR/$1.log"
    lab_spawn phone1 "$LAB_DIR/$1.screen" sipp "$EDGE4:5060" -i 192.168.1.10 -p 5060 -m 1 -nostdin -d "$2" \
        -sf "$SIPP_DIR/phone_cancels.xml" -cid_str "$1" -key user alice -key callee bob -key domain "$DOMAIN" \
        -timeout 30s -timeout_error -trace_logs -log_file "$LAB_DIR/$1.log" \
        -trace_msg -message_file "$LAB_DIR/$1.messages" -trace_err -error_file "$LAB_DIR/$1.errors"
    CALL_PID=$LAB_PID
}
rings() { grep -q "^rings" "$LAB_DIR/$1.log"; }
# The peer that a call rings at.
peer_of() { if peer_saw "$CORE4" rings "$1"; then echo "$CORE4"; else echo "$CORE4B"; fi; }
other_than() { if [ "$1" = "$CORE4" ]; then echo "$CORE4B"; else echo "$CORE4"; fi; }
cancel_came() { [ "$(lab_counted core cancels)" -ge 1 ]; }
call_and_cancel() {
    phone_call "$1" 200
    wait "$CALL_PID"
}

lab_home 60
lab_address core eth0 $CORE4B/24
edge_config peers="\"$CORE4\", \"$CORE4B\"" check_interval_s=1
peer_start "$CORE4"
peer_start "$CORE4B"
edge_start
for peer in "$CORE4" "$CORE4B"; do
    check_soon 15 "$peer does not become up" peer_is "$peer" up
done

# The share of each Call-ID is always the same: of these, both have some.
for i in 1 2 3 4 5 6 7 8; do
    check "call $i failed" call_and_cancel "out-$i"
done
check "no call went to $CORE4" grep -q "^cancelled out-" "$LAB_DIR/peer-$CORE4.log"
check "no call went to $CORE4B" grep -q "^cancelled out-" "$LAB_DIR/peer-$CORE4B.log"

# A call rings; its peer stops answering (it is frozen), and is down.
phone_call in-flight 12000
flight=$CALL_PID
check_soon 10 "the call in flight does not ring" rings in-flight
first=$(peer_of in-flight)
second=$(other_than "$first")
lab_count core cancels ip daddr "$first" udp dport 5060 @th,64,48 0x43414e43454c
kill -STOP "${PEER_PID[$first]}"
check_soon 15 "$first does not become down" peer_is "$first" DOWN
check "$second is not up" peer_is "$second" up
check "the log does not tell" grep -q "core peer $first:5060 is down" "$LAB_DIR/pinhole.log"
check_soon 20 "the CANCEL does not go to $first" cancel_came

# It wakes up, has the CANCEL, and ends the call; it is up again.
kill -CONT "${PEER_PID[$first]}"
check "the call in flight does not end" wait "$flight"
check "it was not cancelled at $first" peer_saw "$first" cancelled in-flight
check_soon 15 "$first does not become up again" peer_is "$first" up
check "the log does not tell that it is back" [ "$(grep -c "core peer $first:5060 answers" "$LAB_DIR/pinhole.log")" = 2 ]

# It ends: all new calls go to the other.
lab_stop "${PEER_PID[$first]}" KILL
check_soon 15 "the ended $first does not become down" peer_is "$first" DOWN
for i in 1 2 3 4 5 6; do
    check "call $i with one peer failed" call_and_cancel "one-$i"
    check "call $i did not go to $second" peer_saw "$second" cancelled "one-$i"
done

lab_stop "${PEER_PID[$second]}" KILL
check_soon 15 "$second does not become down" peer_is "$second" DOWN
check "the call without a peer failed otherwise than by 503" call_and_cancel nobody
check "it got no 503 with Retry-After" grep -q "^refused 503 Retry-After: [0-9]" "$LAB_DIR/nobody.log"
check "it is not counted" [ "$(edge_metric pinhole_no_peer_total)" -ge 1 ]
check "pinholectl does not tell" grep -q "NO CORE PEER IS UP" <(edge_ctl status)
check "pinhole is not ready any more" edge_ready
