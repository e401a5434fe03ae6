#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# alone
# Two workers: 2,000 users register from 2,000 ports, so that half of their packets reach the worker
# that doesn't own their AOR. All are registered, each at the mapping that the gateway really gave it.
# shellcheck source=tests/e2e/scene.sh
. "$(dirname "$0")/../scene.sh"

# register_many PHONE FIRST COUNT: each user from a socket of its own.
register_many() {
    "$SIPP_DIR/make_users" "$3" "$DOMAIN" "$2" >"$LAB_DIR/$1.csv"
    lab_exec "$1" sipp "$EDGE4:5060" -i "$(address_of "$1" eth0 4)" -t un -max_socket 2000 \
        -sf "$SIPP_DIR/register_load.xml" -inf "$LAB_DIR/$1.csv" -m "$3" -r 400 -nostdin \
        -timeout 60s -timeout_error -trace_err -error_file "$LAB_DIR/$1.load.errors" \
        >"$LAB_DIR/$1.load.screen" 2>&1 </dev/null
}

lab_home 120
edge_config workers=2 interval_s=30
edge_start
check "registrations from phone1 failed" register_many phone1 0 1000
check "registrations from phone2 failed" register_many phone2 1000 1000
check "$(edge_metric pinhole_contacts) contacts, not 2000" [ "$(edge_metric pinhole_contacts)" = 2000 ]
check "no command went to another worker" [ "$(edge_metric pinhole_handoffs_total)" -gt 0 ]

lab_exec gw1 conntrack -L -p udp >"$LAB_DIR/mappings" 2>/dev/null
edge_ctl --json list --limit 3000 >"$LAB_DIR/bindings"
check "bindings and the gateway's mappings differ" \
    "$ROOT/tests/e2e/same_mappings" "$LAB_DIR/bindings" "$LAB_DIR/mappings" 2000

phone_start phone1 alice
phone_start phone2 bob
for _ in 1 2 3; do
    check "a call to alice failed" core_call call alice
    check "it did not ring at phone1" rang phone1
    check "a call to bob that he ends failed" core_call call_waits bob
    check "it did not ring at phone2" rang phone2
done
