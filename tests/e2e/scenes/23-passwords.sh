#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# A phone registers with its password, and goes on with its nonce, while somebody behind another gateway guesses at it,
# plays what he has heard, and learns nothing about which users exist. The subscribers change live; a file with a mistake
# changes nothing.
# shellcheck source=tests/e2e/scene.sh
. "$(dirname "$0")/../scene.sh"

SUBSCRIBERS=$LAB_DIR/subscribers
make_subscribers() { "$SIPP_DIR/make_subscribers" "$DOMAIN" "$@"; }
digest() { lab_exec "$1" "$ROOT/tests/e2e/digest" "$EDGE4" "${@:2}"; }
# log_in PHONE USER PASSWORD...: the status of the last answer.
log_in() { digest "$@" | tail -n 1 | sed 's/^SIP\/2.0 \([0-9]*\) .*/\1/'; }
# result RESULT: how many requests came to it.
result() { edge_http /metrics | sed -n "s/^pinhole_auth_requests_total{core=\"0\",result=\"$1\"} //p"; }
edge_check() { lab_exec edge "$BUILD/pinhole" --check -c "$LAB_DIR/pinhole.toml"; }
log_says() { grep -q "$1" "$LAB_DIR/pinhole.log"; }

lab_home 60
lab_gateway 2 60
lab_phone eve 2 10
edge_config auth="mode = \"digest\"
realm = \"$DOMAIN\"
subscribers = \"$SUBSCRIBERS\"
algorithms = [\"MD5\", \"SHA-256\"]" extra='[limits]
guesses_per_minute = 0'

# Mistakes are told before anything starts.
make_subscribers MD5,SHA-256 alice bob >"$SUBSCRIBERS"
echo "carol:$DOMAIN:0123" >>"$SUBSCRIBERS"
said=$(edge_check 2>&1) && fail "--check takes a bad line"
check "--check tells no line: $said" grep -q "subscribers:5: has no HA1" <<<"$said"
make_subscribers MD5,SHA-256 alice bob >"$SUBSCRIBERS"
check "--check refuses good subscribers" edge_check >/dev/null 2>&1
edge_start

# One challenge, then refreshes.
phone_start phone1 alice refresh_ms=300 password=pw-alice scenario="$SIPP_DIR/phone_digest.xml"
check_soon 10 "the phone does not refresh" phone_saw phone1 registered 5
check "$(result challenged) challenges, not 1" [ "$(result challenged)" = 1 ]
check "a call to the phone failed" core_call call alice

for algorithm in MD5 SHA-256; do
    check "bob could not log in with $algorithm" [ "$(log_in phone2 bob pw-bob "$algorithm")" = 200 ]
done
check "SHA-512-256 was offered" [ "$(digest phone2 bob pw-bob SHA-512-256)" = "SIP/2.0 401 Unauthorized" ]

# What was heard is worth nothing elsewhere.
home=$(binding bob far_end | tail -n 1)
check "bob could not log in" [ "$(log_in phone2 bob pw-bob MD5 "$LAB_DIR/heard")" = 200 ]
before=$(binding bob far_end | sort)
answer=$(lab_exec eve "$ROOT/tests/e2e/ask" "$EDGE4" <"$LAB_DIR/heard")
check "a request from elsewhere got '$(head -n 1 <<<"$answer")'" grep -q "^SIP/2.0 401" <<<"$answer"
check "it was not taken for a replay" grep -qi "stale=true" <<<"$answer"
check "it moved bob from $home" [ "$(binding bob far_end | sort)" = "$before" ]

# A sweep: whatever it asks of whom, users that exist are answered as those that don't.
# swept METHOD USER: what eve gets, but for the Via, the tag and the nonce.
swept() {
    local uri=sip:$2@$DOMAIN
    [ "$1" != REGISTER ] || uri=sip:$DOMAIN
    printf '%s\n' "$1 $uri SIP/2.0" "Via: SIP/2.0/UDP {ip}:{port};rport;branch=z9hG4bKsweep" "Max-Forwards: 70" \
        "From: <sip:$2@$DOMAIN>;tag=1" "To: <sip:$2@$DOMAIN>" "Call-ID: sweep" "CSeq: 1 $1" \
        "User-Agent: friendly, and of the length that others are of" "Contact: <sip:$2@{ip}:{port}>" "Content-Length: 0" "" |
        lab_exec eve "$ROOT/tests/e2e/ask" "$EDGE4" 2>&1 | sed "s/$2/*/g; s/nonce=\"[^\"]*\"//; /^Via:/d; s/^\(To:.*;tag=\).*/\1/"
}
for method in REGISTER INVITE OPTIONS MESSAGE SUBSCRIBE; do
    for user in bob mallory 1001; do
        check "a sweep by $method told alice from $user" [ "$(swept "$method" alice)" = "$(swept "$method" "$user")" ]
    done
    check "a sweep by $method got no answer to compare" grep -q "^SIP/2.0 4" <<<"$(swept "$method" alice)"
done

# Guessing: the same for who exists and who doesn't, then silence; and the phone goes on.
check "a guess told more of alice than of nobody" [ "$(digest eve alice guess)" = "$(digest eve mallory guess)" ]
for n in $(seq 8); do
    last=$(log_in eve alice "guess$n")
done
check "the last guess got '$last'" [ "$last" = silence ]
check "the right password got an answer" [ "$(log_in eve alice pw-alice)" = silence ]
check "nothing was dropped for guessing" [ "$(result guessed)" -ge 2 ]
check "eve has alice's binding" [ "$(binding_count alice)" = 1 ]
before=$(phone_events phone1 registered)
check_soon 10 "the phone could not refresh any more" phone_saw phone1 registered $((before + 3))
check "bob could not log in, though nobody guessed at him" [ "$(log_in eve bob pw-bob)" = 200 ]
check "a call to the phone failed" core_call call alice

# Another set, live, without a refresh lost.
check "carol is there already" [ "$(log_in phone2 carol pw-carol)" = 401 ]
make_subscribers MD5,SHA-256 alice carol >"$SUBSCRIBERS"
check "reloading failed" edge_ctl reload
check "carol could not log in" [ "$(log_in phone2 carol pw-carol)" = 200 ]
check "bob can still log in" [ "$(log_in phone2 bob pw-bob)" = 401 ]
check "$(edge_metric pinhole_subscribers) subscribers, not 2" [ "$(edge_metric pinhole_subscribers)" = 2 ]
echo "dave:$DOMAIN" >>"$SUBSCRIBERS"
said=$(edge_ctl reload 2>&1) && fail "a bad file was taken"
check "pinholectl told no line: $said" grep -q "subscribers:5: " <<<"$said"
lab_exec edge kill -HUP "$EDGE_PID"
check_soon 5 "SIGHUP logged no line" log_says "subscribers:5: "
check "the set of before is not in use" [ "$(log_in phone2 carol pw-carol)" = 200 ]
before=$(phone_events phone1 registered)
check_soon 10 "the phone could not refresh any more" phone_saw phone1 registered $((before + 3))
check "the phone was challenged again" not grep -q "^SIP/2.0 401.*stale" "$LAB_DIR/phone1.messages"
