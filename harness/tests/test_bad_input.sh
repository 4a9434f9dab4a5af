#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# usage: test_bad_input.sh NVMELAB
#
# Bad input gives one line on stderr that names the value, nothing on stdout,
# and exit code 2 (the user) or 3 (the set-up). Needs no QEMU.

set -u
nvmelab=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0
export NVMELAB_CACHE="$work/cache"
mkdir -p "$work/cache/kernels/6.12/6.12.9-test" "$work/tree"
printf 'version=6.12.9-test\nseries=6.12\n' \
    >"$work/cache/kernels/6.12/6.12.9-test/info"
: >"$work/cache/kernels/6.12/6.12.9-test/vmlinuz"
printf 'no kernel at all' >"$work/bzImage"
printf '#!/bin/sh\n' >"$work/foreign"
# A header of a trace, cut short.
printf 'LABTRACE\001\000\000\000' >"$work/truncated"

# refuses CODE WORD ARGUMENT...
refuses() {
    code=$1
    word=$2
    shift 2
    "$nvmelab" "$@" >"$work/out" 2>"$work/err" </dev/null
    got=$?
    if [ "$got" -ne "$code" ] || [ "$(wc -l <"$work/err")" -ne 1 ] ||
        [ -s "$work/out" ] || ! grep -qF -- "$word" "$work/err"; then
        echo "nvmelab $*: exit $got (wanted $code, '$word'):" >&2
        cat "$work/err" "$work/out" >&2
        failed=1
    fi
}

refuses 2 'no verb'
refuses 2 "'fly'" fly
refuses 2 '--fast' run --fast
refuses 2 '--fast' trace --fast
refuses 2 "'5.10'" run -k 5.10
refuses 2 "'5.10'" run -k 6.12,5.10
refuses 2 "$work/bzImage is no kernel" run -k "$work/bzImage"
refuses 2 "$work/tree: no arch/x86/boot/bzImage" run -k "$work/tree"
# A source tree around the current directory, without an image; built elsewhere,
# without what is needed.
mkdir -p "$work/linux/arch/x86/kernel" "$work/obj/arch/x86/boot"
: >"$work/linux/Makefile"
: >"$work/linux/Kconfig"
: >"$work/obj/arch/x86/boot/bzImage"
printf 'CONFIG_PCI=y\n# CONFIG_AIO is not set\n' >"$work/obj/.config"
case $nvmelab in /*) ;; *) nvmelab=$PWD/$nvmelab ;; esac
here=$PWD
cd "$work/linux/arch/x86/kernel" || exit 1
for verb in run qemu demo; do
    refuses 2 "$work/linux: no arch/x86/boot/bzImage" "$verb"
    export O=../obj
    refuses 2 ' CONFIG_AIO=y ' "$verb"
    unset O
done
cd "$here" || exit 1
refuses 2 ' CONFIG_AIO=y ' run -k "$work/obj/arch/x86/boot/bzImage"
# The header of a bzImage, and all that a guest needs but for probes: refused
# where they may be needed, before anything boots.
put() {
    # shellcheck disable=SC2059  # for its escapes
    printf "$2" | dd of="$work/obj/arch/x86/boot/bzImage" bs=1 seek="$1" \
        conv=notrunc 2>/dev/null
}
put 497 '\004'
put 510 '\125\252'
put 514 HdrS
put 518 '\017\002'
put 526 '\000\002'
put 529 '\001'
put 1024 '6.12.9-test (me@here)'
put 4095 '\000'
sed -e '/^CONFIG_KPROBE_EVENTS=/d' -e '/^CONFIG_FTRACE=/d' \
    "$(dirname "$0")/../../images/kernel.config.d/nvmelab.config" \
    >"$work/obj/.config"
lacks='.config lacks CONFIG_FTRACE=y CONFIG_KPROBE_EVENTS=y, which'
refuses 2 "$lacks" run -k "$work/obj" -g quick
refuses 2 "$lacks" run -k "$work/obj" -g flush,context
refuses 2 "$lacks" run -k "$work/obj" 'context.xfs.*'
refuses 2 "$lacks" run -k "$work/obj" '*'
refuses 2 "'flash'" run -k "$work/obj" -g flash
refuses 2 "/nonexistent/bzImage" run -k /nonexistent/bzImage
refuses 2 "'floppy'" run -d floppy
refuses 2 "'floppy'" run -d vwc,floppy
refuses 2 "'flash'" run -g flash
refuses 2 "'always'" run --lie always
refuses 2 '/nonexistent/rules' run --hold /nonexistent/rules
refuses 2 '/nonexistent/rules' qemu --hold /nonexistent/rules
refuses 2 "'xml'" run --format xml
refuses 2 'many' run --seed many
refuses 2 '-1' run --seeds=-1
refuses 2 '-k 6.12 is one' run -k 6.12 --diff
refuses 2 '--repeats 0' run --repeats 0
refuses 2 'flush.x' context show flush.x
refuses 2 'run.json' context show context.x --results /nonexistent
refuses 2 'what?' context show
refuses 2 '--timeout 0' run --timeout 0
refuses 2 "'floppy'" qemu -d floppy
refuses 2 "'extra'" qemu extra
refuses 2 "'extra'" doctor extra
refuses 2 "'extra'" demo extra
refuses 2 "'burn'" kernel burn
refuses 2 'kernel' kernel get
refuses 2 "'burn'" trace burn
refuses 2 'FILE' trace show
refuses 2 "'xml'" trace stat "$work/foreign" --format xml
refuses 2 "$work/none" trace show "$work/none"
refuses 3 "$work/foreign: offset 0: not a command trace" \
    trace show "$work/foreign"
refuses 3 "$work/truncated: offset 0: truncated header" \
    trace stat "$work/truncated"
exit $failed
