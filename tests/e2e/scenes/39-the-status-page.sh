#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# What an operator sees: the status page in a real browser, and pinholectl top. A phone with a Contact made
# to hurt a browser or a terminal shows as text.
# shellcheck source=tests/e2e/scene.sh
. "$(dirname "$0")/../scene.sh"

# page FRAGMENT: the page as it stands when its script has asked twice, in $LAB_DIR/page.
page() {
    lab_exec edge env HOME="$LAB_DIR" timeout 60 chromium --headless --no-sandbox --disable-gpu \
        --disable-dev-shm-usage --user-data-dir="$LAB_DIR/browser" --virtual-time-budget=6000 \
        --enable-logging=stderr --dump-dom "http://127.0.0.1:9060/$1" >"$LAB_DIR/page" 2>"$LAB_DIR/browser.log"
}

# The page as soon as its script has asked once.
first_look() {
    lab_exec edge env HOME="$LAB_DIR" timeout 60 chromium --headless --no-sandbox --disable-gpu \
        --disable-dev-shm-usage --user-data-dir="$LAB_DIR/browser" --virtual-time-budget=500 \
        --dump-dom "http://127.0.0.1:9060/" >"$LAB_DIR/page" 2>"$LAB_DIR/browser.log"
}
registers_were_seen() { edge_http /v1/rates | python3 -c 'import json, sys
sys.exit(not any(json.load(sys.stdin)["per_s"]["registers"]))'; }

pings_were_missed() { edge_http /v1/nat | python3 -c 'import json, sys
sys.exit(not any(gateway["missed"] for gateway in json.load(sys.stdin)["largest"]))'; }

has() { grep -qF -- "$1" "$LAB_DIR/page"; }

# register USER CONTACT: a phone that registers once and says no more.
register() {
    printf '%s\n' "REGISTER sip:$DOMAIN SIP/2.0" "Via: SIP/2.0/UDP {ip}:{port};rport;branch=z9hG4bK$RANDOM" \
        "From: <sip:$1@$DOMAIN>;tag=1" "To: <sip:$1@$DOMAIN>" "Call-ID: page-$1" "CSeq: 1 REGISTER" \
        "Max-Forwards: 70" "Contact: $2" "Content-Length: 0" "" |
        lab_exec phone2 "$ROOT/tests/e2e/ask" "$EDGE4" | has_line "^SIP/2.0 200"
}

command -v chromium >/dev/null || fail "there is no chromium: run scripts/setup --test"
lab_home 60
edge_config
edge_start
phone_start phone1 alice
check "mallory cannot register" register mallory \
    '<sip:m@10.0.0.9>;x="<img src=x onerror=alert(1)>"'
check_soon 20 "alice never answers a ping" binding_is alice state reachable

# What was before anybody looked is shown at once: the page's script has not asked twice.
check_soon 20 "the rates know of no REGISTER" registers_were_seen
idle 5
check "the browser fails" first_look
check "the page does not show the rates from before it was opened" \
    grep -qE 'REGISTER: [0-9.]+ \(at most (0\.[1-9]|[1-9][0-9.]*)\)' "$LAB_DIR/page"
check "the page draws no line of several points" grep -qE '<polyline points="[0-9.]+,[0-9.]+ [0-9.]+,[0-9.]+ ' "$LAB_DIR/page"
check "the page doesn't say how long it looks back" has "The last 10 min 0 s"

check_soon 20 "no ping to mallory is missed" pings_were_missed
page "" || fail "the browser fails: $(tail -n 3 "$LAB_DIR/browser.log")"
check "the gateway of a phone that doesn't answer is not among those with trouble" \
    grep -qE '<section id="nat"><h2>Gateways with trouble</h2>.*>67\.194\.23\.55<' <(tr -d '\n' <"$LAB_DIR/page")
for shown in ">ready<" "<h2>Cores</h2>" "af_packet:access" "$CORE4:5060" ">20,000<" "REGISTER: " "(at most "; do
    check "the page does not show '$shown'" has "$shown"
done
check "no core is shown" grep -qE '<td[^>]*>0</td><td[^>]*>[0-9]+</td><td[^>]*>[0-9.]+ %</td>' "$LAB_DIR/page"
check "the browser was kept from something" not grep -qiE 'Content.Security.Policy|Uncaught|SyntaxError' "$LAB_DIR/browser.log"

page "#aor=alice%40$DOMAIN"
check "alice is not found" has "sip:alice@$DOMAIN"
check "alice's mapping is not shown" has "$(binding alice far_end)"
check "alice does not show as reachable" has '<td class="good">reachable</td>'
page "#aor=nobody%40$DOMAIN"
check "nobody has a binding" has "has no binding"
page "#aor=mallory%40$DOMAIN"
check "mallory's contact is not shown" has "sip:m@10.0.0.9"
check "mallory's parameters are not shown as text" has "&lt;img src=x onerror"
check "a Contact became markup" not grep -qi '<img' "$LAB_DIR/page"
page "#aor=%3Cimg%20src%3Dx%3E"
check "the fragment became markup" not grep -qi '<img' "$LAB_DIR/page"
check "the policy is not sent" grep -qi "^content-security-policy: default-src 'none'" \
    <<<"$(lab_exec edge curl -si http://127.0.0.1:9060/)"

edge_ctl top --once --interval 2.5 >"$LAB_DIR/top"
check "top shows no core: $(cat "$LAB_DIR/top")" grep -qE '^ +0 +[0-9]+ +[0-9.]+ % +2 ' "$LAB_DIR/top"
check "top is wider than 80 columns" not grep -qE '.{81}' "$LAB_DIR/top"
check "top counts no pings though two phones are pinged" \
    test "$(edge_ctl --json top --once --interval 2.5 |
        python3 -c 'import json, sys; print(json.load(sys.stdin)["sent_per_s"] > 0)')" = True
