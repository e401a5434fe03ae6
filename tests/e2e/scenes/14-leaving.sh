#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# How bindings end: the phone unregisters, its time runs out, or the operator removes it. Calls to it
# are refused then.
# shellcheck source=tests/e2e/scene.sh
. "$(dirname "$0")/../scene.sh"

# leave PHONE USER: from the phone's own port, after the phone has stopped.
leave() {
    lab_exec "$1" sipp "$EDGE4:5060" -i "$(address_of "$1" eth0 4)" -p 5060 -m 1 -nostdin \
        -sf "$SIPP_DIR/phone_leaves.xml" -key user "$2" -key domain "$DOMAIN" -timeout 15s -timeout_error \
        -trace_err -error_file "$LAB_DIR/$1.leaves.errors" >"$LAB_DIR/$1.leaves.screen" 2>&1 </dev/null
}
gone() { [ "$(binding_count "$1")" = 0 ]; }

lab_home 60
edge_config interval_s=20
edge_start
phone_start phone1 alice
phone_stop phone1
check "alice's Contact: * was not answered with 200" leave phone1 alice
check "alice is still bound" gone alice
check "a call to alice is not refused" core_call call_refused alice

sed 's/^Expires: .*/Expires: 6/' "$SIPP_DIR/phone.xml" >"$LAB_DIR/short.xml"
phone_start phone2 bob scenario="$LAB_DIR/short.xml"
check "bob is not bound" not gone bob
check_soon 20 "bob's binding outlives its 6 s" gone bob

phone_stop phone2
phone_start phone2 carol
check "pinholectl remove failed" edge_ctl remove "carol@$DOMAIN"
check "carol is still bound" gone carol
check "show of one who is gone ends well" not edge_ctl show "carol@$DOMAIN"
