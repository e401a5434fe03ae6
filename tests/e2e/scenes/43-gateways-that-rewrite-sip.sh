#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Linux's own SIP ALG on the gateway: what it writes into Via and Contact is seen for what it is, calls
# pass all the same, and another gateway's phones show nothing of the kind.
# shellcheck source=tests/e2e/scene.sh
. "$(dirname "$0")/../scene.sh"

lab_home 60
lab_gateway 2 60
lab_phone phone3 2 10
lab_exec gw1 nft -f - <<NFT
table ip alg {
    ct helper sip { type "sip" protocol udp; }
    chain prerouting {
        type filter hook prerouting priority filter;
        iifname "lan" udp dport 5060 ct helper set "sip"
    }
}
NFT
edge_config interval_s=2
edge_start
phone_start phone1 alice
phone_start phone3 carol
flow=$(binding alice far_end)
check "the ALG has not rewritten the Contact: $(binding alice contact)" \
    grep -q "${flow%:*}" <<<"$(binding alice contact)"
check "alice's ALG is taken for $(binding alice alg)" binding_is alice alg consistent
check "carol's ALG is taken for $(binding carol alg)" binding_is carol alg none
check "show does not tell" grep -q "rewrites SIP, consistently" <(edge_ctl show "alice@$DOMAIN")
check "nat does not tell" grep -Eq "^${flow%:*} .* 100 % " <(edge_ctl nat)
check "it is not counted" [ "$(edge_metric pinhole_contacts_by_alg)" = 1 ]
check_soon 15 "alice answered no ping" binding_is alice state reachable
check "the call through the ALG failed" core_call call alice
check "it did not ring at phone1" rang phone1
