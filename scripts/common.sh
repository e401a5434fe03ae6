# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# What every script here shares: where things are, and how they speak. Sourced.

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# A release build; scripts/setup makes it.
BUILD=${PINHOLE_BUILD:-$ROOT/build}
export ROOT BUILD
# Compilers' results are the same in every locale: debhelper sets one, and would find nothing of ours.
export CCACHE_SLOPPINESS=locale

say() { printf '%s\n' "$*"; }

die() {
    printf '%s: %s\n' "$(basename "$0")" "$*" >&2
    exit 1
}

# has_line PATTERN: whether stdin has such a line. Reads all of it first: grep -q leaves at the first match, and
# whoever still writes into the pipe then fails, and under pipefail the whole line with it.
has_line() {
    local text
    text=$(cat)
    grep -q -- "$1" <<<"$text"
}

# tracked PATTERN...: files of the repository. It may belong to somebody else than root, who runs this.
tracked() { git -C "$ROOT" -c safe.directory="$ROOT" ls-files -- "$@"; }

# quietly LOG COMMAND...: what it prints goes to the log, and to the screen only if it fails.
quietly() {
    local log=$1
    shift
    if ! "$@" >"$log" 2>&1; then
        tail -n 40 "$log" >&2
        return 1
    fi
}

# use_trained TARGET...: from here on BUILD is a release as it is packaged (scripts/train), with these built.
use_trained() {
    "$ROOT/scripts/train" "$BUILD-trained" || die "there is no trained build to measure"
    BUILD=$BUILD-trained
    export PINHOLE_BUILD=$BUILD
    say "setup: building $BUILD"
    ninja -C "$BUILD" "$@" >/dev/null || die "the build failed; ninja -C $BUILD says why"
}
