#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# alone
# A worker on a core that somebody else takes nearly all of gets more than it can do: whoever is not
# registered gets 503, to come back spread over a minute, or no answer; the phones' refreshes are never
# refused. What it counts adds up. When it is over, strangers are answered again.
# shellcheck source=tests/e2e/scene.sh
. "$(dirname "$0")/../scene.sh"

PHONES=20

counted() { edge_http /metrics | sed -n "s/^$1 //p"; }
refused() { counted "pinhole_overload_refused_total{core=\"0\",rank=\"$1\"}"; }
dropped() { counted "pinhole_drops_total{core=\"0\",reason=\"$1\"}"; }
answered() { counted "pinhole_sip_responses_total{core=\"0\",code=\"$1\"}"; }
at_least() { [ "$("${@:2}")" -ge "$1" ]; }
all_registered() { [ "$(edge_metric pinhole_contacts)" = "$PHONES" ]; }
retries() { sed -n 's/.*retry \([0-9]*\).*/\1/p' "$LAB_DIR/strangers.log"; }
retry_count() { retries | wc -l; }

# The worker's thread is what DPDK calls it. Who works beside it on its core counts 68 times as much, so
# that the worker goes on, slowly, on a machine of any speed.
starve_worker() {
    local task
    for task in "/proc/$EDGE_PID/task"/*; do
        if grep -q worker "$task/comm"; then
            taskset -pc 0 "${task##*/}" >/dev/null
            renice -n 19 -p "${task##*/}" >/dev/null
            STARVED=${task##*/}
        fi
    done
    [ -n "${STARVED:-}" ] || fail "pinhole has no thread that is called a worker's"
    lab_spawn edge /dev/null taskset -c 0 sh -c 'while :; do :; done'
    HOG_PID=$LAB_PID
}

strangers_start() {
    lab_spawn phone2 "$LAB_DIR/strangers.screen" sipp "$EDGE4:5060" -i 192.168.1.11 -sf "$SIPP_DIR/stranger.xml" \
        -key domain "$DOMAIN" -r 5000 -l 20000 -nostdin -nd -trace_logs -log_file "$LAB_DIR/strangers.log"
    STRANGERS_PID=$LAB_PID
}

lab_home 120
edge_config qualify=false extra='[limits]
enabled = false
[overload]
retry_after_s = 60'
edge_start
"$SIPP_DIR/make_users" "$PHONES" "$DOMAIN" >"$LAB_DIR/phones.csv"
lab_spawn phone1 "$LAB_DIR/phones.screen" sipp "$EDGE4:5060" -i 192.168.1.10 -t un -max_socket 100 \
    -sf "$SIPP_DIR/refresh_load.xml" -inf "$LAB_DIR/phones.csv" -m "$PHONES" -l "$PHONES" -r "$PHONES" -d 500 -nostdin \
    -default_behaviors all,-abortunexp -trace_err -error_file "$LAB_DIR/phones.errors" \
    -trace_msg -message_file "$LAB_DIR/phones.messages"
check_soon 15 "there are $(edge_metric pinhole_contacts) phones, not $PHONES" all_registered

touch "$LAB_DIR/strangers.log"
starve_worker
strangers_start
check_soon 90 "not 1000 strangers were refused" at_least 1000 refused other
check_soon 60 "not 200 strangers were told when to come back" at_least 200 retry_count
before=$(answered 200)
check_soon 60 "the phones could not refresh after the first $before times" at_least $((before + PHONES)) answered 200

lab_stop "$STRANGERS_PID" KILL
lab_stop "$HOG_PID" KILL
renice -n 0 -p "$STARVED" >/dev/null
for rank in newcomer unproven; do
    check "$(refused $rank) of rank $rank were refused" [ "$(refused $rank)" = 0 ]
done
check "a phone was refused" not grep -q '^SIP/2.0 503' "$LAB_DIR/phones.messages"

# Spread evenly from 60 to 120 s, nobody sooner: each third gets its share.
read -r low high first last <<<"$(retries | awk '
    NR == 1 { low = high = $1 }
    { if ($1 < low) low = $1; if ($1 > high) high = $1; first += $1 < 80; last += $1 > 100 }
    END { print low, high, first * 100 / NR, last * 100 / NR }')"
check "they are to come back after $low to $high s" [ "$low" -ge 60 ]
check "they are to come back after $low to $high s" [ "$high" -le 120 ]
check "$first and $last % are to come back in the first and last third" \
    awk -v a="$first" -v b="$last" 'BEGIN { exit !(a > 22 && a < 45 && b > 22 && b < 45) }'

# What was refused was told so or dropped, once the queue is empty.
adds_up() { [ "$(refused other)" = $(($(answered 503) + $(dropped overload))) ]; }
wait_for 20 adds_up ||
    fail "$(refused other) were refused, but $(answered 503) told so and $(dropped overload) dropped"
check "SIPp was told by $(retry_count), pinhole told $(answered 503)" at_least "$(retry_count)" answered 503

# It ends.
stranger_is_answered() {
    local before
    before=$(answered 403)
    lab_exec phone2 timeout 5 sipp "$EDGE4:5060" -i 192.168.1.11 -sf "$SIPP_DIR/stranger.xml" -key domain "$DOMAIN" \
        -m 1 -nostdin -nd >/dev/null 2>&1 || true
    at_least $((before + 1)) answered 403
}
check_soon 30 "strangers are still refused" stranger_is_answered
