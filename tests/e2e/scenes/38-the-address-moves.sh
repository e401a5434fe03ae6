#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Two edges, and the kernel as the slow path: keepalived brings an address to one of them, and to the other when
# the first's pinhole dies; BIRD announces another address from both, and the router takes the one that is left.
# pinhole has no part in either: it follows the kernel's addresses. Phones come back with their next REGISTER.
# shellcheck source=tests/e2e/scene.sh
. "$(dirname "$0")/../scene.sh"

for tool in keepalived bird; do
    command -v "$tool" >/dev/null || fail "there is no $tool here: run scripts/setup first"
done

ANYCAST4=192.0.2.1 ROUTER4=198.51.100.254
declare -A OWN4=([edge]=198.51.100.11 [edge2]=198.51.100.12)
declare -A PRIORITY=([edge]=200 [edge2]=100)
declare -A PINHOLE_PID=() BIRD_PID=()

# The edges and the router on one link; each edge has a link of its own to the core.
carrier_of_two() {
    local edge n=113
    for ns in net edge edge2 core; do
        lab_namespace "$ns"
    done
    lab_sysctl net net/ipv4/ip_forward 1
    ip -n "${LAB_PREFIX}net" link add access type bridge
    ip -n "${LAB_PREFIX}net" link set access up
    lab_address net access "$ROUTER4/24"
    for edge in edge edge2; do
        lab_link "$edge" access net "to-$edge"
        ip -n "${LAB_PREFIX}net" link set "to-$edge" master access
        lab_address "$edge" access "${OWN4[$edge]}/24"
        lab_address "$edge" lo "$ANYCAST4/32"
        lab_route "$edge" default via "$ROUTER4"
        lab_link "$edge" core core "to-$edge"
        lab_address "$edge" core "203.0.$n.1/24"
        lab_address core "to-$edge" "203.0.$n.10/24"
        n=$((n + 1))
    done
}

pinhole_start() {
    local edge=$1 config=$LAB_DIR/$1.toml
    edge_config interval_s=2 access_keys="addresses = [\"$EDGE4\", \"$ANYCAST4\"]" \
        peers='"203.0.113.10", "203.0.114.10"'
    sed "s|$LAB_DIR/control.sock|$LAB_DIR/$edge.sock|; s|$LAB_DIR/keys.json|$LAB_DIR/$edge.json|" \
        "$LAB_DIR/pinhole.toml" >"$config"
    lab_spawn "$edge" "$LAB_DIR/pinhole-$edge.log" "$BUILD/pinhole" -c "$config"
    PINHOLE_PID[$edge]=$LAB_PID
    check_soon 20 "pinhole in $edge doesn't serve; see pinhole-$edge.log" ready "$edge"
}

ready() { lab_exec "$1" curl -sf --max-time 5 http://127.0.0.1:9060/readyz; }

# Whoever's pinhole isn't ready gives the address away.
keepalived_start() {
    local edge=$1
    cat >"$LAB_DIR/keepalived-$edge.conf" <<CONF
global_defs {
    router_id $edge
    script_user root
    enable_script_security
}
vrrp_script ready {
    script "/usr/bin/curl -sf --max-time 1 -o /dev/null http://127.0.0.1:9060/readyz"
    interval 1
    timeout 2
    fall 2
    rise 1
}
vrrp_instance sip {
    state BACKUP
    interface access
    virtual_router_id 60
    priority ${PRIORITY[$edge]}
    advert_int 1
    virtual_ipaddress {
        $EDGE4/24 dev access
    }
    track_script {
        ready
    }
}
CONF
    lab_spawn "$edge" "$LAB_DIR/keepalived-$edge.log" keepalived --dont-fork --log-console --log-detail --vrrp \
        --use-file "$LAB_DIR/keepalived-$edge.conf" --pid "$LAB_DIR/keepalived-$edge.pid" \
        --vrrp_pid "$LAB_DIR/keepalived-$edge.vrrp.pid"
}

# bird_start NAMESPACE CONFIGURATION
bird_start() {
    printf 'router id %s;\nprotocol device { }\n%s\n' "${OWN4[$1]:-$ROUTER4}" "$2" >"$LAB_DIR/bird-$1.conf"
    lab_spawn "$1" "$LAB_DIR/bird-$1.log" bird -f -c "$LAB_DIR/bird-$1.conf" -s "$LAB_DIR/bird-$1.ctl" \
        -P "$LAB_DIR/bird-$1.pid"
    BIRD_PID[$1]=$LAB_PID
}

# The address that pinhole serves, as the kernel has it on lo.
bird_edge() {
    bird_start "$1" "
protocol static { ipv4; route $ANYCAST4/32 blackhole; }
protocol bgp {
    local ${OWN4[$1]} as 65001;
    neighbor $ROUTER4 as 65000;
    hold time 3;
    ipv4 { export where net = $ANYCAST4/32; import none; next hop self; };
}"
}

# The router likes edge2 better.
bird_router() {
    bird_start net "
protocol kernel { ipv4 { export where source = RTS_BGP; import none; }; }
protocol bgp { local $ROUTER4 as 65000; neighbor ${OWN4[edge]} as 65001; hold time 3;
    ipv4 { import filter { bgp_local_pref = 100; accept; }; export none; }; }
protocol bgp { local $ROUTER4 as 65000; neighbor ${OWN4[edge2]} as 65001; hold time 3;
    ipv4 { import filter { bgp_local_pref = 200; accept; }; export none; }; }"
}

has_address() { ip -n "$LAB_PREFIX$1" -o -4 address show dev access | has_line "$EDGE4/24"; }
routed_to() { ip -n "${LAB_PREFIX}net" route show "$ANYCAST4" | has_line "via ${OWN4[$1]} "; }
# holds EDGE USER: pinhole in the edge has a binding of the user's.
holds() { "$BUILD/pinholectl" --socket "$LAB_DIR/$1.sock" show "$2@$DOMAIN"; }

# calls EDGE USER: the core calls the user through that edge.
calls() {
    local n=113
    [ "$1" = edge ] || n=114
    core_call call "$2" edge="203.0.$n.1" own="203.0.$n.10"
}

carrier_of_two
lab_gateway 1 60
lab_phone phone1 1 10
lab_phone phone2 1 11
for edge in edge edge2; do
    pinhole_start "$edge"
    keepalived_start "$edge"
    bird_edge "$edge"
done
bird_router

# keepalived: the address, and the phone with it, goes where a pinhole is ready.
check_soon 20 "keepalived doesn't bring the address to the first edge" has_address edge
check "both edges have the address" not has_address edge2
phone_start phone1 alice refresh_ms=1000
check "the first edge has no binding" holds edge alice
check "the second edge has a binding already" not holds edge2 alice
check "no call through the first edge" calls edge alice
check "the call didn't ring at the phone" rang phone1

# BIRD: the router takes the better of two announcements.
check_soon 30 "the router has no route to what BIRD announces" routed_to edge2
EDGE4=$ANYCAST4 phone_start phone2 bob refresh_ms=1000
check "the binding isn't where BIRD's route leads" holds edge2 bob
check "no call through the edge of BIRD's choice" calls edge2 bob

# Without its BIRD, and later without its pinhole, an edge loses what it had.
lab_stop "${BIRD_PID[edge2]}" TERM
check_soon 30 "the router stays with the edge that no longer announces" routed_to edge
check_soon 20 "the phone doesn't come back at the edge that is left" holds edge bob
check "no call after the route has moved" calls edge bob

lab_stop "${PINHOLE_PID[edge]}" KILL
check_soon 30 "keepalived doesn't move the address" has_address edge2
check_soon 20 "the phone doesn't come back at the other edge" holds edge2 alice
check "no call after the address has moved" calls edge2 alice
check "the call after the move didn't ring at the phone" rang phone1
