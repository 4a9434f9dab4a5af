/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Holds that are still there when the case says that it passed: a rule that
 * parks nothing, a parked read, and one that the guest itself does not report,
 * so that only the trace has it. The case after them finds a free drive.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "async.h"
#include "guest.h"
#include "hold.h"
#include "target.h"

#define PLACE (24 << 20)

static struct target get_raw(struct run *run)
{
    return target_get(run, TARGET_FRESH_OR_MOUNTED);
}

static struct lab_hold a_read(const struct target *target)
{
    return hold_read(&target->ns, LAB_HOLD_CQE, PLACE, TARGET_BLOCK_BYTES);
}

static void run_rule(struct run *run)
{
    struct target target = get_raw(run);

    hold_arm(run, &target.ns.drive, "a read that never comes",
             a_read(&target));
    run_pass(run, "the case saw nothing wrong");
}

static void run_command(struct run *run)
{
    struct target target = get_raw(run);
    struct hold read = hold_arm(run, &target.ns.drive, "the read",
                                a_read(&target));
    int fd = target_open(run, &target, "", O_RDONLY | O_DIRECT);

    async_read(run, 0, fd, target_buffer(run, TARGET_BLOCK_BYTES),
               TARGET_BLOCK_BYTES, PLACE);
    hold_wait(&read, 1);
    run_pass(run, "the case saw nothing wrong");
}

static void must(struct run *run, const char *what, int error)
{
    if (error) {
        run_error(run, "%s: %s", what, strerror(-error));
    }
}

static void run_unreported(struct run *run)
{
    struct target target = get_raw(run);
    const struct drive *drive = &target.ns.drive;
    const char *name = run->guest_case->name;
    struct drive_release all = { .what = LAB_RELEASE_ALL };
    struct lab_hold what = a_read(&target);
    uint32_t number;

    must(run, "MARK", drive_mark(drive, LAB_MARK_BEGIN, run->mark_id, name));
    must(run, "HOLD", drive_hold(drive, &what, &number));
    must(run, "MARK", drive_mark(drive, LAB_MARK_END, run->mark_id, name));
    must(run, "RELEASE", drive_release(drive, &all, &number));
    run_pass(run, "the case saw nothing wrong");
}

static void run_free(struct run *run)
{
    struct target target = get_raw(run);
    struct lab_stat stat;

    must(run, "STAT", drive_stat(&target.ns.drive, &stat));
    if (stat.holds_armed || stat.commands_held) {
        run_fail(run, "%ju rules, %ju parked commands",
                 (uintmax_t)stat.holds_armed, (uintmax_t)stat.commands_held);
    }
    run_pass(run, "nothing is held");
}

/* It sleeps where no signal comes through, until the command goes on. */
static void run_stuck(struct run *run)
{
    struct target target = get_raw(run);
    int fd = target_open(run, &target, "", O_RDONLY | O_DIRECT);

    hold_arm(run, &target.ns.drive, "the read", a_read(&target));
    target_read(run, fd, target_buffer(run, TARGET_BLOCK_BYTES),
                TARGET_BLOCK_BYTES, PLACE);
    run_pass(run, "the read was not parked");
}

GUEST_CASE(hold_forgotten_rule,
           .name = "meta.raw.hold-forgotten-rule",
           .claim = "a rule that is left behind fails the case",
           .run = run_rule);
GUEST_CASE(hold_forgotten_command,
           .name = "meta.raw.hold-forgotten-command",
           .claim = "a parked command that is left behind fails the case",
           .run = run_command);
GUEST_CASE(hold_forgotten_unreported,
           .name = "meta.raw.hold-forgotten-unreported",
           .claim = "so it does when only the trace has it",
           .run = run_unreported);
GUEST_CASE(hold_free,
           .name = "meta.raw.hold-free",
           .claim = "nobody inherits a forgotten hold",
           .run = run_free);
GUEST_CASE(hold_stuck,
           .name = "meta.raw.hold-stuck",
           .claim = "a case that waits for its own hold ends in time",
           .time_limit_s = 2,
           .run = run_stuck);
GUEST_CASE(hold_unstuck,
           .name = "meta.raw.hold-unstuck",
           .claim = "what it parked has gone on",
           .run = run_free);
