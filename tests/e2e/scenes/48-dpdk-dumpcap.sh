#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# dpdk-dumpcap looks into the ports of a running pinhole. Without hugepages that is refused with a
# sentence; with them nothing is left behind, nor of a pinhole that was killed once another has started.
# shellcheck source=tests/e2e/scene.sh
. "$(dirname "$0")/../scene.sh"

POOL=/proc/sys/vm/nr_hugepages
HUGE=$LAB_DIR/hugepages
before=$(<"$POOL")
# shellcheck disable=SC2154  # assigned in the trap
trap 'status=$?; umount -l "$HUGE" 2>/dev/null || true; echo "$before" >"$POOL"; lab_end $status' EXIT

# files: what EAL's processes have left, hugepages and what they tell each other.
files() { find "$HUGE" /var/run/dpdk -maxdepth 1 -name "ph-$1*" 2>/dev/null; }
none_left() { [ -z "$(files "$1")" ]; }
shared() { [ -n "$(files "$1")" ]; }

command -v dpdk-dumpcap >/dev/null || fail "there is no dpdk-dumpcap: run scripts/setup"
lab_home 60
edge_config
sed -i 's/^hugepages = .*/hugepages = "auto"\ndumpcap = true/' "$LAB_DIR/pinhole.toml"
echo 0 >"$POOL"
lab_exec edge timeout 20 "$BUILD/pinhole" -c "$LAB_DIR/pinhole.toml" 2>"$LAB_DIR/refusal" && fail "it starts without hugepages"
check "it does not say what it lacks: $(cat "$LAB_DIR/refusal")" grep -q "raise vm.nr_hugepages" "$LAB_DIR/refusal"

mkdir "$HUGE"
mount -t hugetlbfs none "$HUGE"
echo 400 >"$POOL"
[ "$(<"$POOL")" -ge 300 ] || fail "this machine gives $(<"$POOL") hugepages of 400"
edge_start
killed=$EDGE_PID
check "nothing is shared" shared "$killed"
lab_stop "$killed" KILL

edge_start
check "what the killed one shared is still there: $(files "$killed")" none_left "$killed"
check "it does not say how" grep -q -- "--file-prefix=ph-$EDGE_PID" "$LAB_DIR/pinhole.log"
# Its lcore must be free; it ends by itself after 10 s at most.
lab_spawn edge "$LAB_DIR/dumpcap.log" dpdk-dumpcap --file-prefix="ph-$EDGE_PID" -i 0 -a duration:10 -c 40 -w "$LAB_DIR/all.pcapng"
dumpcap=$LAB_PID
check_soon 10 "dpdk-dumpcap does not begin: $(cat "$LAB_DIR/dumpcap.log")" test -s "$LAB_DIR/all.pcapng"
phone_start phone1 alice
check "a call fails while packets are captured" core_call call alice
check_soon 20 "dpdk-dumpcap does not end" not kill -0 "$dumpcap"
for what in 'sip.Method == "REGISTER"' 'sip.Method == "OPTIONS"' 'sip.Method == "INVITE"'; do
    check "no packet is $what" test "$(tshark -r "$LAB_DIR/all.pcapng" -Y "$what" 2>/dev/null | wc -l)" -gt 0
done
check "the edge does not live" edge_ready
lab_stop "$EDGE_PID" TERM
check "what it shared is still there: $(files "$EDGE_PID")" none_left "$EDGE_PID"
