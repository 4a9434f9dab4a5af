#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# usage: lost.sh NVMELAB
#
# A trace that has lost a record voids every verdict drawn from it.

# shellcheck source=harness/tests/meta/lib.sh
. "$(dirname "$0")/lib.sh"

scratch_root
rm "$WORK/root/build/qemu-system-x86_64"

# drop_record TRACE: take the fifth record out of the file. Offsets: struct
# lab_trace_header and struct lab_trace_record of hw/abi/trace_file.h.
cat >"$WORK/drop_record" <<'DROP'
#!/bin/bash
number() { od -An -t "u$2" -j "$3" -N "$2" "$1" | tr -d ' '; }
at=$(number "$1" 4 12)
for _ in 1 2 3 4; do
    at=$((at + $(number "$1" 2 $((at + 2)))))
done
size=$(number "$1" 2 $((at + 2)))
{ head -c "$at" "$1"; tail -c +$((at + size + 1)) "$1"; } >"$1.new"
mv "$1.new" "$1"
DROP
# A QEMU whose traces lose a record once it has ended.
cat >"$WORK/root/build/qemu-system-x86_64" <<QEMU
#!/bin/bash
$(realpath "$NVMELAB_ROOT/build/qemu-system-x86_64") "\$@"
code=\$?
trace=\$(printf '%s\n' "\$@" | sed -n 's/.*,trace=//p')
bash $WORK/drop_record "\$trace"
exit \$code
QEMU
chmod +x "$WORK/root/build/qemu-system-x86_64"

# TCG: trying KVM would kill the wrapper and leave its QEMU.
NVMELAB_ACCEL=tcg NVMELAB_ROOT=$WORK/root lab 3 run -k "$KERNEL" -d vwc \
    'flush.raw.overwrite*.sync' --results "$WORK/results"
says '^  not ok 1 flush.raw.overwrite-dsync.sync # ERROR .*lost 1 records'
says '^not ok 1 .* # ERROR .*lost 1 records'

# The same file read by hand.
lab 3 trace stat "$WORK/results/$KERNEL.vwc/trace-1.labtrace"
says 'lost 1 records'
finish
