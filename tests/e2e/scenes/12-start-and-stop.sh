#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# alone
# What an operator meets first: --check and its errors, start-up errors in one sentence with status 1,
# an end in under 2 s at SIGTERM, and nothing left on the interfaces.
# shellcheck source=tests/e2e/scene.sh
. "$(dirname "$0")/../scene.sh"

# refuses WORD COMMAND...: in the edge, it ends with status 1 and a sentence with the word: no crash.
refuses() {
    local word=$1 status=0
    shift
    lab_exec edge timeout 20 "$@" >"$LAB_DIR/refusal" 2>&1 || status=$?
    [ "$status" = 1 ] || fail "status $status, not 1, from: $* ($(tail -n 2 "$LAB_DIR/refusal"))"
    [ "$(grep -c '^pinhole: ' "$LAB_DIR/refusal")" -le 1 ] || fail "more than a sentence: $(cat "$LAB_DIR/refusal")"
    grep -qi -- "$word" "$LAB_DIR/refusal" || fail "nothing of '$word' in: $(tail -n 3 "$LAB_DIR/refusal")"
}

# taken KIND(udp4|tcp4) PORT ADDRESS: a program in the edge has that port, till it is stopped (LAB_PID).
taken() {
    lab_spawn edge "$LAB_DIR/taker.log" python3 -c '
import socket, sys, time
kind, port, address = sys.argv[1:]
taker = socket.socket(socket.AF_INET, socket.SOCK_DGRAM if kind == "udp4" else socket.SOCK_STREAM)
taker.bind((address, int(port)))
if kind == "tcp4":
    taker.listen()
print("taken", flush=True)
time.sleep(60)' "$@"
    check_soon 10 "port $2 cannot be taken" grep -q taken "$LAB_DIR/taker.log"
}

pinhole=$BUILD/pinhole
config=$LAB_DIR/pinhole.toml
lab_carrier
edge_config
check "--version fails" "$pinhole" --version
check "--check refuses a good configuration" lab_exec edge "$pinhole" --check -c "$config"

refuses missing.toml "$pinhole" -c "$LAB_DIR/missing.toml"
sed 's/workers = 1/workers = 0\nworkres = 2/; s/interval_s = 2/interval_s = "soon"/' "$config" >"$LAB_DIR/bad.toml"
refuses workres "$pinhole" --check -c "$LAB_DIR/bad.toml"
for word in workers interval_s "bad.toml:3"; do
    check "not all errors are told at once: $word is missing" grep -q -- "$word" "$LAB_DIR/refusal"
done
edge_config access=af_packet:nowhere
refuses nowhere "$pinhole" -c "$config"
edge_config access=af_xdp:nowhere
refuses nowhere "$pinhole" -c "$config"
edge_config access="memif:$LAB_DIR/nobody.sock"
refuses "start the other end first" "$pinhole" -c "$config"
edge_config access="memif:$LAB_DIR/nowhere/switch.sock"
refuses "create it" "$pinhole" -c "$config"

# What the machine hasn't got: hugepages (the most contacts there may be would need 20,000) and memory.
edge_config
sed -i 's/^max_contacts = .*/max_contacts = 100_000_000/; s/^hugepages = .*/hugepages = "on"/' "$config"
refuses nr_hugepages "$pinhole" -c "$config"
edge_config
sed -i 's/^max_contacts = .*/max_contacts = 100_000_000/' "$config"
needed_mb=40000
if [ "$(awk '/^MemAvailable/ { print int($2 / 1024) }' /proc/meminfo)" -lt "$needed_mb" ]; then
    refuses "lower .*max_contacts" "$pinhole" -c "$config"
fi

edge_config
chmod 755 "$LAB_DIR"
# That user may not read root's keys, and is told so; without them it is the next thing that it lacks.
refuses "Give it to the user" setpriv --reuid=65534 --regid=65534 --clear-groups "$pinhole" -c "$config"
sed -i 's/^file = .*/file = ""/' "$config"
refuses CAP_NET_RAW setpriv --reuid=65534 --regid=65534 --clear-groups "$pinhole" -c "$config"
refuses "CAP_NET_ADMIN: run as root" setpriv --bounding-set=-net_admin "$pinhole" -c "$config"
edge_config driver=af_xdp
refuses CAP_SYS_ADMIN setpriv --bounding-set=-sys_admin "$pinhole" -c "$config"

# Somebody else has the port: the SIP one, or that of [http].
edge_config
taken udp4 5060 "$EDGE4"
refuses "has UDP $EDGE4:5060" "$pinhole" -c "$config"
lab_stop "$LAB_PID" KILL
taken tcp4 9060 127.0.0.1
refuses "127.0.0.1 port 9060" "$pinhole" -c "$config"
lab_stop "$LAB_PID" KILL

before=$(ip -n "${LAB_PREFIX}edge" -o link show dev access)
edge_start
edge_ctl status >"$LAB_DIR/status"
check "pinholectl status says nothing" [ -s "$LAB_DIR/status" ]
kill -TERM "$EDGE_PID"
ended() { ! kill -0 "$EDGE_PID" 2>/dev/null; }
check_soon 2 "pinhole still runs 2 s after SIGTERM" ended
check "it ended with another status than 0" wait "$EDGE_PID"
check "the interface is left otherwise than it was" \
    [ "$before" = "$(ip -n "${LAB_PREFIX}edge" -o link show dev access)" ]
check "pinhole doesn't start a second time" edge_start
