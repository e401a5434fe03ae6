#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# alone
# Two thousand phones behind fifty gateways, played by pinhole-load over memif: they register, refresh
# in time and are called. With pings in time no gateway forgets anybody; without, mappings die, calls
# vanish, and the phones come back by new ports. In neither is anybody answered wrongly.
# shellcheck source=tests/e2e/scene.sh
. "$(dirname "$0")/../scene.sh"

ROUTER=198.51.100.254 CALLER=192.0.2.10

# play NAME SECONDS ARGUMENT...: figures go to $LAB_DIR/NAME.json.
play() {
    local name=$1 seconds=$2
    shift 2
    lab_spawn edge "$LAB_DIR/$name.log" "$BUILD/pinhole-load" live --port "memif:$LAB_DIR/load.sock" \
        --edge $EDGE4 --router "$ROUTER" --core-address $CALLER --phones 2000 --gateways 50 --expires 60 \
        --seconds "$seconds" --call-rate 20 --timeout 5 --json "$LAB_DIR/$name.json" "$@"
    wait "$LAB_PID"
}

# figure NAME FIELD: of the live phase.
figure() {
    python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["phases"][1][sys.argv[2]])' "$LAB_DIR/$1.json" "$2"
}

edge_up() { # setting=value...
    edge_config access="memif:$LAB_DIR/load.sock" access_keys='memif_role = "server"' core=vdev:net_null0,no-rx=1 \
        extra=$'[limits]\nenabled = false' check_interval_s=0 peers="\"$CALLER\"" "$@"
    # The core calls by the phones' own port, from behind the router, whose MAC is known by then.
    sed -i 's/^role = "access"/role = "both"/' "$LAB_DIR/pinhole.toml"
    edge_launch
    check_soon 40 "pinhole makes no TAPs" ip -n "${LAB_PREFIX}edge" link show dev pinhole1
    lab_address edge pinhole0 $EDGE4/24
    lab_address edge pinhole1 $EDGE_CORE4/24
    lab_route edge default via $ROUTER
    check "pinhole doesn't serve" edge_serves
}

lab_namespace edge
edge_up interval_s=2
check "the population with pings was answered wrongly, or not at all" play pinged 10 --timeouts 15:1,30:1
check "only $(figure pinged pings) pings came" [ "$(figure pinged pings)" -ge 4000 ]
check "$(figure pinged vanished) packets vanished" [ "$(figure pinged vanished)" = 0 ]
check "only $(figure pinged rings) calls rang" [ "$(figure pinged rings)" -ge 100 ]
check "$(figure pinged calls_lost) calls were lost" [ "$(figure pinged calls_lost)" = 0 ]
lab_stop "$EDGE_PID" TERM

edge_up qualify=false
check "the population without pings was answered wrongly, or not at all" play forgotten 10 --timeouts 2
check "no call vanished at a gateway that forgot" [ "$(figure forgotten vanished)" -ge 50 ]
check "as many calls as vanished were not lost" [ "$(figure forgotten calls_lost)" -ge 50 ]
