#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Domains, core peers and timers are others from one moment to the next, under phones that stay
# registered; with a mistake in the file nothing is; what needs a restart is named. Then the edge is
# drained: no newcomer is taken, calls and pings go on, and it ends when it was told to.
# shellcheck source=tests/e2e/scene.sh
. "$(dirname "$0")/../scene.sh"

CONFIG=$LAB_DIR/pinhole.toml
log_says() { grep -q "$1" "$LAB_DIR/pinhole.log"; }

# asks USER [DOMAIN]: what a REGISTER from phone2 gets.
asks() {
    printf '%s\n' "REGISTER sip:${2:-$DOMAIN} SIP/2.0" "Via: SIP/2.0/UDP 192.168.1.11:5060;rport;branch=z9hG4bK$RANDOM" \
        "From: <sip:$1@${2:-$DOMAIN}>;tag=1" "To: <sip:$1@${2:-$DOMAIN}>" "Call-ID: asks-$RANDOM" "CSeq: 1 REGISTER" \
        "Contact: <sip:$1@192.168.1.11:5060>" "Max-Forwards: 70" "Expires: ${EXPIRES:-60}" "Content-Length: 0" "" |
        lab_exec phone2 "$ROOT/tests/e2e/ask" "$EDGE4" | sed -n 1p | tr -d '\r' || true
}
answered() { [[ $(EXPIRES=${4:-60} asks "$2" "${3:-$DOMAIN}") == "SIP/2.0 $1"* ]]; }

lab_home 120
edge_config
edge_start
phone_start phone1 alice
check "a foreign domain was served: $(asks carol other.example)" answered 403 carol other.example

sed -i 's/^domains = .*/domains = ["example.com", "other.example"]/; s/^min_expires = .*/min_expires = 70/' "$CONFIG"
sed -i 's/^workers = .*/workers = 2/' "$CONFIG"
said=$(edge_ctl reload) || fail "a good file was not taken: $said"
check "it does not say what has changed: $said" grep -q '^registrar.domains was \["example.com"\], is ' <<<"$said"
check "it does not name what needs a restart: $said" grep -q 'dataplane.workers .*needs a restart' <<<"$said"
check "the log does not say what has changed" log_says "reloaded: registrar.min_expires was 5, is 70"
check "the new domain is not served" answered 200 carol other.example 600
check "the new timer does not hold" answered 423 dave
check "alice is gone" [ "$(binding_count alice)" = 1 ]
sed -i 's/^workers = .*/workers = 1/' "$CONFIG"

# A mistake, and something that would be good.
cp "$CONFIG" "$LAB_DIR/good.toml"
sed -i 's/^max_missed = .*/max_missed = 0/; s/^min_expires = .*/min_expires = 5/' "$CONFIG"
said=$(edge_ctl reload 2>&1) && fail "a bad file was taken"
check "no line is named: $said" grep -q "pinhole.toml:[0-9]*: qualify.max_missed" <<<"$said"
check "half of it was taken" answered 423 dave
kill -HUP "$EDGE_PID"
check_soon 5 "SIGHUP says nothing of it" log_says "nothing was reloaded"
cp "$LAB_DIR/good.toml" "$CONFIG"

# The core's peer is another, and is a peer again.
sed -i 's/^peers = .*/peers = ["203.0.113.99"]/' "$CONFIG"
check "another peer was not taken" edge_ctl reload
core_call call alice timeout_s=3 && fail "who is no peer any more got a call through"
cp "$LAB_DIR/good.toml" "$CONFIG"
kill -HUP "$EDGE_PID"
check_soon 5 "SIGHUP took no good file" log_says "reloaded: core.peers was \[\"203.0.113.99:5060\"\]"
check "the peer's call failed" core_call call alice

check "draining failed" edge_ctl drain
not_ready() { not edge_ready; }
check "it is ready, though it drains" not_ready
check "a newcomer was taken" answered 503 erin other.example 600
pings=$(phone_events phone1 pinged)
check_soon 10 "pings have ended" phone_saw phone1 pinged $((pings + 2))
check "a call failed" core_call call alice
check "draining can't be ended" edge_ctl drain --cancel
check "it is not ready again" edge_ready
check "a newcomer was not taken" answered 200 erin other.example 600

check "draining failed" edge_ctl drain --stop-after 2
ended() { not kill -0 "$EDGE_PID"; }
check_soon 15 "it does not end" ended
check "it ended badly" wait "$EDGE_PID"
