#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# alone
# 200 calls a second for a minute, from the core to 100 phones behind two NATs, which refresh every 2 s meanwhile. No
# call fails, hardly a message is sent twice, and what pinhole counted is what SIPp did.
# shellcheck source=tests/e2e/scene.sh
. "$(dirname "$0")/../scene.sh"

RATE=200 CALLS=12000 PHONES=100

# phones_start NAMESPACE FIRST COUNT: phones with a socket each, in one process. Of a REGISTER that was sent twice the
# second answer is not the first to the letter (its time has run on): SIPp would give the phone up.
phones_start() {
    "$SIPP_DIR/make_users" "$3" "$DOMAIN" "$2" >"$LAB_DIR/$1.csv"
    lab_spawn "$1" "$LAB_DIR/$1.screen" sipp "$EDGE4:5060" -i "$(address_of "$1" eth0 4)" -t un -max_socket 500 \
        -sf "$SIPP_DIR/refresh_load.xml" -oocsf "$SIPP_DIR/phone_load.xml" -inf "$LAB_DIR/$1.csv" \
        -m "$3" -l "$3" -r "$3" -d 2000 -nostdin \
        -default_behaviors all,-abortunexp -trace_err -error_file "$LAB_DIR/$1.errors"
}

calls() {
    "$SIPP_DIR/make_users" "$PHONES" "$DOMAIN" >"$LAB_DIR/core.csv"
    lab_spawn core "$LAB_DIR/core.screen" sipp "$EDGE_CORE4:5060" -i "$CORE4" -p 5060 \
        -sf "$SIPP_DIR/call_load.xml" -inf "$LAB_DIR/core.csv" -m "$CALLS" -r "$RATE" -l 2000 -d 500 -nostdin \
        -timeout 150s -timeout_error -trace_err -error_file "$LAB_DIR/core.errors" \
        -trace_counts -fd 1s -trace_stat -stf "$LAB_DIR/core.stat"
    SIPP_COUNTS=$LAB_DIR/call_load_${LAB_PID}_counts.csv
    wait "$LAB_PID"
}

# column FILE NAME: of the last line of one of SIPp's files; 0 if it has none.
column() {
    awk -F';' -v name="$2" 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == name) at = i } END { print (at ? $at : 0) + 0 }' "$1"
}
sipp_counted() { column "$SIPP_COUNTS" "$1"; }
# requests METHOD: that pinhole got.
requests() { edge_http /metrics | sed -n "s/^pinhole_sip_requests_total{core=\"0\",method=\"$1\"} //p"; }
refused() { edge_http /metrics | grep '^pinhole_sip_responses_total{.*code="[3-6]' | grep -v ' 0$' || true; }
drops() { edge_http /metrics | grep '^pinhole_drops_total' | grep -v ' 0$' || true; }
all_registered() { [ "$(edge_metric pinhole_contacts)" = "$PHONES" ]; }

lab_carrier
lab_gateway 1 60
lab_gateway 2 60
lab_phone phone1 1 10
lab_phone phone2 2 10
edge_config peers="\"$CORE4\"" check_interval_s=60 interval_s=20
edge_start
phones_start phone1 0 $((PHONES / 2))
phones_start phone2 $((PHONES / 2)) $((PHONES / 2))
check_soon 15 "there are $(edge_metric pinhole_contacts) phones, not $PHONES" all_registered

# SIPp writes the counts where it stands.
cd "$LAB_DIR"
before=$(requests REGISTER)
calls || fail "$(column core.stat "FailedCall(C)") of $CALLS calls failed; pinhole dropped: $(drops)"
check "SIPp counts $(column core.stat "SuccessfulCall(C)") calls, not $CALLS" \
    [ "$(column core.stat "SuccessfulCall(C)")" = "$CALLS" ]
again=$(($(sipp_counted 0_INVITE_Retrans) + $(sipp_counted 6_BYE_Retrans) + $(sipp_counted 3_200_Retrans)))
check "$again messages were sent twice" [ "$again" -le $((CALLS / 100)) ]

# The same calls, as pinhole counted them.
same() { check "pinhole counts $2 $1, SIPp $3" [ "$2" = "$3" ]; }
same INVITEs "$(requests INVITE)" $(($(sipp_counted 0_INVITE_Sent) + $(sipp_counted 0_INVITE_Retrans)))
same "calls in" "$(edge_metric pinhole_calls_in_total)" "$(requests INVITE)"
same ACKs "$(requests ACK)" $(($(sipp_counted 4_ACK_Sent) + $(sipp_counted 4_ACK_Retrans)))
same BYEs "$(requests BYE)" $(($(sipp_counted 6_BYE_Sent) + $(sipp_counted 6_BYE_Retrans)))
received=0
for message in 2_180 3_200 7_200; do
    received=$((received + $(sipp_counted ${message}_Recv) + $(sipp_counted ${message}_Retrans)))
done
same responses "$(edge_metric pinhole_responses_forwarded_total)" "$received"

# The phones went on registering, and each was answered with 200.
refreshes=$(($(requests REGISTER) - before))
check "the phones refreshed only $refreshes times" [ "$refreshes" -ge $((PHONES * 20)) ]
check "pinhole refused something: $(refused)" [ -z "$(refused)" ]
check "$(edge_metric pinhole_contacts) phones are left" all_registered
