#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Calls from the core: hung up by the core, hung up by the phone, cancelled while ringing, refused. ACK
# and BYE follow the Record-Route in both directions.
# shellcheck source=tests/e2e/scene.sh
. "$(dirname "$0")/../scene.sh"

lab_home 60
edge_config
edge_start
phone_start phone1 alice

check "the call that the core ends failed" core_call call alice
check_soon 5 "the ACK did not reach the phone" phone_saw phone1 talks 1
check_soon 5 "the core's BYE did not reach the phone" phone_saw phone1 "was hung up" 1
check "the call that the phone ends failed" core_call call_waits alice
check_soon 5 "the phone's BYE was not answered" phone_saw phone1 "hung up" 1
check "the cancelled call failed" core_call call_cancel alice
check_soon 5 "the CANCEL did not reach the phone" phone_saw phone1 cancelled 1
check "a call to nobody is not refused" core_call call_refused nobody
check "a call to another domain is not refused" core_call call_refused alice domain=elsewhere.example
check "it is refused with $(cut -d' ' -f2 "$CALL_LOG"), not 404" grep -q '^refused 404' "$CALL_LOG"
check "a refused call rang" [ "$(phone_events phone1 rings)" = 3 ]
