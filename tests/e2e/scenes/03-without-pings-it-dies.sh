#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# The same lab without pings: the first call comes through, and after some idle gateway timeouts none
# does. So it is the pings that hold the mapping, and scene 02 can fail.
# shellcheck source=tests/e2e/scene.sh
. "$(dirname "$0")/../scene.sh"

lab_home 4
edge_config qualify=false
edge_start
phone_start phone1 alice
check "the call at once failed" core_call call alice

idle 12
check "the phone was pinged though qualify is off" not phone_saw phone1 pinged 1
check "the call came through a mapping that should be dead" not core_call call alice timeout_s=5
check "the call rang at phone1" not rang phone1
check "the gateway dropped nothing: where did the call go?" [ "$(lab_unsolicited gw1)" -gt 0 ]
