# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# lib.sh: for the tests of the harness with real guests. Each test is started
# as "TEST NVMELAB", may use these, and ends through finish.
#
# KERNEL is the series to boot. Without what scripts/setup makes a test says so
# and is skipped (77).

set -uo pipefail

NVMELAB=$(realpath "$1")
NVMELAB_ROOT=${NVMELAB_ROOT:-$(cd "$(dirname "$0")/../../.." && pwd)}
KERNEL=${NVMELAB_TEST_KERNEL:-6.12}
export NVMELAB_ROOT
WORK=$(mktemp -d)
FAILED=0
trap 'rm -rf "$WORK"' EXIT

if [[ ! -x $NVMELAB_ROOT/build/qemu-system-x86_64 ]]; then
    echo "skipped: no build/qemu-system-x86_64; run scripts/setup"
    exit 77
fi
if ! "$NVMELAB" kernel list | grep -q "^$KERNEL "; then
    echo "skipped: no kernel $KERNEL in the cache; run scripts/setup"
    exit 77
fi

# fail TEXT...: note it and go on
fail() {
    echo "FAILED: $*" >&2
    FAILED=1
}

# lab CODE ARGUMENT...: run nvmelab, its output in $WORK/{out,err}; the exit
# code must be CODE
lab() {
    local code=$1 got
    shift

    "$NVMELAB" "$@" >"$WORK/out" 2>"$WORK/err" </dev/null
    got=$?
    if ((got != code)); then
        fail "nvmelab $*: exit $got, not $code"
        cat "$WORK/out" "$WORK/err" >&2
    fi
}

# says PATTERN: the last output has a line that matches
says() {
    grep -qE -- "$1" "$WORK/out" "$WORK/err" || {
        fail "no line matches '$1'"
        cat "$WORK/out" "$WORK/err" >&2
    }
}

# red: names of the cases that are not ok in the last output
red() {
    sed -nE 's/^  not ok [0-9]+ ([^ ]+).*/\1/p' "$WORK/out" | sort
}

# scratch_root: a copy of the repository's shape in $WORK/root, whose parts
# can be replaced one by one
scratch_root() {
    mkdir -p "$WORK/root/build" "$WORK/root/images"
    ln -s "$NVMELAB_ROOT"/{harness,scripts} "$WORK/root/"
    ln -s "$NVMELAB_ROOT"/images/* "$WORK/root/images/"
    ln -s "$NVMELAB_ROOT"/build/{qemu-system-x86_64,guest-tests} \
        "$WORK/root/build/"
}

# kernel_directory: of KERNEL in the cache
kernel_directory() {
    "$NVMELAB" kernel list | awk -v s="$KERNEL" '$1 == s { d = $3 } END { print d }'
}

# children PID: what its threads have started
children() {
    cat "/proc/$1"/task/*/children 2>/dev/null
}

# wait_for SECONDS COMMAND...: until it succeeds; false: it did not
wait_for() {
    local left=$(($1 * 10))
    shift

    until "$@"; do
        ((left-- > 0)) || return 1
        sleep 0.1
    done
}

finish() {
    exit "$FAILED"
}
