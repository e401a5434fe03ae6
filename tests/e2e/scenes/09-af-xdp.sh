#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# A NIC shared with the kernel by af_xdp: SIP comes to pinhole, ping and ND stay the kernel's, calls
# come through, and after kill -9 it starts again.
# shellcheck source=tests/e2e/scene.sh
. "$(dirname "$0")/../scene.sh"

padding=$(head -c 2500 /dev/zero | tr '\0' 'x')
sed "s/^User-Agent: .*/&\nX-Padding: $padding/" "$SIPP_DIR/phone.xml" >"$LAB_DIR/long_phone.xml"

lab_home 60
edge_config driver=af_xdp interval_s=1
edge_start
phone_start phone1 alice
phone_start phone2 bob family=6
check_soon 10 "alice is $(binding alice state), not reachable" binding_is alice state reachable
check_soon 10 "bob is $(binding bob state), not reachable" binding_is bob state reachable
check "the call to alice failed" core_call call alice
check "it did not ring at phone1" rang phone1
check "the call that bob ends failed" core_call call_waits bob
# What comes in fragments is put together by the kernel, and pinhole reads it from there.
for phone in "phone1 alice" "phone2 bob family=6"; do
    phone_stop "${phone%% *}"
    # shellcheck disable=SC2086
    check "a REGISTER in fragments was not served: $phone" phone_start $phone scenario="$LAB_DIR/long_phone.xml"
done
check "the kernel answers no ping" lab_exec phone1 ping -c 2 -W 2 "$EDGE4"
check "the kernel answers no IPv6 ping" lab_exec phone1 ping -c 2 -W 2 "$EDGE6"

lab_stop "$EDGE_PID" KILL
check "pinhole doesn't start after kill -9" edge_start
phone_stop phone1
phone_start phone1 alice
check "the call after kill -9 failed" core_call call alice
