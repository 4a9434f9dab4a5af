#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# usage: lies.sh NVMELAB
#
# Each lie of the drive turns exactly its cases of lies.list red. The round
# that drops everything is enough, and does not depend on chance; but nothing
# is torn in it, so the lie about atomic writes needs one that does.

# shellcheck source=harness/tests/meta/lib.sh
. "$(dirname "$0")/lib.sh"

list=$(dirname "$0")/lies.list
while read -r lie; do
    if [[ $lie == atomic ]]; then
        cases=(-d atomic -g atomic --seeds 1)
    else
        cases=(-g durability --seeds 0)
    fi
    lab 1 run -k "$KERNEL" "${cases[@]}" --lie "$lie" --results "$WORK/$lie"
    diff <(awk -v l="$lie" '$1 == l { print $2 }' "$list" | sort) <(red) >&2 ||
        fail "lie=$lie: red cases (>) are not those of lies.list (<)"
    says "rerun: nvmelab run .*--lie $lie "
done < <(awk '!/^#/ { print $1 }' "$list" | sort -u)
finish
