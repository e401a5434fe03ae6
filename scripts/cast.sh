# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# Who acts in the lab: pinhole in the edge, SIPp as the phones and as the core. Sourced after lab.sh;
# used by scripts/run and by the end-to-end scenes. Phones are SIPp processes that live on one socket:
# they register, refresh, answer pings and take calls until they are stopped.

SIPP_DIR=$ROOT/tests/sipp
# shellcheck disable=SC2034
DOMAIN=example.com
declare -A PHONE_PID=()
CALL_LOG=

# wait_for SECONDS COMMAND...: polls until it holds. The limit is generous; nothing is measured by it.
wait_for() {
    local deadline=$((SECONDS + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        [ "$SECONDS" -le "$deadline" ] || return 1
        sleep 0.2
    done
}

# idle SECONDS: nothing happens. No child sleeps here: bash runs traps only when a command has ended.
idle() {
    read -rt "$1" <> <(:) || true
}

# --- pinhole -------------------------------------------------------------------------------------

# edge_config [setting=value...]: writes the configuration, $LAB_DIR/pinhole.toml.
edge_config() {
    local workers=1 driver=af_packet access='' access_keys='' registrar_keys='' qualify_keys='' core='' qualify=true interval_s=2 timeout_ms=500
    local max_missed=3 remove_after_s=600 default_expires=600 mode=proxy check_interval_s=5 auth='mode = "off"' extra='' journal='directory = ""'
    local peers="\"$CORE4\", \"$CORE6\""
    [ $# = 0 ] || local "$@"
    cat >"$LAB_DIR/pinhole.toml" <<TOML
[dataplane]
workers = $workers
max_contacts = 20_000
hugepages = "off"
idle = "sleep"

[[port]]
device = "${access:-$driver:access}"
role = "access"
$access_keys

[[port]]
device = "${core:-$driver:core}"
role = "core"

[registrar]
domains = ["$DOMAIN"]
default_expires = $default_expires
min_expires = 5
$registrar_keys

[auth]
$auth

[qualify]
enabled = $qualify
interval_s = $interval_s
timeout_ms = $timeout_ms
max_missed = $max_missed
remove_after_s = $remove_after_s
$qualify_keys

[core]
peers = [$peers]
mode = "$mode"
check_interval_s = $check_interval_s

[http]
listen = "127.0.0.1:9060"

[control]
socket = "$LAB_DIR/control.sock"

[keys]
file = "$LAB_DIR/keys.json"

[journal]
$journal
$extra
TOML
}

# Starts pinhole in the edge and waits until it serves.
edge_start() {
    edge_launch
    edge_serves
}

edge_launch() {
    lab_spawn edge "$LAB_DIR/pinhole.log" "$BUILD/pinhole" -c "$LAB_DIR/pinhole.toml"
    EDGE_PID=$LAB_PID
}

edge_serves() {
    wait_for 20 edge_ready_or_dead || true
    if ! edge_ready; then
        echo "pinhole doesn't serve; its log says:" >&2
        tail -n 5 "$LAB_DIR/pinhole.log" >&2
        return 1
    fi
}

edge_ready() { edge_http /readyz >/dev/null; }
edge_ready_or_dead() { edge_ready || ! kill -0 "$EDGE_PID"; }
edge_http() { lab_exec edge curl -sf --max-time 5 "http://127.0.0.1:9060$1"; }
edge_ctl() { "$BUILD/pinholectl" --socket "$LAB_DIR/control.sock" "$@"; }

# edge_metric NAME: the sum of a metric over its labels, whole.
edge_metric() {
    edge_http /metrics | awk -v name="$1" '
        { bare = $1; sub(/\{.*/, "", bare) }
        bare == name { sum += $2 }
        END { printf "%d\n", sum }'
}

# binding USER FIELD: a field of the user's bindings, one line each (far_end, contact, state...);
# nothing if the user has none.
binding() {
    { edge_ctl --json show "$1@$DOMAIN" 2>/dev/null || true; } | python3 -c '
import json, sys
text = sys.stdin.read().strip()
for binding in json.loads(text).get("bindings", []) if text else []:
    print(binding.get(sys.argv[1], ""))' "$2"
}

binding_is() { [ "$(binding "$1" "$2")" = "$3" ]; }
binding_count() { binding "$1" contact | wc -l; }

# --- phones --------------------------------------------------------------------------------------

# address_of NAMESPACE INTERFACE FAMILY(4|6)
address_of() {
    ip -n "$LAB_PREFIX$1" -o "-$3" address show dev "$2" scope global | awk '{ sub(/\/.*/, "", $4); if (!seen++) print $4 }'
}

edge_address() { if [ "$1" = 6 ]; then echo "[$EDGE6]"; else echo "$EDGE4"; fi; }

# phone_start PHONE USER [setting=value...]: a phone registers and stays. Returns when it has. Settings:
# refresh_ms (none in the time a scene takes, unless told), family (4 or 6), scenario (a file like
# phone.xml), password (phone_digest.xml answers challenges with it), and answers: a file like
# phone_answers.xml, or no for a phone that leaves pings and calls unanswered.
phone_start() {
    local phone=$1 user=$2 refresh_ms=600000 family=4 scenario=$SIPP_DIR/phone.xml password=''
    local answers=$SIPP_DIR/phone_answers.xml
    local options=()
    shift 2
    [ $# = 0 ] || local "$@"
    [ "$answers" = no ] || options=(-oocsf "$answers")
    [ -z "$password" ] || options+=(-au "$user" -ap "$password")
    # A phone that comes back (after phone_stop) appends to no old log.
    rm -f "$LAB_DIR/$phone.log"
    lab_spawn "$phone" "$LAB_DIR/$phone.screen" sipp "$(edge_address "$family"):5060" \
        -i "$(address_of "$phone" eth0 "$family")" -p 5060 -m 1 -nostdin -d "$refresh_ms" \
        -sf "$scenario" "${options[@]}" \
        -key user "$user" -key domain "$DOMAIN" -trace_logs -log_file "$LAB_DIR/$phone.log" \
        -trace_msg -message_file "$LAB_DIR/$phone.messages" \
        -trace_err -error_file "$LAB_DIR/$phone.errors"
    PHONE_PID[$phone]=$LAB_PID
    wait_for 10 phone_registered "$phone" || {
        echo "$phone could not register as $user" >&2
        return 1
    }
}

phone_registered() { grep -q '^registered' "$LAB_DIR/$1.log"; }
# phone_events PHONE WORD: how often (registered, pinged, rings, talks, cancelled, hung up, was hung up).
phone_events() { grep -c "^$2" "$LAB_DIR/$1.log" || true; }
phone_saw() { [ "$(phone_events "$1" "$2")" -ge "$3" ]; }

# A phone that loses power: nothing leaves it any more, not even an ICMP error.
phone_vanish() {
    ip -n "$LAB_PREFIX$1" link set eth0 down
    lab_stop "${PHONE_PID[$1]}" KILL
}

phone_stop() { lab_stop "${PHONE_PID[$1]}" KILL; }

# --- the core ------------------------------------------------------------------------------------

# core_call SCENARIO USER [setting=value...]: one call from the core to the edge's core side; succeeds if
# the scenario (of tests/sipp, or a path) does. CALL_LOG is then what it logged, CALL_ID the call's own.
# Settings: talk_ms, family (4 or 6), domain, timeout_s.
core_call() {
    local scenario=$SIPP_DIR/$1.xml user=$2 talk_ms=200 family=4 domain=$DOMAIN timeout_s=15
    local edge=$EDGE_CORE4 own=$CORE4
    [[ $1 != */* ]] || scenario=$1
    shift 2
    [ $# = 0 ] || local "$@"
    if [ "$family" = 6 ]; then
        edge="[$EDGE_CORE6]" own=$CORE6
    fi
    CALL_COUNT=$((${CALL_COUNT:-0} + 1))
    CALL_ID=call-$CALL_COUNT-$user
    CALL_LOG=$LAB_DIR/core-$CALL_COUNT.log
    touch "$CALL_LOG"
    # In the background, so that a signal is heard meanwhile.
    lab_spawn core "$LAB_DIR/core-$CALL_COUNT.screen" sipp "$edge:5060" -i "$own" -p 5060 -m 1 -nostdin -d "$talk_ms" -s "$user" \
        -sf "$scenario" -key domain "$domain" -cid_str "$CALL_ID" \
        -timeout "${timeout_s}s" -timeout_error -trace_logs -log_file "$CALL_LOG" \
        -trace_msg -message_file "$LAB_DIR/core-$CALL_COUNT.messages" \
        -trace_err -error_file "$LAB_DIR/core-$CALL_COUNT.errors"
    wait "$LAB_PID"
}

# rang PHONE: did the latest call ring there?
rang() { grep -q "^rings.*$CALL_ID" "$LAB_DIR/$1.log"; }
