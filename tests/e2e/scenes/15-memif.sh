#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# alone
# A port that the kernel never sees: another DPDK process on the host, testpmd as a virtual switch, hands
# frames over by memif. The edge's addresses stand on pinhole's TAP, by which the kernel answers ARP, ND
# and ping; phones register, are pinged and called. The switch may come later than pinhole, and restart.
# shellcheck source=tests/e2e/scene.sh
. "$(dirname "$0")/../scene.sh"

SWITCH_PID=

# The switch polls without rest: as the nicest process here it leaves a core to whoever wants it.
switch_start() {
    lab_spawn switch "$LAB_DIR/switch.log" env RUNTIME_DIRECTORY="$LAB_DIR" nice -n 19 \
        dpdk-testpmd --no-huge --no-shconf --no-pci --no-telemetry -m 128 \
        --file-prefix="${LAB_PREFIX}switch" --lcores '(0-1)@(0-1)' \
        --vdev "net_memif0,role=client,socket=$LAB_DIR/switch.sock,socket-abstract=no" \
        --vdev "net_af_packet0,iface=access" \
        -- --no-mlockall --total-num-mbufs=4096 --forward-mode=io --stats-period=60
    SWITCH_PID=$LAB_PID
}

refused() { lab_counted net "$1"; }
pings() { lab_exec phone1 ping -c 1 -W 2 "$1"; }

command -v dpdk-testpmd >/dev/null || fail "there is no dpdk-testpmd here: run scripts/setup first"
lab_home 60
# The cable to the edge ends in the switch, which has no address of its own.
lab_namespace switch
lab_sysctl switch net/ipv6/conf/default/disable_ipv6 1
ip -n "${LAB_PREFIX}edge" link set access netns "${LAB_PREFIX}switch"
ip -n "${LAB_PREFIX}switch" link set access up
# Between programs nobody completes a checksum that a veth left to the hardware.
lab_exec net ethtool -K edge tx off >/dev/null
lab_count net refused "iifname edge icmp type destination-unreachable"
lab_count net refused6 "iifname edge icmpv6 type destination-unreachable"

edge_config access="memif:$LAB_DIR/switch.sock" access_keys='memif_role = "server"' interval_s=1
edge_launch
check_soon 10 "pinhole makes no TAP" ip -n "${LAB_PREFIX}edge" link show dev pinhole0
lab_address edge pinhole0 $EDGE4/24 $EDGE6/64
lab_route edge default via 198.51.100.254
lab_route edge default via 2001:db8:100::fe
switch_start
check "pinhole doesn't serve at the TAP's addresses" edge_serves
for address in "$EDGE4" "$EDGE6"; do
    check_soon 20 "no ping of $address through the TAP" pings "$address"
    ip -n "${LAB_PREFIX}net" neighbour flush dev edge
    check "no ping of $address with an empty neighbour table" pings "$address"
done

phone_start phone1 alice
phone_start phone2 bob family=6
check_soon 10 "alice is $(binding alice state), not reachable" binding_is alice state reachable
check_soon 10 "bob is $(binding bob state), not reachable" binding_is bob state reachable
check "the call to alice failed" core_call call alice
check "it did not ring at phone1" rang phone1
check "the call that bob ends failed" core_call call_waits bob
check "it did not ring at phone2" rang phone2

lab_stop "$SWITCH_PID" KILL
switch_start
check_soon 20 "no ping after the switch restarted" pings "$EDGE4"
check "the call after the switch restarted failed" core_call call alice
check "the kernel refused SIP with ICMP ($(refused refused) times)" [ "$(refused refused)" = 0 ]
check "the kernel refused SIP with ICMPv6" [ "$(refused refused6)" = 0 ]
