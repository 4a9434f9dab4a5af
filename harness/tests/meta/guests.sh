#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# usage: guests.sh NVMELAB
#
# Guests that go wrong, each in its own way, end in time and with the right
# verdict; the others of the run are not touched by it.

# shellcheck source=harness/tests/meta/lib.sh
. "$(dirname "$0")/lib.sh"

start=$SECONDS
# those of never-events are never.sh's
lab 3 run -k "$KERNEL" -g meta -x 'meta.*.*' --timeout 25 \
    --results "$WORK/results"
((SECONDS - start < 300)) || fail "took $((SECONDS - start)) s"
says '^  1\.\.9$'
says '^  not ok [0-9]+ meta.crash # ERROR killed by signal 11'
says '^  not ok [0-9]+ meta.fail$'
says '^  # wanted 5, found 4$'
says '^  not ok [0-9]+ meta.hang # TIMEOUT no answer from the guest in 25 s$'
says '^  not ok [0-9]+ meta.panic # ERROR guest panic: '
says '^  # dmesg: .*Kernel panic - not syncing'
says '^  # dmesg: .*Call Trace:'
says '^  ok [0-9]+ meta.pass$'
says '^  not ok [0-9]+ meta.silent-exit # ERROR '
says '^  ok [0-9]+ meta.skip # SKIP meta.skip always skips$'
says '^  # kernel splat: .*BUG: put here by meta.splat'
says '^  not ok [0-9]+ meta.splat$'
says '^  not ok [0-9]+ meta.timeout # ERROR exceeds its limit'
says '^  # rerun: nvmelab run -k [^ ]+ -d vwc meta.panic$'

# A panic is the guest's doing: 1, not 3.
lab 1 run -k "$KERNEL" meta.panic --results "$WORK/panic"
# All skipped; with --strict-skip that is a failure.
lab 4 run -k "$KERNEL" meta.skip --results "$WORK/skip"
lab 1 run -k "$KERNEL" meta.skip --strict-skip --results "$WORK/strict"
# Names that only the guest can refuse.
lab 2 run -k "$KERNEL" 'flush.floppy.*' --results "$WORK/name"
says "no case matches 'flush.floppy.\*'"
finish
