#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# A city's phones come back at once, each with its password: all are challenged, all get in.
# alone
# shellcheck source=tests/e2e/scene.sh
. "$(dirname "$0")/../scene.sh"

PHONES=3000
SUBSCRIBERS=$LAB_DIR/subscribers

lab_home 60
edge_config qualify=false auth="mode = \"digest\"
realm = \"$DOMAIN\"
subscribers = \"$SUBSCRIBERS\"" extra='[limits]
enabled = false'
"$SIPP_DIR/make_subscribers" "$DOMAIN" MD5 "u0..$((PHONES - 1))" >"$SUBSCRIBERS"
"$SIPP_DIR/make_users" "$PHONES" "$DOMAIN" >"$LAB_DIR/users.csv"
edge_start
lab_spawn phone1 "$LAB_DIR/phone1.screen" sipp "$EDGE4:5060" -i "$(address_of phone1 eth0 4)" -p 5060 -nostdin \
    -sf "$SIPP_DIR/register_digest_load.xml" -inf "$LAB_DIR/users.csv" -r 1000 -m "$PHONES" -l "$PHONES" \
    -timeout 60s -timeout_error -trace_err -error_file "$LAB_DIR/phone1.errors"
wait "$LAB_PID" || fail "not all phones could register: $(tail -n 3 "$LAB_DIR/phone1.errors" 2>/dev/null)"
check "$(edge_metric pinhole_contacts) contacts, not $PHONES" [ "$(edge_metric pinhole_contacts)" = "$PHONES" ]
for result in wrong unknown_user forbidden unreadable stale; do
    count=$(edge_http /metrics | sed -n "s/^pinhole_auth_requests_total{core=\"0\",result=\"$result\"} //p")
    check "$count came to $result" [ "$count" = 0 ]
done
