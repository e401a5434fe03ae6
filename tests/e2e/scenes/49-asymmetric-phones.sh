#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Phones with addresses of their own that send from one port and listen at another: nobody answers where
# they register from, so the port that the Contact names is asked, once, and calls ring there if it
# answers. What a Contact says of another address is nobody's word: nothing is ever sent there.
# shellcheck source=tests/e2e/scene.sh
. "$(dirname "$0")/../scene.sh"

ALICE=67.194.40.10 BOB=67.194.40.11 CAROL=67.194.40.12 VICTIM=67.194.40.13
SENDS_FROM=5070 LISTENS_AT=5062

# register USER ADDRESS CONTACT CSEQ: from SENDS_FROM, by a socket that is never read.
register() {
    printf '%s\n' "REGISTER sip:$DOMAIN SIP/2.0" "Via: SIP/2.0/UDP $2:$SENDS_FROM;rport;branch=z9hG4bK$1$4" \
        "Max-Forwards: 70" "From: <sip:$1@$DOMAIN>;tag=$1" "To: <sip:$1@$DOMAIN>" "Call-ID: of-$1" \
        "CSeq: $4 REGISTER" "Contact: <sip:$1@$3>" "Expires: 600" "Content-Length: 0" "" |
        lab_exec phones "$ROOT/tests/e2e/forge" "$2" $SENDS_FROM "$EDGE4" 5060
    check_soon 5 "$1 is not registered" binding_is "$1" cseq "$4"
}
# Lines are wrapped.
told_by() { edge_ctl "$1" "alice@$DOMAIN" | tr -s ' \n' ' ' | has_line "$2"; }
counted_is() { [ "$(lab_counted phones "$1")" = "$2" ]; }

lab_carrier
lab_namespace phones
lab_link phones eth0 net phones
lab_address net phones 67.194.40.1/24
lab_address phones eth0 $ALICE/24 $BOB/24 $CAROL/24 $VICTIM/24
lab_route phones default via 67.194.40.1
edge_config interval_s=2
edge_start

# Nothing answers at the ports that they send from; alice's phone does where it listens.
lab_spawn phones "$LAB_DIR/hears" "$ROOT/tests/e2e/hear" $SENDS_FROM
lab_spawn phones "$LAB_DIR/alice.screen" sipp -i $ALICE -p $LISTENS_AT -nostdin \
    -sf "$SIPP_DIR/phone_answers.xml" -key user alice -trace_logs -log_file "$LAB_DIR/alice.log" \
    -trace_err -error_file "$LAB_DIR/alice.errors"
lab_count phones bob ip daddr $BOB udp dport $LISTENS_AT
lab_count phones victim ip daddr $VICTIM
register alice $ALICE $ALICE:$LISTENS_AT 1
register bob $BOB $BOB:$LISTENS_AT 1 # where nobody is either
register carol $CAROL $VICTIM:$LISTENS_AT 1

check_soon 15 "alice's other port was not found: $(binding alice far_end)" \
    binding_is alice far_end $ALICE:$LISTENS_AT
check_soon 10 "alice answers no ping there" binding_is alice state reachable
check "the call to alice failed" core_call call alice
check "it did not ring where she listens" rang alice
check "the binding is not marked" binding_is alice at_contact True
check "show does not tell" told_by show "the port that its Contact names"
check "why does not tell" told_by why "answered at its Contact's port and is reached there, at port $LISTENS_AT"
check "it is not counted" [ "$(edge_metric pinhole_contacts_retargeted_total)" = 1 ]

# A refresh from the port that she sends from leaves her where she was found.
register alice $ALICE $ALICE:$LISTENS_AT 2
check "a refresh has moved her" binding_is alice far_end $ALICE:$LISTENS_AT
check "the call after it failed" core_call call alice

# Bob's port was asked once and no more; carol's Contact is somebody else's address.
missed_four() { [ "$(binding "$1" missed)" -ge 4 ]; }
check_soon 15 "bob's pings were answered" missed_four bob
check_soon 15 "carol's pings were answered" missed_four carol
check "bob's other port was asked $(lab_counted phones bob) times" counted_is bob 1
check "bob is reached elsewhere" binding_is bob far_end $BOB:$SENDS_FROM
check "carol is reached elsewhere" binding_is carol far_end $CAROL:$SENDS_FROM
check "the address in carol's Contact was sent to" counted_is victim 0
check "it was asked for two ports" [ "$(edge_metric pinhole_qualify_probes_total)" = 2 ]
