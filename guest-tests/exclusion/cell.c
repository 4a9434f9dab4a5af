/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One cell of the matrix, and the list of all: exclusion.TARGET.HOLDER.OTHER.
 *
 * The host judges the note "exclusion proceeds" or "exclusion waits" with the
 * functions in which the task sleeps, innermost first.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "block.h"
#include "exclusion.h"
#include "failing.h"
#include "hold.h"
#include "task.h"
#include "watch.h"

/* Between the holds' and the flush cells' (from 64 MiB). */
#define RAW_START ((off_t)52 << 20)
#define RAW_STRIDE ((off_t)128 << 10)

struct cell {
    const struct holder *holder;
    const struct other *other;
    off_t start;
};

static ssize_t other_task(void *opaque)
{
    const struct pair *pair = opaque;

    return pair->other->call(pair);
}

/*
 * An extending write has no address yet. With nothing dirty in the file and no
 * timer running, the first write without FUA is the one; its length is looked
 * at when it is parked.
 */
static struct lab_hold rule_of(const struct pair *pair)
{
    off_t offset = pair_hold_offset(pair);
    size_t length = pair_hold_bytes(pair);
    struct lab_hold rule;
    off_t address;

    if (pair->holder->is_extending) {
        rule = hold_write(&pair->target.ns, LAB_HOLD_VISIBLE, 0, 1);
        rule.flags &= ~(uint32_t)LAB_HOLD_BY_LBA;
        rule.flags |= LAB_HOLD_WITHOUT_FUA;
        return rule;
    }
    address = target_address(&pair->target, pair->direct, offset, length);
    if (address < 0) {
        run_error(pair->run, "block %u has no single extent", pair->block);
    }
    return hold_write(&pair->target.ns, LAB_HOLD_VISIBLE, address, length);
}

static struct lab_held must_park(const struct pair *pair,
                                 const struct hold *hold)
{
    struct lab_held held = hold_only(hold);

    if (held.block_count * (size_t)pair->target.ns.block_size_bytes !=
            pair_hold_bytes(pair) && !pair->holder->is_sector) {
        run_error(pair->run, "%" PRIu32 " logical blocks are parked: not the "
                  "holder's write", held.block_count);
    }
    return held;
}

static void must_be_parked(const struct pair *pair)
{
    struct lab_stat stat;
    int error = drive_stat(&pair->target.ns.drive, &stat);

    if (error || stat.commands_held != 1) {
        run_error(pair->run, "%" PRIu64 " commands are parked, wanted one",
                  error ? 0 : stat.commands_held);
    }
}

/* Bytes at the end of a file that the holder has not extended yet: none. */
static ssize_t result_wanted(const struct pair *pair, bool has_waited)
{
    return pair->other->effect == EFFECT_READ && pair->holder->is_extending &&
           !has_waited ? 0 : pair->other->result;
}

static void end_holder(const struct pair *pair, struct hold *hold,
                       const struct lab_held *held, struct task *holder)
{
    ssize_t result = (ssize_t)pair_hold_bytes(pair);

    if (pair->holder->is_aborted) {
        failing_abort(pair->run, &pair->target.ns.drive, held);
        result = -EIO;
    }
    hold_release(hold);
    task_must_finish(holder, result);
}

static void run_pair(struct pair *pair)
{
    const struct drive *drive = &pair->target.ns.drive;
    struct hold hold = hold_arm(pair->run, drive, "the holder's write",
                                rule_of(pair));
    struct task holder = task_start(pair->run, pair->holder->name, pair_hold,
                                    pair);
    struct lab_held held = must_park(pair, &hold);
    struct watch watch;
    struct task other;
    const char *word;

    if (pair->holder->is_over) {
        end_holder(pair, &hold, &held, &holder);
    }
    watch = watch_begin(pair->run, drive);
    other = task_start(pair->run, pair->other->name, other_task, pair);
    watch_task(&watch, &other);
    if (!pair->holder->is_over) {
        must_be_parked(pair);
        end_holder(pair, &hold, &held, &holder);
    }
    task_must_finish(&other, result_wanted(pair, watch.waits));
    word = pair_check(pair, watch.waits || pair->holder->is_aborted);
    run_note(pair->run, "exclusion %s%s %s", watch.waits ? "waits" : "proceeds",
             word, watch.waits ? watch.stack : "");
    run_pass(pair->run, "%s%s", watch.waits ? "waits" : "proceeds", word);
}

static void run_cell(struct run *run)
{
    const struct cell *cell = run->guest_case->data;
    struct pair pair = {
        .run = run, .holder = cell->holder, .other = cell->other,
        .start = cell->start, .id = block_file_id(run->guest_case->name),
    };

    if (guest_has_no_drive()) {
        run_skip(run, "only the lab's drive parks commands");
    }
    pair.target = target_get(run, TARGET_FRESH_OR_MOUNTED);
    if (pair.target.ns.block_size_bytes > SECTOR_BYTES &&
        (cell->holder->is_sector ||
         cell->other->effect == EFFECT_WRITE_SECTOR)) {
        run_skip(run, "no direct write is smaller than a logical block of %"
                 PRIu32 " bytes", pair.target.ns.block_size_bytes);
    }
    if (cell->holder->is_aborted) {
        failing_no_retries(run);
    }
    pair_lay_out(&pair);
    run_pair(&pair);
}

/* --- the list ------------------------------------------------------------- */

static bool makes_sense(const struct target_type *type,
                        const struct holder *holder, const struct other *other)
{
    if (!type->mount_point && !(holder->is_on_raw && other->is_on_raw)) {
        return false;
    }
    if (other->needs_reflink && strcmp(type->name, "xfs") != 0) {
        return false;           /* ext4 has none */
    }
    if (holder->is_aborted && !other->is_after_failure) {
        return false;
    }
    return !(holder->is_extending && other->needs_inside);
}

static void add_cell(const struct target_type *type,
                     const struct holder *holder, const struct other *other,
                     product_add_fn *add)
{
    static unsigned raw_count;
    struct guest_case *c = calloc(1, sizeof(*c));
    struct cell *cell = calloc(1, sizeof(*cell));
    char *name = NULL;

    if (!c || !cell ||
        asprintf(&name, "exclusion.%s.%s.%s", type->name, holder->name,
                 other->name) < 0) {
        perror("lab-guest: list of cases");
        abort();
    }
    cell->holder = holder;
    cell->other = other;
    if (!type->mount_point) {
        cell->start = RAW_START + raw_count++ * RAW_STRIDE;
    }
    c->name = name;
    c->claim = "what one I/O does while another one is under way";
    c->run = run_cell;
    c->data = cell;
    add(c);
}

void exclusion_add_cases(product_add_fn *add)
{
    for (size_t t = 0; t < TARGET_TYPE_COUNT; t++) {
        for (size_t h = 0; h < exclusion_holder_count; h++) {
            for (size_t o = 0; o < exclusion_other_count; o++) {
                const struct holder *holder = &exclusion_holders[h];
                const struct other *other = &exclusion_others[o];

                if (makes_sense(&target_types[t], holder, other)) {
                    add_cell(&target_types[t], holder, other, add);
                }
            }
        }
    }
}
