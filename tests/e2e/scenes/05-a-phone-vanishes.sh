#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# A phone that has answered pings loses power: it becomes unreachable, calls to it get 480, then it is
# removed. A phone that has never answered one is not taken for dead.
# shellcheck source=tests/e2e/scene.sh
. "$(dirname "$0")/../scene.sh"

lab_home 60
edge_config interval_s=1 timeout_ms=500 max_missed=2 remove_after_s=15
edge_start
phone_start phone1 alice
phone_start phone2 bob answers=no
check_soon 10 "alice is $(binding alice state), not reachable" binding_is alice state reachable

phone_vanish phone1
check_soon 20 "alice is $(binding alice state), not unreachable" binding_is alice state unreachable
check "a call to an unreachable phone is not refused" core_call call_refused alice
check "it is refused with $(cut -d' ' -f2 "$CALL_LOG"), not 480" grep -q '^refused 480' "$CALL_LOG"
check_soon 60 "alice is still there" binding_is alice contact ""
check "bob, who never answered a ping, is $(binding bob state)" binding_is bob state unknown
