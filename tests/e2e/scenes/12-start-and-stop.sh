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
    grep -qi -- "$word" "$LAB_DIR/refusal" || fail "nothing of '$word' in: $(tail -n 3 "$LAB_DIR/refusal")"
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

edge_config
chmod 755 "$LAB_DIR"
refuses CAP_NET_RAW setpriv --reuid=65534 --regid=65534 --clear-groups "$pinhole" -c "$config"

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
