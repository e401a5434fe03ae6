#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# What isn't SIP stays the kernel's: ping, ARP and ND to the edge's addresses work beside pinhole, a
# closed port is refused as ever, and SIP never is.
# shellcheck source=tests/e2e/scene.sh
. "$(dirname "$0")/../scene.sh"

refused() { lab_counted net refused; }
send() { lab_exec phone1 "$ROOT/tests/e2e/ask" "$@" </dev/null; }

lab_home 60
lab_count net refused "iifname edge icmp type destination-unreachable"
lab_count net refused6 "iifname edge icmpv6 type destination-unreachable"
edge_config interval_s=1
edge_start
phone_start phone1 alice
for address in "$EDGE4" "$EDGE6"; do
    check "no ping of $address from a phone" lab_exec phone1 ping -c 2 -W 2 "$address"
    ip -n "${LAB_PREFIX}net" neighbour flush dev edge
    check "no ping of $address with an empty neighbour table" lab_exec phone1 ping -c 2 -W 2 "$address"
done
check "no ping from the core" lab_exec core ping -c 2 -W 2 "$EDGE_CORE4"
ip -n "${LAB_PREFIX}edge" neighbour flush dev access
ip -n "${LAB_PREFIX}edge" neighbour flush dev core
check "no call after the edge's own neighbours were forgotten" core_call call alice
for garbage in 1 2 3; do
    check "garbage $garbage was answered" not send "$EDGE4" 5060 2>/dev/null
done
check "the kernel refused SIP with ICMP ($(refused) times)" [ "$(refused)" = 0 ]
check "the kernel refused SIP with ICMPv6" [ "$(lab_counted net refused6)" = 0 ]
# That the counter counts at all:
check "something answers at a closed port" not send "$EDGE4" 5999 2>/dev/null
some_refused() { [ "$(refused)" -gt 0 ]; }
check_soon 5 "the kernel doesn't refuse a closed port" some_refused
