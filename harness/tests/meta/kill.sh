#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# usage: kill.sh NVMELAB
#
# Whoever dies first, nothing is left running, and the run says what happened.

# shellcheck source=harness/tests/meta/lib.sh
. "$(dirname "$0")/lib.sh"

# start_hang: a run that waits in meta.hang; its pid in $run, QEMU's in $qemu
start_hang() {
    rm -rf "$WORK/results"
    NVMELAB_ACCEL=tcg "$NVMELAB" run -k "$KERNEL" -d vwc meta.hang \
        --timeout 300 --results "$WORK/results" \
        >"$WORK/out" 2>"$WORK/err" </dev/null &
    run=$!
    wait_for 120 grep -qs 'begin meta.hang' \
        "$WORK/results/$KERNEL.vwc/protocol.log" || fail "no meta.hang"
    qemu=$(children "$run")
    qemu=${qemu%% *}
    [[ -n $qemu ]] || fail "no QEMU"
}

# shellcheck disable=SC2317  # called by wait_for
is_gone() {
    ! kill -0 "$1" 2>/dev/null || grep -qs '^State:.Z' "/proc/$1/status"
}

# ended CODE: the run ends soon, with that code, and QEMU with it
ended() {
    wait_for 30 is_gone "$run" || fail "nvmelab goes on"
    wait "$run" 2>/dev/null
    local got=$?
    ((got == $1)) || fail "exit $got, not $1"
    wait_for 10 is_gone "$qemu" || fail "QEMU $qemu is left running"
}

start_hang
kill -9 "$qemu"
ended 3
says '^  not ok 1 meta.hang # ERROR QEMU was killed by signal 9'

start_hang
kill -9 "$run"
ended 137

start_hang
kill -TERM "$run"
ended 3
says 'interrupted'
[[ ! -e $WORK/results/$KERNEL.vwc/ns1.img ]] || fail "images are left"
finish
