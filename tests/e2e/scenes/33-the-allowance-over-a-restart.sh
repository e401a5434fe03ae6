#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# What an address may ask grows with the phones behind it, also after a restart; a damaged file of
# that costs the memory, and no more.
# shellcheck source=tests/e2e/scene.sh
. "$(dirname "$0")/../scene.sh"

# How many of 200 requests from phone2 are answered; from another port each time.
flood() {
    printf '%s\n' "OPTIONS sip:$DOMAIN SIP/2.0" "Via: SIP/2.0/UDP 192.168.1.11:5060;rport;branch=z9hG4bKflood{n}" \
        "From: <sip:eve@$DOMAIN>;tag={n}" "To: <sip:$DOMAIN>" "Call-ID: flood-{n}" "CSeq: 1 OPTIONS" \
        "Max-Forwards: 70" "User-Agent: so long that an answer is not much longer at all" "Content-Length: 0" "" |
        lab_exec phone2 "$ROOT/tests/e2e/flood" 200 "$EDGE4" | cut -d ' ' -f 1
}

restart() {
    lab_stop "$EDGE_PID" TERM
    "$@"
    edge_start
}

damage() { sed -i 's/^saved 1/saved 2/' "$LAB_DIR/allowances"; }

lab_home 60
edge_config extra='[limits]
address_per_minute = 1
address_burst = 10
phone_per_minute = 0
phone_burst = 60'
edge_start
phone_start phone1 alice
check_soon 10 "the phone did not register" phone_saw phone1 registered 1

answers=$(flood)
check "$answers of 200 were answered, with a phone behind the address" [ "$answers" -ge 50 ]
check "$answers of 200 were answered" [ "$answers" -le 75 ]

phone_stop phone1
restart true
check "the file is not its owner's alone" [ "$(stat -c %a "$LAB_DIR/allowances")" = 600 ]
check "the gateway does not stand in it" grep -q '^67\.194\.23\.55 [01]\.' "$LAB_DIR/allowances"
answers=$(flood)
check "after a restart $answers of 200 were answered" [ "$answers" -ge 50 ]

restart damage
check "it says nothing of the damage" grep -q "allowances is damaged" "$LAB_DIR/pinhole.log"
answers=$(flood)
check "without what was known $answers of 200 were answered" [ "$answers" -le 15 ]
check "none was" [ "$answers" -ge 5 ]
