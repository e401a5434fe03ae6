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

# thread NAME: the id of pinhole's thread of that name.
thread() { grep -lx "$1" /proc/"$EDGE_PID"/task/*/comm | sed -n 1p | cut -d / -f 5; }

# hold THREAD: stops that one thread, as a bug would that has it wait for ever; the others go on.
hold() {
    lab_spawn edge "$LAB_DIR/held" python3 -u -c '
import ctypes, signal, sys
libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
SEIZE, INTERRUPT = 0x4206, 0x4207
if libc.ptrace(SEIZE, int(sys.argv[1]), None, None) or libc.ptrace(INTERRUPT, int(sys.argv[1]), None, None):
    sys.exit(f"no ptrace: errno {ctypes.get_errno()}")
print("held")
signal.pause()' "$1"
    HELD=$LAB_PID
    check_soon 5 "the thread can't be stopped: $(cat "$LAB_DIR/held")" grep -q held "$LAB_DIR/held"
}

calls_of_watchdog() { grep -c ^WATCHDOG=1 "$LAB_DIR/notified"; }
more_calls_than() { [ "$(calls_of_watchdog)" -gt "$1" ]; }
unwell() { ! edge_http /healthz >/dev/null; }

# A thread that is stuck stops the calls, so that the supervisor starts pinhole again.
for name in rte-worker-1 control; do
    hold "$(thread "$name")"
    check_soon 20 "pinhole thinks itself well though $name is stuck" unwell
    calls=$(calls_of_watchdog)
    idle 1.5
    check "the watchdog is called though $name is stuck" [ "$(calls_of_watchdog)" = "$calls" ]
    if [ "$name" = control ]; then
        # Nobody else waits for it.
        idle 10
        phone_stop phone1
        phone_start phone1 alice
        check "no call to who has registered while the control thread is stuck" core_call call alice
        check "no call to who was registered before" core_call call bob
        check "/healthz says that all is well" unwell
    fi
    lab_stop "$HELD" TERM
    check_soon 10 "the watchdog is not called again once $name turns" more_calls_than "$calls"
done
kill -TERM "$EDGE_PID"
check "it ended with another status than 0" wait "$EDGE_PID"
check "the supervisor isn't told that pinhole stops" notified STOPPING=1 1
