#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# mode = "redirect": the core gets a URI at the edge for each of alice's two phones, follows it, and
# reaches the phone through its NAT; a phone that has vanished is not offered.
# shellcheck source=tests/e2e/scene.sh
. "$(dirname "$0")/../scene.sh"

both_reachable() { [ "$(binding alice state | grep -cx reachable)" = 2 ]; }
one_unreachable() { binding alice state | has_line "^unreachable\$"; }
# How many URIs the 302 of the latest call had.
offered() { grep -c "^Contact: <sip:[^@]*@$EDGE_CORE4:5060>;q=1" "$LAB_DIR/core-$CALL_COUNT.messages" || true; }

lab_home 30
edge_config mode=redirect
edge_start
phone_start phone1 alice
phone_start phone2 alice
check_soon 15 "the phones don't become reachable" both_reachable

check "the redirected call failed" core_call call_redirected alice
check "the call did not ring at phone2, which registered last" rang phone2
check "the call rang at phone1" not rang phone1
check "the 302 has $(offered) URIs, not 2" [ "$(offered)" = 2 ]

phone_vanish phone2
check_soon 30 "phone2 does not become unreachable" one_unreachable
check "the call without phone2 failed" core_call call_redirected alice
check "the call did not ring at phone1" rang phone1
check "the 302 has $(offered) URIs, not 1" [ "$(offered)" = 1 ]
