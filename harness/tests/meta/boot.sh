#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# usage: boot.sh NVMELAB
#
# Guests that never boot end in time, as infrastructure, with a reason.

# shellcheck source=harness/tests/meta/lib.sh
. "$(dirname "$0")/lib.sh"

# no_boot REASON ARGUMENT...: exit 3, in time
no_boot() {
    local reason=$1 start=$SECONDS
    shift

    lab 3 run "$@" -d vwc 'flush.raw.overwrite.*' --timeout 30 \
        --results "$WORK/results"
    ((SECONDS - start < 120)) || fail "took $((SECONDS - start)) s: $*"
    says "$reason"
}

directory=$(kernel_directory)

# A boot header and a version string, and nothing behind them.
mkdir "$WORK/garbage"
ln -s "$directory/modules" "$WORK/garbage/"
head -c 65536 "$directory/vmlinuz" >"$WORK/garbage/bzImage"
head -c 4000000 /dev/urandom >>"$WORK/garbage/bzImage"
NVMELAB_ACCEL=tcg no_boot '^not ok 1 .* # ERROR boot: ' \
    -k "$WORK/garbage/bzImage"

scratch_root
export NVMELAB_ROOT=$WORK/root

# An initramfs that is none: the kernel panics for want of an init.
echo 'no archive' >"$WORK/no-initramfs"
rm "$WORK/root/images/build-initramfs"
printf '#!/bin/sh\necho %s\n' "$WORK/no-initramfs" \
    >"$WORK/root/images/build-initramfs"
chmod +x "$WORK/root/images/build-initramfs"
NVMELAB_ACCEL=tcg no_boot '^not ok 1 .* # ERROR boot: guest panic: ' \
    -k "$KERNEL"

# An initramfs that is not there.
rm "$WORK/no-initramfs"
no_boot "printed '$WORK/no-initramfs', which is no file" -k "$KERNEL"

# A QEMU that is not there, and one that knows no such device.
rm "$WORK/root/build/qemu-system-x86_64"
no_boot "build/qemu-system-x86_64: No such file" -k "$KERNEL"
printf '#!/bin/sh\necho "no device is called nvmelab" >&2\nexit 1\n' \
    >"$WORK/root/build/qemu-system-x86_64"
chmod +x "$WORK/root/build/qemu-system-x86_64"
echo 'no archive' >"$WORK/no-initramfs"
NVMELAB_ACCEL=tcg no_boot \
    'boot: QEMU exited with 1: no device is called nvmelab' -k "$KERNEL"
finish
