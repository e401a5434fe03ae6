#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# The calls of a real core: Kamailio between phones (baresip) behind two NATs, where both have the same private
# address. Answered, held and resumed from either side, ended by the caller and by the callee, cancelled, refused;
# to a phone that registered at another port of the edge, to one whose gateway forgot it in mid-call, and to one that
# speaks IPv6. Only signalling passes here: in this lab nobody anchors the media.
# shellcheck source=tests/e2e/scene.sh
. "$(dirname "$0")/../scene.sh"
# shellcheck source=tests/e2e/real/cast.sh
. "$ROOT/tests/e2e/real/cast.sh"

# answered CALLER CALLEE USER: rings, is answered, and both know it.
answered() {
    phone_calls "$1" "$3"
    phone_got "$2" "INVITE "
    phone_got "$1" "SIP/2.0 100 "
    phone_got "$1" "SIP/2.0 180 "
    phone_do "$2" accept
    phone_got "$1" "SIP/2.0 200 " "INVITE"
    phone_got "$2" "ACK "
    core_saw "INVITE from $EDGE_CORE4"
    core_saw "200 to INVITE"
}

# holds PHONE OTHER: the re-INVITE passes and is answered, and so is the next, that takes the call back.
holds() {
    local invites acks
    invites=$(got_count "$2" "INVITE " "a=sendrecv")
    acks=$(got_count "$2" "ACK ")
    phone_do "$1" hold
    phone_got "$2" "INVITE " "a=sendonly"
    phone_got "$1" "SIP/2.0 200 " "a=recvonly"
    check_soon 8 "the ACK of $1's hold did not reach $2" got_more "$acks" "$2" "ACK "
    phone_do "$1" resume
    check_soon 8 "$1's resuming did not reach $2" got_more "$invites" "$2" "INVITE " "a=sendrecv"
    check_soon 8 "the ACK of $1's resuming did not reach $2" got_more $((acks + 1)) "$2" "ACK "
}

# ended PHONE OTHER: the one hangs up, the other hears of it.
ended() {
    phone_do "$1" hangup
    phone_got "$2" "BYE "
    phone_got "$1" "SIP/2.0 200 " "BYE"
    core_saw "BYE from $EDGE_CORE4"
    core_saw "200 to BYE"
}

lab_carrier
lab_gateway 1 60
lab_gateway 2 60
lab_phone phone1 1 10
lab_phone phone2 2 10
lab_phone phone3 1 12
edge_config peers="\"$CORE4\"" access_keys="sip_port = [5060, 5080]" interval_s=20
kamailio_start
edge_start
baresip_start phone1 alice
baresip_start phone2 bob port=5080 refresh_s=12
baresip_start phone3 carol family=6
for user in alice bob; do
    check "$user's Contact is not the private one" grep -q "@192.168.1.10:5060" <<<"$(binding $user contact)"
done
check "alice is at $(binding alice far_end), not at her gateway" grep -q "^67.194.23.55:" <<<"$(binding alice far_end)"
check "bob is at $(binding bob far_end), not at his gateway" grep -q "^67.194.24.55:" <<<"$(binding bob far_end)"

answered phone1 phone2 bob
check "the core was not told who calls" grep -q "$CALL_ID: INVITE .* asserted <sip:alice@$DOMAIN>" "$LAB_DIR/kamailio.log"
holds phone1 phone2
ended phone1 phone2

# The other way round; the caller's gateway forgets it in mid-call. It registers anew, and what either side says in
# the call goes by the new mapping.
answered phone2 phone1 alice
old=$(binding bob far_end)
id=$(binding bob id)
moved() { [ "$(binding bob far_end)" != "$old" ] && [ "$(binding_count bob)" = 1 ]; }
lab_forget_mappings gw2
check_soon 20 "bob's binding stayed at $old" moved
check "bob has another binding, not the one that he had" binding_is bob id "$id"
holds phone1 phone2
holds phone2 phone1
ended phone1 phone2

# Before it is answered: the caller gives up, the callee declines.
phone_calls phone1 bob
phone_got phone2 "INVITE "
phone_got phone1 "SIP/2.0 180 "
phone_do phone1 hangup
phone_got phone2 "CANCEL "
phone_got phone1 "SIP/2.0 487 "
phone_calls phone1 bob
phone_got phone2 "INVITE "
phone_do phone2 hangup
phone_got phone1 "SIP/2.0 (486|603) "
phone_got phone2 "ACK "

answered phone1 phone3 carol
ended phone3 phone1

# They would ask to be unregistered, for longer than it matters.
for phone in phone1 phone2 phone3; do phone_stop "$phone"; done
