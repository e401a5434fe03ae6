#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# IPv6 phones behind a gateway that filters by state: held open by pings past its timeouts, and called
# by a core that speaks IPv6, and by one that speaks IPv4.
# shellcheck source=tests/e2e/scene.sh
. "$(dirname "$0")/../scene.sh"

lab_home 4
edge_config interval_s=2
edge_start
phone_start phone1 alice family=6
phone_start phone2 bob family=6
check "alice is at $(binding alice far_end)" binding_is alice far_end "[2001:db8:55:1::10]:5060"

idle 12
check "alice is $(binding alice state), not reachable" binding_is alice state reachable
check "the call from an IPv6 core failed" core_call call alice family=6
check "it did not ring at phone1" rang phone1
check "it rang at phone2" not rang phone2
check "the call that the phone ends failed" core_call call_waits bob family=6
check "it did not ring at phone2" rang phone2
check "the call from an IPv4 core failed" core_call call alice
check "the call from an IPv4 core that the phone ends failed" core_call call_waits bob
check "the gateway dropped $(lab_unsolicited gw1) packets" [ "$(lab_unsolicited gw1)" = 0 ]
