#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# A phone that has answered pings loses power: it becomes unreachable, calls to it get 480, then it is
# removed. A phone that has never answered one is not taken for dead. `pinholectl why` tells all of it,
# when the contact is gone too.
# shellcheck source=tests/e2e/scene.sh
. "$(dirname "$0")/../scene.sh"

lab_home 60
edge_config interval_s=1 timeout_ms=500 max_missed=2 remove_after_s=15
edge_start
phone_start phone1 alice
phone_start phone2 bob answers=no
check_soon 10 "alice is $(binding alice state), not reachable" binding_is alice state reachable

# told AOR WORDS: pinholectl why says so.
told() { edge_ctl why "$1@$DOMAIN" | has_line "$2"; }
check "why doesn't say that alice should ring" told alice "It should ring: it last answered a ping"
check "why tells of nobody" told carol "It is not registered, so its calls get 404"

phone_vanish phone1
check_soon 20 "alice is $(binding alice state), not unreachable" binding_is alice state unreachable
check "a call to an unreachable phone is not refused" core_call call_refused alice
check "it is refused with $(cut -d' ' -f2 "$CALL_LOG"), not 480" grep -q '^refused 480' "$CALL_LOG"
check "why doesn't say that alice fell silent" told alice "It does not ring: it used to answer pings"
check_soon 60 "alice is still there" binding_is alice contact ""
check "bob, who never answered a ping, is $(binding bob state)" binding_is bob state unknown
check_soon 2 "why doesn't say how alice went" told alice "It is gone: it was removed .* having answered no ping"
check "why doesn't know alice's port" told alice "registered, seen at port\|came back by another mapping"
check "why doesn't say that bob may ring" told bob "It may ring: it has answered no ping"
