#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# A REGISTER larger than the MTU arrives in fragments and is served, and an INVITE that outgrows it
# leaves in fragments, by IPv4 and IPv6.
# shellcheck source=tests/e2e/scene.sh
. "$(dirname "$0")/../scene.sh"

# The same scenarios, longer: a header of 2,500 bytes, an SDP of 3,000.
padding=$(head -c 2500 /dev/zero | tr '\0' 'x')
sed "s/^User-Agent: .*/&\nX-Padding: $padding/" "$SIPP_DIR/phone.xml" >"$LAB_DIR/long_phone.xml"
lines=$(for n in $(seq 40); do printf 'a=padding:%02d%s\\n' "$n" "${padding:0:60}"; done)
sed "s/^m=audio 30000.*/&\n$lines/" "$SIPP_DIR/call.xml" >"$LAB_DIR/long_call.xml"

lab_home 60
edge_config
edge_start
phone_start phone1 alice scenario="$LAB_DIR/long_phone.xml"
phone_start phone2 bob scenario="$LAB_DIR/long_phone.xml" family=6
check "alice is not registered" [ "$(binding_count alice)" = 1 ]
check "bob is not registered" [ "$(binding_count bob)" = 1 ]
check "a long INVITE by IPv4 failed" core_call "$LAB_DIR/long_call.xml" alice
check "it did not ring at phone1" rang phone1
check "a long INVITE by IPv6 failed" core_call "$LAB_DIR/long_call.xml" bob family=6
check "it did not ring at phone2" rang phone2
