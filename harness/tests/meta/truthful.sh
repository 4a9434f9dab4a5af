#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# usage: truthful.sh NVMELAB
#
# A truthful drive gives no finding, with and without a cache.

# shellcheck source=harness/tests/meta/lib.sh
. "$(dirname "$0")/lib.sh"

lab 0 run -k "$KERNEL" -d vwc,no-vwc --seeds "${NVMELAB_TEST_SEEDS:-5}" \
    --results "$WORK/results"
[[ -z $(red) ]] || fail "red: $(red)"
says '^1\.\.2$'
says "^ok 1 $KERNEL.vwc$"
says "^ok 2 $KERNEL.no-vwc$"
finish
