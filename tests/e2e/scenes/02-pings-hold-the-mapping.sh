#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# The gateway forgets after 4 s; the phone says nothing of its own accord for ten times that. The pings
# hold its mapping open, and a call still comes through.
# shellcheck source=tests/e2e/scene.sh
. "$(dirname "$0")/../scene.sh"

lab_home 4
edge_config interval_s=2
edge_start
phone_start phone1 alice
mapping=$(binding alice far_end)

idle 40
check "the mapping is $(binding alice far_end) now, was $mapping" binding_is alice far_end "$mapping"
check "alice is $(binding alice state), not reachable" binding_is alice state reachable
check "the phone saw only $(phone_events phone1 pinged) pings" phone_saw phone1 pinged 15
check "the gateway dropped $(lab_unsolicited gw1) packets" [ "$(lab_unsolicited gw1)" = 0 ]
check "the call after ten timeouts failed" core_call call alice
check "the call did not ring at phone1" rang phone1
check "the phone has registered anew" [ "$(phone_events phone1 registered)" = 1 ]
