#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Everybody's phones come back at once, each with its password, and what an address may ask is limited:
# those of a city behind forty gateways, and those of one carrier-grade NAT behind a single address. All
# get in, and none is held back for its neighbours.
# alone
# shellcheck source=tests/e2e/scene.sh
. "$(dirname "$0")/../scene.sh"

ROUTER=198.51.100.254 PASSWORD=secret
SUBSCRIBERS=$LAB_DIR/subscribers

dropped() { edge_http /metrics | sed -n "s/^pinhole_drops_total{core=\"0\",reason=\"$1\"} //p"; }

edge_up() {
    edge_config access="memif:$LAB_DIR/load.sock" access_keys='memif_role = "server"' core=vdev:net_null0,no-rx=1 \
        qualify=false check_interval_s=0 auth="mode = \"digest\"
realm = \"$DOMAIN\"
subscribers = \"$SUBSCRIBERS\""
    rm -f "$LAB_DIR/allowances" # of the storm before: nobody is known
    edge_launch
    check_soon 40 "pinhole makes no TAPs" ip -n "${LAB_PREFIX}edge" link show dev pinhole1
    lab_address edge pinhole0 $EDGE4/24
    lab_address edge pinhole1 $EDGE_CORE4/24
    lab_route edge default via $ROUTER
    check "pinhole doesn't serve" edge_serves
}

# storm NAME PHONES GATEWAYS: a thousand a second, challenged, and registered.
storm() {
    local name=$1 phones=$2 gateways=$3 limit
    edge_up
    lab_spawn edge "$LAB_DIR/$name.log" "$BUILD/pinhole-load" register --port "memif:$LAB_DIR/load.sock" \
        --edge $EDGE4 --router "$ROUTER" --phones "$phones" --gateways "$gateways" --domain "$DOMAIN" \
        --password $PASSWORD --rate 1000 --window 0 --timeout 5 --quiet
    wait "$LAB_PID" || fail "$name: not all phones could register: $(tail -n 5 "$LAB_DIR/$name.log")"
    check "$name: $(edge_metric pinhole_contacts) contacts, not $phones" [ "$(edge_metric pinhole_contacts)" = "$phones" ]
    for limit in address_limit flow_limit; do
        check "$name: packets were dropped by $limit" [ "$(dropped "$limit")" = 0 ]
    done
    lab_stop "$EDGE_PID" TERM
}

"$BUILD/pinhole-load" --phones 8000 --domain "$DOMAIN" --password $PASSWORD --realm "$DOMAIN" --subscribers "$SUBSCRIBERS"
lab_namespace edge
storm city 8000 40
storm carrier 5000 1
