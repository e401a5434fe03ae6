#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# A phone goes, and its gateway gives its port to another phone. Calls for the first must not ring
# there: they get 480 until it registers again itself, and operators are told why.
# shellcheck source=tests/e2e/scene.sh
. "$(dirname "$0")/../scene.sh"

lab_home 60
# A gateway with one port to give.
lab_exec gw1 nft -f - <<NFT
flush chain inet gateway postrouting
table inet gateway {
    chain postrouting {
        oifname "wan" ip protocol udp masquerade to :40000
        oifname "wan" meta nfproto ipv4 masquerade
    }
}
NFT
edge_config interval_s=2 max_missed=2
edge_start
phone_start phone1 alice
check_soon 15 "alice answered no ping" binding_is alice state reachable
check "the call before failed" core_call call alice
phone_stop phone1
check_soon 20 "alice is not missed" binding_is alice state unreachable
idle 31 # no gateway forgets sooner
lab_forget_mappings gw1
phone_start phone2 bob
check "bob is not where alice was" [ "$(binding bob far_end)" = "$(binding alice far_end)" ]
check "alice is not suspect" binding_is alice suspect True
check "bob is" binding_is bob suspect False
check_soon 15 "bob answers no ping" binding_is bob state reachable
check "a call for alice was not refused" core_call call_refused alice
check "it was not refused with 480" grep -q "^refused 480" "$CALL_LOG"
check "it rang at bob's phone" not rang phone2
check "bob can't be called" core_call call bob
check "the call did not ring at phone2" rang phone2
check "show does not tell" grep -q "SUSPECT" <(edge_ctl show "alice@$DOMAIN")
check "why does not tell" \
    grep -q "another phone registered by its mapping" <(edge_ctl why "alice@$DOMAIN")
check "it is not counted" [ "$(edge_metric pinhole_contacts_suspect)" = 1 ]

# The first phone is back, by a mapping of its own.
lab_exec gw1 nft insert rule inet gateway postrouting oifname wan ip saddr 192.168.1.10 udp sport 5060 masquerade to :40001
phone_start phone1 alice
check_soon 5 "alice is suspect still" binding_is alice suspect False
check "the call after failed" core_call call alice
check "the call did not ring at phone1" rang phone1
none_is_suspect() { [ "$(edge_metric pinhole_contacts_suspect)" = 0 ]; }
check_soon 5 "she is counted still" none_is_suspect
