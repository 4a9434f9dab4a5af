#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# usage: holds.sh NVMELAB
#
# A hold that a case forgets fails that case and no other one, whether the guest
# tells or only the trace does; a case that waits for its own hold ends.

# shellcheck source=harness/tests/meta/lib.sh
. "$(dirname "$0")/lib.sh"

# forgotten CASE PATTERN
forgotten() {
    says "^  # forgotten hold: $2\$"
    says "^  # rerun: nvmelab run -k [^ ]+ -d vwc $1\$"
    says "^  not ok [0-9]+ $1\$"
}

lab 1 run -k "$KERNEL" -d vwc 'meta.raw.hold-*' --results "$WORK/results"
says '^  1\.\.6$'
forgotten meta.raw.hold-forgotten-rule \
    'a read that never comes: rule [0-9]+, 0 parked'
forgotten meta.raw.hold-forgotten-command 'the read: rule [0-9]+, 1 parked'
forgotten meta.raw.hold-forgotten-unreported \
    'an unnamed hold: rule [0-9]+ was not released'
says '^  ok [0-9]+ meta.raw.hold-free$'
says '^  not ok [0-9]+ meta.raw.hold-stuck # ERROR exceeds its limit of 2 s$'
says '^  ok [0-9]+ meta.raw.hold-unstuck$'
finish
