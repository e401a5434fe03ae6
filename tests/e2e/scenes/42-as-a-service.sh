#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# pinhole as its unit starts it: a user without rights but for the capabilities that open the ports, told to the
# supervisor when it serves and as long as it is well. Once it serves it keeps what it needs, in every thread, and
# all goes on: a new address, forgotten neighbours, calls.
# shellcheck source=tests/e2e/scene.sh
. "$(dirname "$0")/../scene.sh"

NOBODY=65534
HOME_OF_SERVICE=$LAB_DIR/state
NEW4=198.51.100.7

# The supervisor's end: a line a message.
supervise() {
    lab_spawn edge "$LAB_DIR/notified" python3 -u -c '
import os, socket, sys
supervisor = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
supervisor.bind(sys.argv[1])
os.chmod(sys.argv[1], 0o666)
print("listening")
while True:
    print(supervisor.recv(4096).decode())' "$LAB_DIR/notify.sock"
    check_soon 10 "the supervisor doesn't listen" grep -q listening "$LAB_DIR/notified"
}

# notified WORD COUNT
notified() { [ "$(grep -c "^$1" "$LAB_DIR/notified")" -ge "$2" ]; }

# of_threads FIELD: what /proc says of each thread, each once.
of_threads() { awk -v field="$1:" '$1 == field { print $2 }' /proc/"$EDGE_PID"/task/*/status | sort -u; }

lab_home 60
install -d -o $NOBODY -g $NOBODY "$HOME_OF_SERVICE"
chmod 755 "$LAB_DIR"
edge_config interval_s=1
sed -i "s|^file = .*|file = \"$HOME_OF_SERVICE/keys.json\"|
    s|^socket = .*|socket = \"$HOME_OF_SERVICE/control.sock\"\nmode = \"0600\"|" "$LAB_DIR/pinhole.toml"
supervise
lab_spawn edge "$LAB_DIR/pinhole.log" env NOTIFY_SOCKET="$LAB_DIR/notify.sock" WATCHDOG_USEC=900000 \
    setpriv --reuid=$NOBODY --regid=$NOBODY --clear-groups --no-new-privs \
    --bounding-set=-all,+net_raw,+net_admin,+ipc_lock --inh-caps=-all,+net_raw,+net_admin,+ipc_lock \
    --ambient-caps=+net_raw,+net_admin,+ipc_lock "$BUILD/pinhole" -c "$LAB_DIR/pinhole.toml"
EDGE_PID=$LAB_PID
edge_serves
check_soon 10 "the supervisor isn't told that pinhole serves" notified READY=1 1
check_soon 20 "the watchdog isn't called" notified WATCHDOG=1 5

# CAP_NET_ADMIN is bit 12.
check "threads keep other capabilities than CAP_NET_ADMIN: $(of_threads CapPrm)" [ "$(of_threads CapPrm)" = 0000000000001000 ]
check "threads can act with more: $(of_threads CapEff)" [ "$(of_threads CapEff)" = 0000000000001000 ]
check "threads may gain privileges" [ "$(of_threads NoNewPrivs)" = 1 ]
check "the log doesn't say what is kept" grep -q "capabilities kept: CAP_NET_ADMIN" "$LAB_DIR/pinhole.log"
check "the control socket has another mode than it was given" \
    [ "$(stat -c '%a %u' "$HOME_OF_SERVICE/control.sock")" = "600 $NOBODY" ]

# With that little it does all that it did with more.
phone_start phone1 alice
ip -n "${LAB_PREFIX}edge" neighbour flush dev core
check "no call once the neighbours are forgotten" core_call call alice
lab_address edge access "$NEW4/24"
EDGE4=$NEW4 phone_start phone2 bob
check "no call to a phone at an address that came later" core_call call bob
kill -TERM "$EDGE_PID"
check "it ended with another status than 0" wait "$EDGE_PID"
check "the supervisor isn't told that pinhole stops" notified STOPPING=1 1
