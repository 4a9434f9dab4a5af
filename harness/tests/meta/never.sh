#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# usage: never.sh NVMELAB
#
# Each never-event fails the case during which it came, and no other one; a
# guest that cannot watch says so, and says no if it is asked to.

# shellcheck source=harness/tests/meta/lib.sh
. "$(dirname "$0")/lib.sh"

# never CASE PATTERN: it failed, and the line before says so
never() {
    says "^  # never: $2"
    says "^  # rerun: nvmelab run -k [^ ]+ -d vwc $1\$"
    says "^  not ok [0-9]+ $1\$"
}

# meta.pass comes between those that fail
lab 1 run -k "$KERNEL" -d vwc 'meta.*.*' meta.pass -x 'meta.raw.hold-*' \
    --results "$WORK/results"
says '^  1\.\.14$'
says '^  ok [0-9]+ meta.pass$'
says '^  ok [0-9]+ meta.ext4.legal-dirty-page$'
says '^  ok [0-9]+ meta.ext4.legal-dropped-page$'
says '^  ok [0-9]+ meta.xfs.legal-dirty-page$'
never meta.raw.never-hardirq \
    'vfs_fsync_range in hardirq, [0-9]+ times, interrupting .*: nvme_irq<'
never meta.raw.never-softirq \
    'blkdev_issue_flush in softirq, [0-9]+ times, interrupting .*: run_timer_softirq<'
never meta.raw.never-polled \
    'vfs_fsync_range in polled, [0-9]+ times, process case-[0-9]+: blkdev_bio_end_io_async<.*io_do_iopoll'
never meta.raw.never-task-work \
    'iomap_dio_complete with a result >= 0 in task_work, [0-9]+ times, process case-[0-9]+: .*task_work_run'
never meta.raw.never-second-cqe \
    'more than one CQE per request: the request at 0x[0-9a-f]+ was started [0-9]+ times and completed'
never meta.raw.never-second-io-event \
    'more than one io_event per request: the request at 0x[0-9a-f]+ was started [0-9]+ times and completed'
never meta.raw.never-extra-cqe \
    'more than one completion per request: a second CQE of request 1000'
never meta.raw.never-extra-io-event \
    'more than one completion per request: a second io_event of request 1000'
for fs in ext4 xfs; do
    never "meta.$fs.never-stale-page" \
        "/mnt/$fs/never-page offset 12288: the clean cached page is older than"
done

# Without tracefs: said once, no other case fails, and a context case is no
# verdict. ("lockdown" closes tracefs from confidentiality on.)
lab 3 run -k "$KERNEL" -d vwc --append lockdown=confidentiality meta.pass \
    context.raw.read.sync --repeats 1 --results "$WORK/closed"
says '^# never-events not watched: /sys/kernel/tracing/kprobe_events: '
says '^  ok [0-9]+ meta.pass$'
says '^  not ok 1 context.raw.read.sync # ERROR a context case needs tracefs, '
says "^  # rerun: .* --append 'lockdown=confidentiality' context.raw.read.sync "
jq -e '.suites[0].unwatched' "$WORK/closed/run.json" >/dev/null ||
    fail "run.json does not say what is not watched"
jq -e '.suites[0].unwatched == null' "$WORK/results/run.json" >/dev/null ||
    fail "run.json says that something is not watched"
finish
