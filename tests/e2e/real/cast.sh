# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# Who acts where SIPp is not real enough: Kamailio as the core, baresip as the phones. Sourced after scene.sh. A
# phone's log is its SIP trace too: what it got and sent is read there.
REAL=$ROOT/tests/e2e/real

# kamailio_start: Kamailio at the core's IPv4 address.
kamailio_start() {
    local dir=$LAB_DIR/kamailio
    mkdir "$dir"
    lab_spawn core "$LAB_DIR/kamailio.log" kamailio -DD -E -m 16 -M 4 -Y "$dir" -w "$dir" -P "$dir/pid" \
        -f "$REAL/kamailio.cfg" -A "CORE=\"$CORE4\"" -A "EDGE=\"sip:$EDGE_CORE4:5060\""
    wait_for 10 lab_listens core 5060 || fail "Kamailio does not start: $(tail -n 3 "$LAB_DIR/kamailio.log")"
}

# lab_listens NAMESPACE PORT: does anything listen there?
lab_listens() { [ -n "$(lab_exec "$1" ss -Huln "sport = :$2")" ]; }

# baresip_start PHONE USER [setting=value...]: a phone registers and stays. Settings: family (4 or 6), port (of the
# edge), refresh_s.
baresip_start() {
    local phone=$1 user=$2 family=4 port=5060 refresh_s=600
    local dir=$LAB_DIR/$phone own only=()
    shift 2
    [ $# = 0 ] || local "$@"
    own=$(address_of "$phone" eth0 "$family")
    # One that signals by IPv6 may talk by IPv4: nobody here translates the media.
    if [ "$family" = 6 ]; then own="[$own]"; else only=(-4); fi
    mkdir -p "$dir"
    cat >"$dir/config" <<CONFIG
sip_listen $own:5060
module_path /usr/lib/baresip/modules
module g711.so
module aubridge.so
module_tmp account.so
module_app menu.so
module_app ctrl_tcp.so
ctrl_tcp_listen 127.0.0.1:4444
audio_player aubridge,talk
audio_source aubridge,talk
audio_alert aubridge,alert
audio_path /nonexistent
rtp_timeout 0
CONFIG
    echo "<sip:$user@$DOMAIN;transport=udp>;auth_pass=none;answermode=manual;regint=$refresh_s;outbound=\"sip:$(edge_address "$family"):$port;transport=udp\"" \
        >"$dir/accounts"
    : >"$dir/contacts"
    lab_spawn "$phone" "$LAB_DIR/$phone.log" baresip "${only[@]}" -s -f "$dir"
    # shellcheck disable=SC2004,SC2034
    PHONE_PID[$phone]=$LAB_PID
    wait_for 10 grep -qa "200 OK .*1 binding" "$LAB_DIR/$phone.log" || fail "$phone could not register as $user"
}

# phone_do PHONE COMMAND [PARAMETER...]: by baresip's ctrl_tcp, JSON in netstrings.
phone_do() {
    local phone=$1 command=$2 text
    shift 2
    text="{\"command\":\"$command\",\"params\":\"$*\"}"
    # shellcheck disable=SC2016
    lab_exec "$phone" bash -c '
        exec 3<>/dev/tcp/127.0.0.1/4444
        printf %s "$1" >&3
        while read -r -t 5 -d "}" part <&3; do
            [[ $part != *\"response\":true* ]] || { [[ $part == *\"ok\":true* ]]; exit; }
        done
        exit 1' bash "${#text}:$text," || fail "$phone does not $command $*"
}

# got_count PHONE FIRST_LINE [TEXT]: how many messages of the present call it got that begin so, with the text (both are
# regular expressions) further down. Retransmissions count.
got_count() {
    awk -v start="^$2" -v text="${3:-}" -v call="Call-ID: $CALL_ID" '
        BEGIN { RS = "#\n" }
        /^UDP / {
            split($0, line, "\n")
            sent = line[1] ~ /^UDP (192\.168|\[?2001:db8:55)/
            if (!sent && line[2] ~ start && index($0, call) && $0 ~ text) count++
        }
        END { print count + 0 }' "$LAB_DIR/$1.log"
}
# got_more THAN PHONE FIRST_LINE [TEXT]
got_more() { [ "$(got_count "${@:2}")" -gt "$1" ]; }

# phone_got PHONE FIRST_LINE [TEXT]: soon, or the scene fails.
phone_got() { check_soon 8 "in $CALL_ID $1 did not get: ${*:2}" got_more 0 "$@"; }

# phone_calls PHONE USER: dials; CALL_ID is then the call's own.
phone_calls() {
    local phone=$1 before
    before=$(last_call_id "$phone")
    phone_do "$phone" dial "sip:$2@$DOMAIN"
    wait_for 8 called_since "$phone" "$before" || fail "$phone did not call"
    CALL_ID=$(last_call_id "$phone")
}
# That of the latest INVITE in the phone's log.
last_call_id() {
    awk 'BEGIN { RS = "#\n" } /^UDP [^\n]*\nINVITE / { match($0, /Call-ID: [^\r\n]*/); id = substr($0, RSTART + 9, RLENGTH - 9) }
        END { print id }' "$LAB_DIR/$1.log"
}
called_since() { [ "$(last_call_id "$1")" != "$2" ]; }

# core_saw TEXT: Kamailio, in the present call.
core_saw() { check_soon 8 "Kamailio did not see '$1' in $CALL_ID" grep -q "$CALL_ID: $1" "$LAB_DIR/kamailio.log"; }
