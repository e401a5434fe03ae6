#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# A phone that is neither SIPp nor baresip (those have scene 20): Linphone's stack, from behind a gateway. It registers,
# finds out its public address and puts that into its Contact, which stays one binding for its instance; it refreshes,
# answers pings, takes a call, makes one, and leaves.
# shellcheck source=tests/e2e/scene.sh
. "$(dirname "$0")/../scene.sh"

LINPHONE=$LAB_DIR/linphone

# linphone_start PHONE USER: registers, and takes calls by itself. Its log is its SIP trace too.
linphone_start() {
    mkdir -p "$LINPHONE/.local/share/linphone" "$LINPHONE/.config/linphone"
    mkfifo "$LINPHONE/commands"
    cat >"$LINPHONE/config" <<CONFIG
[sip]
sip_port=5060
sip_tcp_port=0
sip_tls_port=0
use_ipv6=0
default_proxy=0

[proxy_0]
reg_proxy=<sip:$EDGE4;transport=udp>
reg_route=<sip:$EDGE4;transport=udp;lr>
reg_identity=<sip:$2@$DOMAIN>
reg_expires=6
reg_sendregister=1
publish=0
CONFIG
    # Held open here, so that it never reads an end.
    exec 9<>"$LINPHONE/commands"
    # shellcheck disable=SC2016
    lab_spawn "$1" "$LAB_DIR/$1.screen" env HOME="$LINPHONE" \
        bash -c 'exec linphonec -a -d 5 -l "$1/log" -c "$1/config" <"$1/commands"' bash "$LINPHONE"
    LINPHONE_PID=$LAB_PID
}
linphone_do() { echo "$*" >&9; }
# linphone_saw TEXT: a regular expression, in what it traced.
linphone_saw() { grep -qaE "$1" "$LINPHONE/log"; }
linphone_has_left() { ! kill -0 "$LINPHONE_PID" 2>/dev/null; }

registered() { [ "$(binding_count alice)" = 1 ]; }
cseq_has_grown() { [ "$(binding alice cseq)" -ge $(($1 + $2)) ]; }
gone() { [ "$(binding_count alice)" = 0 ]; }

lab_home 60
edge_config peers="\"$CORE4\"" check_interval_s=0  # SIPp at the core knows calls only
edge_start
linphone_start phone1 alice
check_soon 30 "Linphone did not register" registered
far_end=$(binding alice far_end)
check "alice is at '$far_end', not at the gateway" [ "${far_end%:*}" = 67.194.23.55 ]
check_soon 20 "Linphone answers no pings" binding_is alice state reachable
check_soon 30 "Linphone does not refresh" cseq_has_grown "$(binding alice cseq)" 2
check "Linphone has more than one binding" registered
check "its Contact is not the one with its public address" grep -q "^sip:alice@$far_end" <<<"$(binding alice contact)"

check "the core's call failed" core_call call alice
check "the call was not answered by alice" grep -q "answered $CALL_ID by.*sip:alice@" "$CALL_LOG"

lab_spawn core "$LAB_DIR/core.screen" sipp -i "$CORE4" -p 5060 -m 1 -nostdin -sf "$SIPP_DIR/core_answers.xml" \
    -trace_msg -message_file "$LAB_DIR/core.messages" -trace_err -error_file "$LAB_DIR/core.errors" \
    -timeout 30s -timeout_error
core=$LAB_PID
linphone_do "call sip:bob@$DOMAIN"
check "alice's call failed" wait "$core"
check "the core was not told who calls" grep -q "^P-Asserted-Identity: <sip:alice@$DOMAIN>" "$LAB_DIR/core.messages"

linphone_do quit
check_soon 20 "Linphone does not end" linphone_has_left
check_soon 10 "alice is still registered" gone
