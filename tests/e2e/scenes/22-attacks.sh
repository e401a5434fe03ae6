#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# What others try with calls: forged responses, tokens replayed, Routes that name a stranger, strangers'
# INVITEs, the core's address forged on the access side, a flood. Each is counted where it should be, and
# whom it was aimed at sees nothing. Nobody here answers by himself: each packet is one of this scene's.
# shellcheck source=tests/e2e/scene.sh
. "$(dirname "$0")/../scene.sh"

ALICE=192.168.1.10 BOB=192.168.1.11 CROOK=198.18.0.2 VICTIM=192.0.2.66
FLOOD=8000

# --- who is there --------------------------------------------------------------------------------

# host NAME NET_ADDRESS ADDRESS: a host with a public address, no gateway before it.
host() {
    lab_namespace "$1"
    lab_link "$1" eth0 net "$1"
    lab_address net "$1" "$2/24"
    lab_address "$1" eth0 "$3/24"
    lab_route "$1" default via "$2"
}

listen() {
    lab_spawn "$1" "$LAB_DIR/$1.heard" "$ROOT/tests/e2e/hear" 5060
    check_soon 20 "$1 does not listen" grep -q "^=== ready" "$LAB_DIR/$1.heard"
}

# heard NAME TEXT [TIMES]: so many datagrams with that text (once).
heard() { [ "$(grep -cF -- "$2" "$LAB_DIR/$1.heard" || true)" = "${3:-1}" ]; }

# message NAME BEGINNING TEXT: the last datagram heard that begins so and has the text.
message() {
    python3 - "$LAB_DIR/$1.heard" "$2" "$3" <<'PYTHON'
import re
import sys

with open(sys.argv[1], encoding="utf-8") as file:
    heard = re.split(r"^=== .*\n", file.read(), flags=re.MULTILINE)
print([text for text in heard if text.startswith(sys.argv[2]) and sys.argv[3] in text][-1], end="")
PYTHON
}

# --- what they send ------------------------------------------------------------------------------

# Whoever is named sends what stands on stdin, NUL between the messages.
by_alice() { lab_exec phone1 "$ROOT/tests/e2e/forge" $ALICE 5060 $EDGE4 5060; }
by_bob() { lab_exec phone2 "$ROOT/tests/e2e/forge" $BOB 5060 $EDGE4 5060; }
by_crook() { lab_exec crook "$ROOT/tests/e2e/forge" $CROOK 5060 $EDGE4 5060; }
by_core() { lab_exec core "$ROOT/tests/e2e/forge" $CORE4 5060 $EDGE_CORE4 5060; }
# From the access side, with the core's address.
as_core() { lab_exec net "$ROOT/tests/e2e/forge" $CORE4 5060 "${1:-$EDGE4}" 5060; }

# request SENDER METHOD URI CALL_ID [HEADER...]: SENDER is the address in the Via.
request() {
    local sender=$1 method=$2 uri=$3 call=$4
    shift 4
    printf '%s %s SIP/2.0\nVia: SIP/2.0/UDP %s:5060;branch=z9hG4bK-%s-%s;rport\n' \
        "$method" "$uri" "$sender" "$call" $RANDOM$RANDOM
    printf 'Max-Forwards: 70\nFrom: <sip:%s@%s>;tag=f\nTo: <%s>%s\nCall-ID: %s\nCSeq: 1 %s\n' \
        "${CALLER:-someone}" "$DOMAIN" "$uri" "${TO_TAG:-}" "$call" "$method"
    [ $# = 0 ] || printf '%s\n' "$@"
    printf 'User-Agent: so long that an answer is not much longer\nContent-Length: 0\n\n\0'
}

# answer CODE: the answer to the request on stdin.
answer() {
    printf 'SIP/2.0 %s Whatever\n' "$1"
    grep -E '^(Via|Record-Route|From|Call-ID|CSeq):'
    printf 'To: <sip:bob@%s>;tag=b\nContent-Length: 0\n\n\0' "$DOMAIN"
}

register() { request "$2" REGISTER "sip:$DOMAIN" "register-$1" "Contact: <sip:$1@$2:5060>" | sed "s/^To: .*/To: <sip:$1@$DOMAIN>/"; }

# --- what is counted -----------------------------------------------------------------------------

dropped() { edge_http /metrics | sed -n "s/^pinhole_drops_total{core=\"0\",reason=\"$1\"} //p"; }
answered() { edge_http /metrics | sed -n "s/^pinhole_sip_responses_total{core=\"0\",code=\"$1\"} //p" | grep . || echo 0; }
is() { [ "$("$1" "$2")" = "$3" ]; }

# attack WHAT TIMES COUNTER NAME COMMAND...: so many messages, which stdin has and the command sends, are
# counted there, and reach neither alice nor the victim.
declare -A counts=()
attack() {
    local what=$1 times=$2 counter=$3 name=$4
    shift 4
    "$@"
    counts[$name]=$((${counts[$name]:-0} + times))
    check_soon 20 "$what: there are $("$counter" "$name") $name" is "$counter" "$name" "${counts[$name]}"
    nothing_to "$what"
}
nothing_to() {
    check "$1 reached alice" [ "$(lab_counted phone1 all)" = 0 ]
    check "$1 reached the victim" [ "$(lab_counted victim all)" = 0 ]
}

lab_home 900 # nothing holds the mappings open
host crook 198.18.0.1 $CROOK
host victim 192.0.2.1 $VICTIM
lab_route net $EDGE_CORE4 via $EDGE4
edge_config qualify=false check_interval_s=0 peers="\"$CORE4\"" extra='[limits]
enabled = false'
edge_start
for name in phone1 phone2 crook victim core; do
    listen $name
done
register alice $ALICE | by_alice
register bob $BOB | by_bob
check_soon 20 "alice and bob are not registered" heard phone1 "SIP/2.0 200"
check_soon 20 "alice and bob are not registered" heard phone2 "SIP/2.0 200"
alice_at=$(binding alice far_end)
check "pinhole does not tell where alice is" [ -n "$alice_at" ]
lab_count phone1 all meta l4proto udp
lab_count victim all meta l4proto udp

# --- a call of the core to bob, who is one of them -----------------------------------------------

request $CORE4 INVITE "sip:bob@$DOMAIN" dialog "Contact: <sip:core@$CORE4>" | by_core
check_soon 20 "the call does not ring at bob" heard phone2 "INVITE sip:bob@"
message phone2 INVITE dialog >"$LAB_DIR/invite"
answer 200 <"$LAB_DIR/invite" >"$LAB_DIR/answer"

# Forged responses: nobody but bob can give this one, and he not for another.
other_via="s/branch=z9hG4bK-dialog[^;]*/branch=z9hG4bK-victims/; s|UDP $CORE4:5060|UDP $VICTIM:5060|"
attack "a response with a victim's Via below ours" 1 dropped bad_response by_bob < <(sed "$other_via" "$LAB_DIR/answer")
attack "a response without a Via of ours" 1 dropped bad_response by_bob \
    < <(sed "s/branch=z9hG4bKF..../branch=z9hG4bKFAAAA/" "$LAB_DIR/answer")
attack "a response of somebody else" 1 dropped wrong_sender by_crook <"$LAB_DIR/answer"
attack "a response with the core's address" 1 dropped wrong_sender as_core <"$LAB_DIR/answer"
check "a forged response reached the core" heard core "SIP/2.0 200" 0
# His own goes to the core, whatever host the Via below ours names.
sed "s|UDP $CORE4:5060|UDP $VICTIM:5060|" "$LAB_DIR/answer" | by_bob
check_soon 20 "bob's own response does not reach the core" heard core "SIP/2.0 200"
nothing_to "a response that names the victim"

# Each side's Routes, with the tokens; the INVITE has them in the phone's order.
mapfile -t routes < <(sed -n 's/^Record-Route: /Route: /p' "$LAB_DIR/invite")
check "the INVITE has ${#routes[@]} Record-Routes, not 2" [ ${#routes[@]} = 2 ]
bobs=("${routes[0]}" "${routes[1]}") cores=("${routes[1]}" "${routes[0]}")
bye() { TO_TAG=';tag=b' request "$1" BYE "$2" "$3" "${@:4}"; }

# Tokens of another call, and tokens in the other direction.
by_core_in_vain() {
    bye $CORE4 sip:bob@$BOB other "${cores[@]}"
    bye $CORE4 sip:bob@$BOB dialog "${bobs[0]}"
}
by_bob_in_vain() {
    bye $BOB sip:core@$CORE4 bob-other "${bobs[@]}"
    bye $BOB sip:core@$CORE4 dialog "${cores[0]}"
}
by_crook_in_vain() {
    bye $CROOK sip:core@$CORE4 other "${bobs[@]}"
    bye $CROOK sip:alice@$DOMAIN dialog "${cores[0]}"
}
attack "a token that is none, by the core" 2 answered 430 by_core < <(by_core_in_vain)
attack "a token that is none, by bob" 2 answered 430 by_bob < <(by_bob_in_vain)
attack "a token that is none, by a stranger" 2 dropped stranger by_crook < <(by_crook_in_vain)
check "a token that is none reached bob" heard phone2 "BYE sip:" 0
check "a token that is none reached the core" heard core "BYE sip:" 0

# A token for another target, and Routes and request URIs behind it that name others: it leads to where
# it always did. A stranger who has seen the whole dialog can do no more with it than bob.
uris=("sip:alice@$DOMAIN" "sip:alice@$ALICE" "sip:alice@$alice_at" "sip:someone@$VICTIM" tel:+15550100)
byes() {
    local uri
    for uri in "${uris[@]}"; do
        bye "$1" "$uri" dialog "${@:3}" "Route: <sip:$VICTIM;lr>" "X-By: $2"
    done
}
byes $CORE4 core "${cores[@]}" | by_core
byes $BOB bob "${bobs[@]}" | by_bob
byes $CROOK crook "${bobs[@]}" | by_crook
check_soon 20 "the core's BYEs don't reach bob" heard phone2 "X-By: core" ${#uris[@]}
check_soon 20 "bob's BYEs don't reach the core" heard core "X-By: bob" ${#uris[@]}
check_soon 20 "those by bob's token don't reach the core" heard core "X-By: crook" ${#uris[@]}
check "bob got others' BYEs too" heard phone2 "BYE sip:" $((${#uris[@]} - 1))
nothing_to "a token for another target"

# --- strangers -----------------------------------------------------------------------------------

uris+=("sip:nobody@$DOMAIN" "sip:someone@$CORE4" "sip:+15550100@$DOMAIN")
invites() {
    local uri
    for uri in "${uris[@]}"; do
        CALLER=alice request "$1" INVITE "$uri" "$2" "${@:3}"
    done
}
attack "a stranger's INVITE" ${#uris[@]} dropped stranger by_crook < <(invites $CROOK crook)
attack "a stranger's INVITE with a Route" ${#uris[@]} dropped stranger by_crook \
    < <(invites $CROOK crook "Route: <sip:$CORE4;lr>")
check_soon 20 "strangers are not refused" heard crook "SIP/2.0 403 Forbidden" $((2 + 2 * ${#uris[@]}))
check "a stranger's call reached the core" heard core "Call-ID: crook" 0

# The core's address on the access side is a stranger's. What he is answered goes to the core, as it would
# to any address that is forged: refusals, no larger than the flood's below, and nothing else.
lab_count core reflected "ip saddr $EDGE4 meta l4proto udp"
attack "an INVITE with the core's address" ${#uris[@]} dropped stranger as_core < <(invites $CORE4 forged)
attack "a BYE with the core's address and token" 1 dropped stranger as_core \
    < <(bye $CORE4 sip:bob@$BOB dialog "${cores[0]}" "X-By: forger")
check "it reached bob" heard phone2 "X-By: forger" 0
check "a forged call reached the core" heard core "Call-ID: forged" 0
check "$(lab_counted core reflected) answers went to the core's address" [ "$(lab_counted core reflected)" -le $((${#uris[@]} + 1)) ]
# To the core's side of the edge, by the access port: nothing there is for pinhole.
invites $CORE4 forged | as_core $EDGE_CORE4

# --- a flood of calls for nobody -----------------------------------------------------------------

# flood NAMESPACE SENDER EDGE COUNT: answers, and how many times as large as a request.
flood() {
    request "$2" INVITE "sip:nobody-{n}@$DOMAIN" "flood-{n}" "X-Branch: {n}" | tr -d '\0' |
        lab_exec "$1" "$ROOT/tests/e2e/flood" "$4" "$3"
}
resident_kb() { awk '/^VmRSS:/ { print $2 }' "/proc/$EDGE_PID/status"; }

# flooded NAMESPACE SENDER EDGE CODE: each is answered and counted, and pinhole is as large as before.
flooded() {
    local before kb answers factor
    flood "$1" "$2" "$3" 1000 >/dev/null
    before=$(answered "$4")
    kb=$(resident_kb)
    read -r answers factor <<<"$(flood "$1" "$2" "$3" $FLOOD)"
    check "they are not counted as $4" [ "$(answered "$4")" = $((before + FLOOD)) ]
    kb=$(($(resident_kb) - kb))
    check "$answers of $FLOOD INVITEs from $1 were answered" [ "$answers" = $FLOOD ]
    check "an answer was $factor times as large as its request" awk "BEGIN { exit !($factor <= 1.5) }"
    check "pinhole grew by $kb KB" [ $kb -le 256 ]
    check "there are $(edge_metric pinhole_contacts) contacts, not 2" [ "$(edge_metric pinhole_contacts)" = 2 ]
    nothing_to "a flood"
}
flooded crook $CROOK $EDGE4 403
check "they are not counted as strangers" is dropped stranger $((counts[stranger] + FLOOD + 1000))
flooded core $CORE4 $EDGE_CORE4 404
check "buffers ran out" is dropped no_mbuf 0

# After all that alice is called, by the core, once.
request $CORE4 INVITE "sip:alice@$DOMAIN" true "Contact: <sip:core@$CORE4>" | by_core
check_soon 20 "after all that a true call does not ring" heard phone1 "INVITE sip:alice@"
check "alice got $(lab_counted phone1 all) packets, not 1" [ "$(lab_counted phone1 all)" = 1 ]
check "the victim got something" [ "$(lab_counted victim all)" = 0 ]
check "there are $(edge_metric pinhole_calls_in_total) calls in, not bob's and hers" [ "$(edge_metric pinhole_calls_in_total)" = 2 ]
check "there are $(edge_metric pinhole_calls_out_total) calls out" [ "$(edge_metric pinhole_calls_out_total)" = 0 ]
