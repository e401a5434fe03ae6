# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# The lab: a carrier's edge, its core and some homes, each machine a network namespace. Sourced by
# scripts/run and by the end-to-end tests.
#
#   phone1 192.168.1.10 --+
#                         |  lan        wan                  access         core
#   phone2 192.168.1.11 --+-- gw1 67.194.23.55 -- net -- 198.51.100.1 edge 203.0.113.1 -- core 203.0.113.10
#
# A gateway masquerades IPv4 to random ports, filters IPv6 by state, drops what nobody behind it asked
# for, and forgets idle UDP after the seconds it is given. Several may stand there (gw2 is 67.194.24.55,
# with the same private addresses behind it). Nothing outside the namespaces is touched: sysctls,
# nftables and neighbours are those of the namespace. Offloads stay on, as on a real machine: veth hands
# up partial checksums.
#
# Contract: call lab_begin first. It sets LAB_DIR (logs, sockets) and traps that take everything down
# on any exit: what runs in the lab's namespaces (and nothing else), then the namespaces. Each lab has a prefix of its own (ph<pid>-), so that
# several run side by side.

# Addresses, for IPv4 and IPv6, as scenes and configs use them.
# shellcheck disable=SC2034
EDGE4=198.51.100.1 EDGE6=2001:db8:100::1 EDGE_CORE4=203.0.113.1 EDGE_CORE6=2001:db8:113::1
# shellcheck disable=SC2034
CORE4=203.0.113.10 CORE6=2001:db8:113::10

LAB_PREFIX='' LAB_DIR='' LAB_OWNER='' LAB_STAY=no
LAB_NAMESPACES=()

lab_die() {
    echo "lab: $*" >&2
    exit 1
}

# lab_begin: takes a prefix and a directory, and promises to clean up.
lab_begin() {
    [ "$(id -u)" = 0 ] || lab_die "network namespaces need root: run this as root"
    local tool
    for tool in ip nft sipp; do
        command -v "$tool" >/dev/null || lab_die "there is no '$tool' here: run scripts/setup first"
    done
    LAB_OWNER=$BASHPID
    LAB_PREFIX=${PINHOLE_LAB_PREFIX:-ph}$LAB_OWNER-
    LAB_DIR=$(mktemp -d "${TMPDIR:-/tmp}/pinhole-lab.XXXXXX")
    trap 'lab_end $?' EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
    trap 'exit 129' HUP
}

# lab_end STATUS: the trap. A subshell that inherited it must not take the lab down.
lab_end() {
    [ "$BASHPID" = "$LAB_OWNER" ] || return 0
    trap - EXIT
    trap '' INT TERM HUP
    if [ "$LAB_STAY" = yes ] && [ "$1" = 0 ]; then
        printf '%s\n' "${LAB_NAMESPACES[@]}" >"$LAB_DIR/namespaces"
        exit 0
    fi
    lab_down
    # Logs outlive a failure, but not a signal.
    case ${PINHOLE_KEEP_LOGS:-no}$1 in
        no0 | no129 | no130 | no143) rm -rf "$LAB_DIR" ;;
    esac
    exit "$1"
}

# Whatever runs in the lab is asked to end, then made to; then the namespaces go.
lab_down() {
    local ns
    for ns in "${LAB_NAMESPACES[@]}"; do
        lab_signal_all TERM "$ns"
    done
    for ns in "${LAB_NAMESPACES[@]}"; do
        lab_remove_namespace "$ns"
    done
    LAB_NAMESPACES=()
    wait 2>/dev/null || true
}

# The kernel knows what runs in a namespace; a list of pids of ours could be stale, and hit a stranger.
lab_signal_all() {
    local pid
    for pid in $(ip netns pids "$2" 2>/dev/null); do
        kill "-$1" "$pid" 2>/dev/null || true
    done
}

# Gives what runs there 3 s to end. Also for `scripts/run --down`, which did not start it.
lab_remove_namespace() {
    local i
    for i in $(seq 30); do
        [ -n "$(ip netns pids "$1" 2>/dev/null)" ] || break
        sleep 0.1
    done
    lab_signal_all KILL "$1"
    ip netns del "$1" 2>/dev/null || true
}

lab_exec() {
    local ns=$LAB_PREFIX$1
    shift
    ip netns exec "$ns" "$@"
}

# lab_spawn NAMESPACE LOG COMMAND...: runs it in the background; its pid is in LAB_PID (`ip netns exec`
# becomes the command, so the pid is the command's own).
lab_spawn() {
    local ns=$LAB_PREFIX$1 log=$2
    shift 2
    ip netns exec "$ns" "$@" >"$log" 2>&1 </dev/null &
    LAB_PID=$!
}

# lab_stop PID SIGNAL: ends a child, and waits until it has ended.
lab_stop() {
    kill "-$2" "$1" 2>/dev/null || true
    wait "$1" 2>/dev/null || true
}

lab_sysctl() {
    # shellcheck disable=SC2016
    lab_exec "$1" sh -c 'echo "$2" >"/proc/sys/$1"' sh "$2" "$3"
}

lab_namespace() {
    local ns=$LAB_PREFIX$1 key
    LAB_NAMESPACES+=("$ns")
    ip netns add "$ns"
    ip -n "$ns" link set lo up
    for key in all default; do
        lab_sysctl "$1" net/ipv4/conf/$key/rp_filter 1
        lab_sysctl "$1" net/ipv6/conf/$key/accept_dad 0
        lab_sysctl "$1" net/ipv6/conf/$key/accept_ra 0
    done
}

# lab_link NS_A IF_A NS_B IF_B: a veth pair between two namespaces, up.
lab_link() {
    ip link add "$2" netns "$LAB_PREFIX$1" type veth peer name "$4" netns "$LAB_PREFIX$3"
    ip -n "$LAB_PREFIX$1" link set "$2" up
    ip -n "$LAB_PREFIX$3" link set "$4" up
}

# lab_address NS IF ADDRESS/LEN...
lab_address() {
    local ns=$LAB_PREFIX$1 interface=$2 address nodad
    shift 2
    for address in "$@"; do
        nodad=
        [[ $address == *:* ]] && nodad=nodad
        # shellcheck disable=SC2086
        ip -n "$ns" address add "$address" dev "$interface" $nodad
    done
}

lab_route() {
    local ns=$LAB_PREFIX$1
    shift
    ip -n "$ns" route add "$@"
}

# The edge, the core and the routes between: what every lab has.
lab_carrier() {
    lab_namespace net
    lab_namespace edge
    lab_namespace core
    lab_sysctl net net/ipv4/ip_forward 1
    lab_sysctl net net/ipv6/conf/all/forwarding 1
    lab_link edge access net edge
    lab_address net edge 198.51.100.254/24 2001:db8:100::fe/64
    lab_address edge access $EDGE4/24 $EDGE6/64
    lab_route edge default via 198.51.100.254
    lab_route edge default via 2001:db8:100::fe
    lab_link edge core core eth0
    lab_address edge core $EDGE_CORE4/24 $EDGE_CORE6/64
    lab_address core eth0 $CORE4/24 $CORE6/64
}

# lab_gateway N UDP_TIMEOUT_S: gwN with the public address 67.194.(22+N).55 and a LAN 192.168.1.0/24.
lab_gateway() {
    local n=$1 timeout_s=$2 gw=gw$1
    lab_namespace "$gw"
    lab_link "$gw" wan net "$gw"
    lab_address net "$gw" "67.194.$((22 + n)).1/24" "2001:db8:55:${n}00::1/64"
    lab_address "$gw" wan "67.194.$((22 + n)).55/24" "2001:db8:55:${n}00::55/64"
    lab_route "$gw" default via "67.194.$((22 + n)).1"
    lab_route "$gw" default via "2001:db8:55:${n}00::1"
    lab_route net "2001:db8:55:$n::/64" via "2001:db8:55:${n}00::55"
    ip -n "$LAB_PREFIX$gw" link add lan type bridge
    ip -n "$LAB_PREFIX$gw" link set lan up
    lab_address "$gw" lan 192.168.1.1/24 "2001:db8:55:$n::1/64"
    lab_sysctl "$gw" net/ipv4/ip_forward 1
    lab_sysctl "$gw" net/ipv6/conf/all/forwarding 1
    lab_exec "$gw" nft -f - <<NFT
table inet gateway {
    counter unsolicited { }
    chain postrouting {
        type nat hook postrouting priority srcnat;
        oifname "wan" meta nfproto ipv4 masquerade random,fully-random
    }
    chain forward {
        type filter hook forward priority filter; policy drop;
        ct state established,related accept
        iifname "lan" oifname "wan" accept
        meta l4proto udp counter name unsolicited
    }
    chain input {
        type filter hook input priority filter; policy accept;
        iifname "wan" ct state established,related accept
        iifname "wan" meta l4proto udp counter name unsolicited drop
    }
}
NFT
    lab_sysctl "$gw" net/netfilter/nf_conntrack_udp_timeout "$timeout_s"
    lab_sysctl "$gw" net/netfilter/nf_conntrack_udp_timeout_stream "$timeout_s"
}

# lab_phone NAME N HOST: a phone behind gwN with 192.168.1.HOST.
lab_phone() {
    local name=$1 n=$2 host=$3
    lab_namespace "$name"
    lab_link "$name" eth0 "gw$n" "$name"
    ip -n "${LAB_PREFIX}gw$n" link set "$name" master lan
    lab_address "$name" eth0 "192.168.1.$host/24" "2001:db8:55:$n::$host/64"
    lab_route "$name" default via 192.168.1.1
    lab_route "$name" default via "2001:db8:55:$n::1"
}

# lab_home UDP_TIMEOUT_S: the usual topology: the carrier and two phones behind one gateway.
lab_home() {
    lab_carrier
    lab_gateway 1 "$1"
    lab_phone phone1 1 10
    lab_phone phone2 1 11
}

# What a gateway dropped because nobody behind it had asked, in packets.
lab_unsolicited() {
    lab_exec "$1" nft list counter inet gateway unsolicited | sed -n 's/.*packets \([0-9]*\).*/\1/p'
}

# lab_count NAMESPACE NAME RULE...: counts from now on what the rule matches on its way in (before NAT).
lab_count() {
    local ns=$1 name=$2
    shift 2
    lab_exec "$ns" nft -f - <<NFT
table inet watch_$name {
    counter seen { }
    chain arrives {
        type filter hook prerouting priority raw;
        $* counter name seen
    }
}
NFT
}

lab_counted() {
    lab_exec "$1" nft list counter inet "watch_$2" seen | sed -n 's/.*packets \([0-9]*\).*/\1/p'
}

# A gateway that restarts: all its mappings are gone.
lab_forget_mappings() {
    lab_exec "$1" conntrack -F >/dev/null 2>&1
}
