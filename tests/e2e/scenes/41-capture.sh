#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# pinholectl capture: what passes the ports opens in tshark, with SIP decoded; the filter holds; a reader
# that dies takes its capture along.
# shellcheck source=tests/e2e/scene.sh
. "$(dirname "$0")/../scene.sh"

# capture_begin FILE OPTION...: runs until capture_end.
capture_begin() {
    local file=$1
    shift
    "$BUILD/pinholectl" --socket "$LAB_DIR/control.sock" capture "$file" "$@" 2>"$LAB_DIR/capture.log" &
    CAPTURE_PID=$!
    check_soon 10 "no capture begins: $(cat "$LAB_DIR/capture.log")" test -s "$file"
}
capture_end() {
    kill -INT "$CAPTURE_PID"
    wait "$CAPTURE_PID" || fail "the capture ends badly: $(cat "$LAB_DIR/capture.log")"
}

# sip FILE FILTER: how many packets tshark shows.
sip() { tshark -r "$1" -Y "$2" 2>/dev/null | wc -l; }

command -v tshark >/dev/null || fail "there is no tshark: run scripts/setup"
lab_home 60
edge_config interval_s=1
edge_start
phone_start phone1 alice
capture_begin "$LAB_DIR/all.pcapng"
phone_start phone2 bob
check "a call fails while packets are captured" core_call call bob
capture_end
check "tshark can't read all of it" tshark -r "$LAB_DIR/all.pcapng" -w /dev/null
for what in 'sip.Method == "REGISTER"' 'sip.Status-Code == 200 && sip.CSeq.method == "REGISTER"' \
    'sip.Method == "OPTIONS"' 'sip.Method == "INVITE" && ip.src == 203.0.113.10' \
    'sip.Method == "INVITE" && ip.dst == 67.194.23.55' 'sip.Method == "BYE"'; do
    check "no packet is $what" test "$(sip "$LAB_DIR/all.pcapng" "$what")" -gt 0
done
check "the times are not today's" test "$(sip "$LAB_DIR/all.pcapng" "frame.time >= \"$(date -d '-10 min' '+%F %T')\" && \
    frame.time <= \"$(date -d '+10 min' '+%F %T')\"")" -gt 0
check "others may read it" test "$(stat -c %a "$LAB_DIR/all.pcapng")" = 600

capture_begin "$LAB_DIR/bob.pcapng" --filter "text bob@"
check_soon 20 "no ping to bob is captured" grep -q "bob@" "$LAB_DIR/bob.pcapng"
idle 2
capture_end
check "the filter lets alice through" test "$(sip "$LAB_DIR/bob.pcapng" 'sip contains "alice"')" = 0
check "bob is not there" test "$(sip "$LAB_DIR/bob.pcapng" 'sip contains "bob@"')" -gt 0

edge_ctl capture "$LAB_DIR/none" --filter "udp 5060" 2>"$LAB_DIR/refusal" && fail "a wrong filter is taken"
check "a wrong filter is not explained" grep -q 'host ADDRESS' "$LAB_DIR/refusal"

capture_begin "$LAB_DIR/dies.pcapng"
edge_ctl capture "$LAB_DIR/none" 2>"$LAB_DIR/refusal" && fail "two captures run"
check "the second is not told why" grep -q "one at a time" "$LAB_DIR/refusal"
lab_stop "$CAPTURE_PID" KILL
check_soon 20 "a capture outlives its reader" grep -q "nobody takes from it" "$LAB_DIR/pinhole.log"
check "a capture is not bounded in time" edge_ctl capture "$LAB_DIR/short.pcapng" --seconds 1
check "the edge does not live" edge_ready
