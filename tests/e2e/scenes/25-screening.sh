#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# A scanner's sweep gets silence and is counted by rule, while a phone registers, refreshes and is called.
# The rules change live; a file with a mistake changes nothing, and its line is told.
# shellcheck source=tests/e2e/scene.sh
. "$(dirname "$0")/../scene.sh"

RULES=$LAB_DIR/screen.rules

# knock METHOD URI USER_AGENT: one request from phone2; prints the status line of the answer, or "silence".
knock() {
    count=$((${count:-0} + 1))
    {
        printf '%s %s SIP/2.0\nVia: SIP/2.0/UDP {ip}:{port};rport;branch=z9hG4bKscan%s%s\n' "$1" "$2" "$count" "$RANDOM"
        printf 'Max-Forwards: 70\nFrom: <sip:1000@%s>;tag=%s\nTo: <sip:1000@%s>\n' "$DOMAIN" "$RANDOM" "$DOMAIN"
        printf 'Call-ID: scan-%s-%s\nCSeq: 1 %s\nContact: <sip:1000@{ip}:{port}>\n' "$count" "$RANDOM" "$1"
        printf 'User-Agent: %s\nContent-Length: 0\n\n' "$3"
    } | lab_exec phone2 "$ROOT/tests/e2e/ask" "$EDGE4" 2>/dev/null | sed -n 1p | grep . || echo silence
}

edge_check() { lab_exec edge "$BUILD/pinhole" --check -c "$LAB_DIR/pinhole.toml"; }
hits() { edge_http /metrics | sed -n "s/^pinhole_screen_hits_total{rule=\"$1\"} //p"; }
log_says() { grep -q "$1" "$LAB_DIR/pinhole.log"; }
expect() {
    local want=$1 got
    shift
    got=$(knock "$@")
    # shellcheck disable=SC2053 # a pattern
    [[ $got == $want ]] || fail "$1 as $3 got '$got', not $want"
}

# A file with mistakes: --check and the start tell all of them, with their lines.
lab_home 60
edge_config extra="[screen]
rules = \"$RULES\""
printf 'user-agent /x/ drop good\nuser-agent /(y/ drop bad\nfrom /z/ dorp worse\n' >"$RULES"
said=$(edge_check 2>&1) && fail "--check takes bad rules"
check "--check tells no line of the bad pattern: $said" grep -q "screen.rules:2: .*Missing close parenthesis" <<<"$said"
check "--check tells no line of the bad action: $said" grep -q 'screen.rules:3: "dorp" is no action' <<<"$said"

cp "$ROOT/conf/screen.rules" "$RULES"
check "--check refuses the rules that ship" edge_check >/dev/null 2>&1
edge_start
phone_start phone1 alice refresh_ms=1000

for method in OPTIONS REGISTER INVITE; do
    expect silence "$method" "sip:$DOMAIN" friendly-scanner
done
check "$(hits friendly-scanner) hits of friendly-scanner, not 3" [ "$(hits friendly-scanner)" = 3 ]
check "the scanner has a binding" [ "$(binding_count 1000)" = 0 ]
expect silence OPTIONS "sip:a%0d%0aVia:x@$DOMAIN" "Yealink SIP-T46U 108.86.0.90"
check "no hit of smuggled-line-end" [ "$(hits smuggled-line-end)" = 1 ]
expect "SIP/2.0 200 *" OPTIONS "sip:$EDGE4" "sipsak 0.9.7pre"
check "no hit of sipsak" [ "$(hits sipsak)" = 1 ]
check "a call to the phone failed" core_call call alice
check "the phone's binding is gone" [ "$(binding_count alice)" = 1 ]

# Another set, live: the scanner is refused now, and its rule counts on.
sed -i 's/drop    friendly-scanner$/reject 403 friendly-scanner/' "$RULES"
check "reloading failed" edge_ctl reload
expect "SIP/2.0 403 *" OPTIONS "sip:$DOMAIN" friendly-scanner
check "the hits began anew" [ "$(hits friendly-scanner)" = 4 ]

# A mistake: told with its line, and nothing changes.
echo 'user-agent /(unclosed/ drop mistake' >>"$RULES"
line=$(wc -l <"$RULES")
said=$(edge_ctl reload 2>&1) && fail "a bad file was taken"
check "pinholectl told no line: $said" grep -q "screen.rules:$line: " <<<"$said"
lab_exec edge kill -HUP "$EDGE_PID"
check_soon 5 "SIGHUP logged no line" log_says "screen.rules:$line: "
expect "SIP/2.0 403 *" OPTIONS "sip:$DOMAIN" friendly-scanner
check "the rules of before are not in use" [ "$(hits friendly-scanner)" = 5 ]

# And by SIGHUP a good one again.
echo 'user-agent /^sipsak/ tarpit silent-sipsak' >"$RULES"
lab_exec edge kill -HUP "$EDGE_PID"
check_soon 5 "SIGHUP took no good file" log_says "reloaded: screening rules: 1"
expect silence OPTIONS "sip:$EDGE4" "sipsak 0.9.7pre"
check "no hit of silent-sipsak" [ "$(hits silent-sipsak)" = 1 ]
check "the phone's binding is gone" [ "$(binding_count alice)" = 1 ]
check "a call to the phone failed" core_call call alice
