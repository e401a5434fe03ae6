# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# What every scene begins with. A scene is a program of its own: it builds its lab, plays, and checks.
# It ends with 0, or prints "failed: <reason>" and ends with 1; its lab is gone either way, and the logs
# stay when it failed.
set -euo pipefail

# shellcheck source=scripts/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/../../scripts/common.sh"
# shellcheck source=scripts/lab.sh
. "$ROOT/scripts/lab.sh"
# shellcheck source=scripts/cast.sh
. "$ROOT/scripts/cast.sh"

fail() {
    echo "failed: $*"
    exit 1
}

# check REASON COMMAND...: the reason says what is wrong if the command fails.
check() {
    local reason=$1
    shift
    "$@" || fail "$reason"
}

# check_soon SECONDS REASON COMMAND...: the same for what needs a while to become true.
check_soon() {
    local seconds=$1 reason=$2
    shift 2
    wait_for "$seconds" "$@" || fail "$reason"
}

not() { ! "$@"; }

trap 'echo "failed: line $LINENO of ${BASH_SOURCE[0]##*/}: $BASH_COMMAND"' ERR
lab_begin
echo "logs: $LAB_DIR"
