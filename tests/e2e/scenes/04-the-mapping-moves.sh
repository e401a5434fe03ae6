#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# The gateway restarts and forgets all. The phone's next REGISTER comes from another port: the binding
# moves there, there is still one, and nothing is sent to the old port any more.
# shellcheck source=tests/e2e/scene.sh
. "$(dirname "$0")/../scene.sh"

lab_home 60
edge_config interval_s=1
edge_start
phone_start phone1 alice refresh_ms=3000
old=$(binding alice far_end)

# Mapped to a random port; once in 64,000 it is the same again.
moved() { [ "$(binding alice far_end)" != "$old" ]; }
lab_forget_mappings gw1
check_soon 15 "the binding stayed at $old" moved
new=$(binding alice far_end)
# At once: the ledger keeps a contact's last few events.
told() {
    edge_ctl why "alice@$DOMAIN" | has_line "came back by another mapping, at port ${new##*:}"
}
check_soon 5 "why doesn't say that alice came back" told
check "there are $(binding_count alice) bindings, not one" [ "$(binding_count alice)" = 1 ]

lab_count gw1 old_port "iifname wan udp dport ${old##*:}"
lab_count gw1 new_port "iifname wan udp dport ${new##*:}"
check "the call to the new mapping $new failed" core_call call alice
check "the call did not ring at phone1" rang phone1
idle 3
check "packets still go to the old port" [ "$(lab_counted gw1 old_port)" = 0 ]
check "none went to the new port" [ "$(lab_counted gw1 new_port)" -gt 0 ]
check "nat doesn't count the rebind" grep -q "^${new%:*}  *1  *1 " <(edge_ctl nat)
