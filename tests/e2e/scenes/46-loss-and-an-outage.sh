#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# The access network loses 5 % of the packets each way: no live phone is removed, and no outage is seen. Then the
# line of one gateway is cut for longer than remove_after_s: that is one outage, told once, its phones stay, and
# are reached again when the line is back. A phone that dies alone is removed.
# shellcheck source=tests/e2e/scene.sh
. "$(dirname "$0")/../scene.sh"

PHONES=12
# lose PERCENT: of all UDP that passes the access network, either way.
lose() {
    lab_exec net nft -f - <<NFT
table inet loss {
    chain passes {
        type filter hook forward priority filter;
        meta l4proto udp numgen random mod 100 < $1 counter drop
    }
}
NFT
}
lost() { lab_exec net nft list table inet loss | sed -n 's/.*counter packets \([0-9]*\).*/\1/p'; }
outages() { edge_metric "pinhole_outages$1"; }
outages_are() { [ "$(outages "$1")" = "$2" ]; }
removed() { edge_metric pinhole_contacts_removed_unreachable_total; }
removed_are() { [ "$(removed)" -ge "$1" ]; }
all_are() {
    local n
    for n in $(seq $PHONES); do
        binding_is "user$n" state "$1" || return 1
    done
}

lab_carrier
lab_gateway 1 60
lab_gateway 2 60
for n in $(seq $PHONES); do
    lab_phone "phone$n" 1 $((10 + n))
done
lab_phone phone0 2 10
edge_config interval_s=1 timeout_ms=300 remove_after_s=6
edge_start
for n in $(seq $PHONES); do
    phone_start "phone$n" "user$n"
done
phone_start phone0 lone
lose 5
idle 10
check "nothing was lost" [ "$(lost)" -gt 5 ]
check "$(removed) live phones were removed" [ "$(removed)" = 0 ]
check "loss was taken for an outage" outages_are _total 0
lab_exec net nft delete table inet loss
check_soon 5 "not all phones are reachable" all_are reachable

# The line is cut, and a phone elsewhere dies at the same time.
ip -n "${LAB_PREFIX}net" link set gw1 down
phone_vanish phone0
check_soon 10 "no outage is seen" outages_are "" 1
check_soon 20 "the phone that died alone is not removed" removed_are 1
check "phones were removed by the outage" [ "$(removed)" = 1 ]
check "the outage is $(outages _total) events" outages_are _total 1
check "nat does not show it" grep -q "OUTAGE: all $PHONES phones of 67.194.23.55 silent" <<<"$(edge_ctl nat)"
check "why does not tell of it" grep -q "The access line is out" <<<"$(edge_ctl why "user1@$DOMAIN")"
check "the log has not one line of it" [ "$(grep -c "access outage: the $PHONES phones of 67.194.23.55" "$LAB_DIR/pinhole.log")" = 1 ]
ip -n "${LAB_PREFIX}net" link set gw1 up
check_soon 15 "not all phones are back" all_are reachable
check "the outage is not over" outages_are "" 0
check "phones were removed after the outage" [ "$(removed)" = 1 ]
