#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# pinhole is killed in mid-call and started again with the same keys, but with no binding. The phone's
# BYE gets through to the core by its token; a retransmitted INVITE has the branch that it had; and a
# token toward a phone from before rings nobody, though another phone has that one's place by now.
# shellcheck source=tests/e2e/scene.sh
. "$(dirname "$0")/../scene.sh"

# branches PHONE CALL_ID: our branches in the INVITEs that the phone got, each once.
branches() {
    awk -v call="$2" '
        /^INVITE / { invite = 1; top = "" }
        invite && /^Via:/ && top == "" { match($0, /branch=[^;\r]*/); top = substr($0, RSTART, RLENGTH) }
        invite && /^Call-ID:/ { if (index($0, call)) print top; invite = 0 }' "$LAB_DIR/$1.messages" | sort -u
}
got() { [ "$(grep -c "^INVITE " "$LAB_DIR/$1.messages")" -ge "$2" ]; }

# invite USER CALL_ID [HEADER...]: from the core; its answers go to 5060, so that a copy is the same.
invite() {
    local user=$1 call=$2
    shift 2
    {
        printf 'INVITE sip:%s@%s SIP/2.0\nVia: SIP/2.0/UDP %s:%s;branch=z9hG4bK%s\n' \
            "$user" "$DOMAIN" "$CORE4" "${ANSWER_PORT:-5060}" "$call"
        printf 'From: <sip:core@%s>;tag=again\nTo: <sip:%s@%s>%s\n' "$CORE4" "$user" "$DOMAIN" "${TO_TAG:-}"
        printf 'Call-ID: %s\nCSeq: 1 INVITE\nMax-Forwards: 70\n' "$call"
        printf 'Contact: <sip:core@%s>\n' "$CORE4"
        [ $# = 0 ] || printf '%s\n' "$@"
        printf 'Content-Length: 0\n\n'
    } | lab_exec core "$ROOT/tests/e2e/ask" "$EDGE_CORE4" 2>/dev/null || true
}

keys() { edge_ctl --json status | python3 -c 'import json, sys; print(json.load(sys.stdin)["keys"][sys.argv[1]])' "$1"; }

lab_home 60
edge_config
edge_start
check "the key file is not its owner's alone" [ "$(stat -c %a "$LAB_DIR/keys.json")" = 600 ]
phone_start phone1 alice
phone_start phone2 bob refresh_ms=3000
invite bob again >/dev/null
check_soon 5 "the INVITE did not reach bob" got phone2 1

touch "$LAB_DIR/core-1.log"
core_call call_waits alice timeout_s=30 &
call=$!
check_soon 10 "alice does not talk" phone_saw phone1 talks 1
lab_stop "$EDGE_PID" KILL
edge_start
check "the call that outlived pinhole failed" wait "$call"
check_soon 10 "the phone's BYE was not answered" phone_saw phone1 "hung up" 1
check "alice is registered, so that proves nothing" [ "$(binding_count alice)" = 0 ]

bob_is_back() { [ "$(binding_count bob)" = 1 ]; }
check_soon 15 "bob does not register again" bob_is_back
seen=$(grep -c "^INVITE " "$LAB_DIR/phone2.messages")
invite bob again >/dev/null
check_soon 5 "the retransmitted INVITE did not reach bob" got phone2 $((seen + 1))
check "its branch has changed: $(branches phone2 again | tr '\n' ' ')" [ "$(branches phone2 again | wc -l)" = 1 ]

# What the core would send alice in her dialog; bob has her slot.
route=$(sed -n 's/^\(Route: <[^\r]*\)\r*$/\1/p' "$LAB_DIR/core-1.messages" | sed -n 1p)
check "the core has no Route" [ -n "$route" ]
answer=$(TO_TAG=";tag=phone" ANSWER_PORT="{port}" invite alice call-1-alice "$route" | sed -n 1p)
check "a token from before the restart got '$answer', not 430" grep -q "^SIP/2.0 430 " <<<"$answer"
check "it rang at bob" not grep -q "call-1-alice" "$LAB_DIR/phone2.messages"

# A key that is too old when pinhole starts gives way at once, and still verifies.
check "there is another number of keys than 1: $(keys count)" [ "$(keys count)" = 1 ]
lab_stop "$EDGE_PID" KILL
sed -i 's/"created_s": [0-9]*/"created_s": 1700000000/' "$LAB_DIR/keys.json"
edge_start
check "no new key was made at start: there is $(keys count)" [ "$(keys count)" = 2 ]
lab_stop "$EDGE_PID" TERM

# One that grows too old while pinhole runs gives way in mid-call: one call follows another until then.
rotated() { grep -q "a new key signs" "$LAB_DIR/pinhole.log"; }
python3 -c '
import json, sys, time
ring = json.load(open(sys.argv[1]))
ring["keys"][0]["created_s"] = int(time.time()) - 86_400 + 8
json.dump(ring, open(sys.argv[1], "w"))' "$LAB_DIR/keys.json"
edge_start
check "the key gave way at start" not rotated
check_soon 15 "bob does not register again" bob_is_back
for _ in 1 2 3 4 5 6 7 8; do
    rotated && break
    check "a call did not outlive the change of keys" core_call call bob talk_ms=2500
done
check "no new key was made: there are $(keys count)" rotated
check "there are $(keys count) keys, not 3" [ "$(keys count)" = 3 ]
lab_stop "$EDGE_PID" TERM

# What is damaged is said so, and left as it is.
head -c 100 "$LAB_DIR/keys.json" >"$LAB_DIR/part" && cat "$LAB_DIR/part" >"$LAB_DIR/keys.json"
check "pinhole starts with a damaged key file" not edge_start 2>/dev/null
check "it doesn't say why" grep -q "keys.json is damaged" "$LAB_DIR/pinhole.log"
check "the damaged file was replaced" cmp -s "$LAB_DIR/part" "$LAB_DIR/keys.json"
