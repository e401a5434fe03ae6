#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Two gateways, one of which forgets sooner than the pings come: that one's phones are found dead, and from then
# on they are pinged in time and their calls arrive, while the other's are pinged as before. Killed and started
# again, pinhole knows it at once.
# shellcheck source=tests/e2e/scene.sh
. "$(dirname "$0")/../scene.sh"

# interval GATEWAY: what its phones are pinged by, in tenths of a second.
interval() {
    edge_ctl --json nat | python3 -c '
import json, sys
for gateway in json.load(sys.stdin)["largest"]:
    if gateway["address"] == sys.argv[1]:
        print(round(gateway["lessons"][0]["interval_s"] * 10))' "$1"
}
shorter() { [ "$(interval 67.194.24.55)" -lt 40 ]; }
reached() { core_call call "$1" timeout_s=5 && rang "$2"; }

lab_carrier
lab_gateway 1 60
lab_gateway 2 4
lab_phone phone1 1 10
lab_phone phone2 2 10
lab_phone phone3 2 11
mkdir "$LAB_DIR/journal"
edge_config interval_s=8 qualify_keys='learn_intervals = true' journal="directory = \"$LAB_DIR/journal\""
edge_start
phone_start phone1 alice refresh_ms=10000
phone_start phone2 bob refresh_ms=10000
phone_start phone3 carol refresh_ms=10000
check_soon 60 "the quick gateway's phones are pinged every $(interval 67.194.24.55) tenths" shorter
check "the slow gateway's phones are pinged every $(interval 67.194.23.55) tenths" [ "$(interval 67.194.23.55)" = 80 ]
check "no mapping was found dead" [ "$(edge_metric pinhole_interval_fallbacks_total)" -ge 1 ]

# Whoever was to be pinged late still, comes back once more; then no mapping dies, and all are reached.
quiet() {
    local before
    before=$(edge_metric pinhole_rebinds_total)
    idle 6
    [ "$(edge_metric pinhole_rebinds_total)" = "$before" ]
}
idle 4
check_soon 30 "mappings still die" quiet
for phone in 1:alice 2:bob 3:carol; do
    check "${phone#*:} is not reached" reached "${phone#*:}" "phone${phone%:*}"
done

check_soon 15 "nothing is saved" test -s "$LAB_DIR/journal/intervals"
kill -KILL "$EDGE_PID"
wait "$EDGE_PID" 2>/dev/null || true
edge_start
check_soon 10 "what was learned is gone: $(interval 67.194.24.55) tenths" shorter
check "no log line says so" grep -q "intervals of 1 gateways" "$LAB_DIR/pinhole.log"

# Another program's file is none of ours.
kill -KILL "$EDGE_PID"
wait "$EDGE_PID" 2>/dev/null || true
echo "something else" >"$LAB_DIR/journal/intervals"
edge_start
check "a foreign file is not told of" grep -q "intervals are learned afresh" "$LAB_DIR/pinhole.log"
