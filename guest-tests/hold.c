/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Holds of one step; see hold.h.
 *
 * The trace has the step between two marks, as the flush cases have, so that
 * the host sees by itself what was forgotten (harness/holds.c).
 */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hold.h"

#define WAIT_LIMIT_MS 10000
#define SWEEP_LIMIT_MS 1000

/* NVM Command Set 1.0, "Opcodes for NVM Commands". */
#define OPCODE_FLUSH 0x00
#define OPCODE_WRITE 0x01
#define OPCODE_READ 0x02

/* The holds that this process has armed and not ended. */
static struct hold armed[LAB_HOLDS_MAX];
static size_t armed_count;
static struct drive marked;     /* the step's drive, once it has a mark */
static uint64_t armed_before;   /* by others: properties, QMP */
static bool is_left_to_cut;

/* --- what to park --------------------------------------------------------- */

static struct lab_hold hold_opcode(const struct drive_ns *ns,
                                   enum lab_hold_stage stage, uint8_t opcode)
{
    return (struct lab_hold){
        .stage = stage, .flags = LAB_HOLD_BY_OPCODE | LAB_HOLD_BY_NSID,
        .opcode = opcode, .nsid = ns->nsid, .count = 1,
    };
}

static struct lab_hold hold_range(const struct drive_ns *ns,
                                  enum lab_hold_stage stage, uint8_t opcode,
                                  off_t address, size_t length)
{
    struct lab_hold what = hold_opcode(ns, stage, opcode);
    uint64_t end = (uint64_t)address + length;

    what.flags |= LAB_HOLD_BY_LBA;
    what.first_lba = (uint64_t)address / ns->block_size_bytes;
    what.last_lba = (end - 1) / ns->block_size_bytes;
    return what;
}

struct lab_hold hold_write(const struct drive_ns *ns, enum lab_hold_stage stage,
                           off_t address, size_t length)
{
    return hold_range(ns, stage, OPCODE_WRITE, address, length);
}

struct lab_hold hold_read(const struct drive_ns *ns, enum lab_hold_stage stage,
                          off_t address, size_t length)
{
    return hold_range(ns, stage, OPCODE_READ, address, length);
}

struct lab_hold hold_flush(const struct drive_ns *ns, enum lab_hold_stage stage)
{
    return hold_opcode(ns, stage, OPCODE_FLUSH);
}

/* --- the end of the step -------------------------------------------------- */

static void mark(struct run *run, const struct drive *drive,
                 enum lab_mark_kind kind, uint64_t id, const char *text)
{
    int error = drive_mark(drive, kind, id, text);

    if (error) {
        run_error(run, "MARK on %s: %s", drive->node, strerror(-error));
    }
}

static void let_go(struct drive_release what)
{
    uint32_t released;

    drive_release(&marked, &what, &released);
}

static void end_forgotten(struct run *run, const struct hold *hold)
{
    uint32_t parked = 0;

    drive_wait(&marked, hold->rule, 1, 1, NULL, 0, &parked);
    run_note(run, "hold forgotten %s: rule %" PRIu32 ", %" PRIu32 " parked",
             hold->name, hold->rule, parked);
    let_go((struct drive_release){ .what = LAB_RELEASE_RULE,
                                   .rule = hold->rule });
}

/* Nothing in here may end the step: it is ending. */
static void check_at_end(void)
{
    struct run *run = run_self();
    struct lab_stat stat;
    int error;

    if (is_left_to_cut) {
        return;
    }
    drive_mark(&marked, LAB_MARK_END, run->mark_id, run->guest_case->name);
    while (armed_count) {
        end_forgotten(run, &armed[--armed_count]);
    }
    error = drive_stat(&marked, &stat);
    if (error || stat.holds_armed > armed_before) {
        run_note(run, "hold forgotten by nobody: %" PRIu64 " rules more than "
                 "before, %s", error ? 0 : stat.holds_armed - armed_before,
                 error ? strerror(-error) : "all released");
        let_go((struct drive_release){ .what = LAB_RELEASE_ALL });
    }
}

/* --- arming and waiting --------------------------------------------------- */

static void begin(struct run *run, const struct drive *drive)
{
    struct lab_stat stat;
    int error;

    if (*marked.node) {
        return;
    }
    error = drive_stat(drive, &stat);
    if (error) {
        run_error(run, "STAT on %s: %s", drive->node, strerror(-error));
    }
    armed_before = stat.holds_armed;
    marked = *drive;
    run_at_end(check_at_end);
    mark(run, drive, LAB_MARK_BEGIN, run->mark_id, run->guest_case->name);
}

struct hold hold_arm(struct run *run, const struct drive *drive,
                     const char *name, struct lab_hold what)
{
    struct hold hold = { .run = run, .drive = *drive, .name = name };
    int error;

    begin(run, drive);
    mark(run, drive, LAB_MARK_NOTE, 0, name);
    error = drive_hold(drive, &what, &hold.rule);
    if (error) {
        run_error(run, "HOLD of %s at stage %" PRIu32 " on %s: %s", name,
                  what.stage, drive->node, strerror(-error));
    }
    if (armed_count < LAB_HOLDS_MAX) {
        armed[armed_count++] = hold;
    }
    return hold;
}

void hold_wait(const struct hold *hold, unsigned count)
{
    uint32_t parked = 0;
    int error = drive_wait(&hold->drive, hold->rule, count, WAIT_LIMIT_MS,
                           NULL, 0, &parked);

    if (error == -ETIMEDOUT) {
        run_error(hold->run, "%s: %" PRIu32 " parked after %d ms, wanted %u",
                  hold->name, parked, WAIT_LIMIT_MS, count);
    }
    if (error) {
        run_error(hold->run, "WAIT for %s, rule %" PRIu32 ": %s", hold->name,
                  hold->rule, strerror(-error));
    }
}

size_t hold_held(const struct hold *hold, struct lab_held *held, size_t room)
{
    uint32_t parked = 0;
    int error = drive_wait(&hold->drive, hold->rule, 1, 1, held, room,
                           &parked);

    if (error && error != -ETIMEDOUT) {
        run_error(hold->run, "WAIT for %s, rule %" PRIu32 ": %s", hold->name,
                  hold->rule, strerror(-error));
    }
    return parked < room ? parked : room;
}

struct lab_held hold_only(const struct hold *hold)
{
    struct lab_held held[2];
    size_t count;

    hold_wait(hold, 1);
    count = hold_held(hold, held, 2);
    if (count != 1) {
        run_error(hold->run, "%s: %zu commands are parked, wanted one",
                  hold->name, count);
    }
    return held[0];
}

/* --- releasing ------------------------------------------------------------ */

static void forget(const struct hold *hold)
{
    for (size_t i = 0; i < armed_count; i++) {
        if (armed[i].rule == hold->rule) {
            armed[i] = armed[--armed_count];
            return;
        }
    }
}

static void release(const struct hold *hold, struct drive_release what,
                    uint32_t at_least)
{
    uint32_t released = 0;
    int error;

    what.rule = hold->rule;
    error = drive_release(&hold->drive, &what, &released);
    if (error) {
        run_error(hold->run, "RELEASE of %s, rule %" PRIu32 ": %s", hold->name,
                  hold->rule, strerror(-error));
    }
    if (released < at_least) {
        run_error(hold->run, "RELEASE of %s: %" PRIu32 " went on, wanted %"
                  PRIu32, hold->name, released, at_least);
    }
}

void hold_release(struct hold *hold)
{
    release(hold, (struct drive_release){ .what = LAB_RELEASE_RULE }, 0);
    forget(hold);
}

void hold_release_oldest(const struct hold *hold)
{
    release(hold, (struct drive_release){ .what = LAB_RELEASE_SOME,
                                          .count = 1 }, 1);
}

void hold_release_newest(const struct hold *hold)
{
    release(hold, (struct drive_release){ .what = LAB_RELEASE_SOME, .count = 1,
                                          .is_newest_first = true }, 1);
}

void hold_lose_irq(struct hold *hold)
{
    struct lab_held held = hold_only(hold);

    release(hold, (struct drive_release){ .what = LAB_RELEASE_LOST,
                                          .command_id = held.command_id }, 1);
    hold_release(hold);
}

void hold_must_be_empty(const struct hold *hold)
{
    struct lab_held held[1];

    if (hold_held(hold, held, 1)) {
        run_fail(hold->run, "%s: command %" PRIu64 " is still parked",
                 hold->name, held[0].command_id);
    }
}

void hold_leave_to_cut(const struct hold *hold)
{
    hold_wait(hold, 1);
    is_left_to_cut = true;
}

/* --- the sweep ------------------------------------------------------------ */

static void sweep_drive(const struct drive *drive, void *opaque)
{
    struct drive_release all = { .what = LAB_RELEASE_ALL };
    uint32_t released;

    (void)opaque;
    drive_release(drive, &all, &released);
}

void hold_sweep(void)
{
    pid_t pid = guest_has_no_drive() ? -1 : fork();
    struct pollfd poll_fd = { .events = POLLIN };

    if (pid == 0) {
        drive_each(DRIVE_MODEL_PREFIX, sweep_drive, NULL);
        _exit(0);
    }
    if (pid < 0) {
        return;
    }
    poll_fd.fd = (int)syscall(SYS_pidfd_open, pid, 0);
    poll(&poll_fd, 1, SWEEP_LIMIT_MS);
    close(poll_fd.fd);
    waitpid(pid, NULL, WNOHANG);
}
