#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# A phone that nobody registered calls for help: the core answers, the core hangs up, through the NAT,
# and nothing else of it gets through.
# shellcheck source=tests/e2e/scene.sh
. "$(dirname "$0")/../scene.sh"

# help_call URI: phone2 calls; succeeds if it was answered and hung up by the core.
help_call() {
    lab_spawn phone2 "$LAB_DIR/help.screen" sipp "$EDGE4:5060" -i 192.168.1.11 -p 5060 -m 1 -nostdin \
        -sf "$SIPP_DIR/phone_calls.xml" -key uri "$1" -key domain "$DOMAIN" \
        -timeout 10s -timeout_error -trace_err -error_file "$LAB_DIR/help.errors" \
        -trace_msg -message_file "$LAB_DIR/help.messages"
    wait "$LAB_PID"
}

lab_home 60
edge_config peers="\"$CORE4\"" extra='[emergency]
numbers = ["112"]'
edge_start
lab_spawn core "$LAB_DIR/core.screen" sipp -i "$CORE4" -p 5060 -nostdin -sf "$SIPP_DIR/core_answers.xml" \
    -trace_msg -message_file "$LAB_DIR/core.messages" -trace_err -error_file "$LAB_DIR/core.errors"

check "the call to the SOS service failed" help_call urn:service:sos
check "the call to 112 failed" help_call "sip:112@$DOMAIN"
check "a call to anybody else went through" not help_call "sip:alice@$DOMAIN"
check "it got no 403" grep -q "SIP/2.0 403" "$LAB_DIR/help.messages"
check "that one reached the core" not grep -q "INVITE sip:alice" "$LAB_DIR/core.messages"
check "what it claimed to be reached the core" not grep -q "P-Asserted-Identity" "$LAB_DIR/core.messages"
check "the calls for help were not counted" grep -q \
    '^pinhole_emergency_requests_total{core="0",sender="unregistered"} 2$' <<<"$(edge_http /metrics)"
