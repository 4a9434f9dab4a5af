/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Syncs and Flush commands, one behind the other.
 *
 * A sync must not return with a Flush that was under way before it was asked
 * for: a write between the two is not covered (docs/loss-model.md, P1). And a
 * queue has one Flush under way at a time; all syncs that come meanwhile share
 * the next one: blk_kick_flush, rule C1, block/blk-flush.c, 6.1, 6.12, 7.2. All
 * tasks are on one processor, hence on one queue.
 *
 * fdatasync after direct overwrites owes the journal nothing, and comes to
 * blkdev_issue_flush: blkdev_fsync, block/fops.c; xfs_file_fsync,
 * fs/xfs/xfs_file.c; ext4_sync_file, fs/ext4/fsync.c; 6.1, 6.12, 7.2.
 */
#include <fcntl.h>
#include <inttypes.h>

#include "holds.h"

#define WHERE "blkdev_issue_flush"

static void overwrite(const struct scene *scene, unsigned block)
{
    scene_write(scene, scene->fd, block);
    scene_must_have_written(scene, block);
}

static struct task sync_in_task(struct scene *scene, const char *name)
{
    return task_start(scene->run, name, scene_fdatasync, scene);
}

static void must_be_parked(const struct hold *flushes, size_t wanted)
{
    struct lab_held held[4];
    size_t count = hold_held(flushes, held, 4);

    if (count != wanted) {
        run_fail(flushes->run, "%zu Flush commands at the drive, wanted %zu",
                 count, wanted);
    }
}

static void run_shared(struct run *run)
{
    struct scene scene = scene_open(run);
    struct lab_hold all = hold_flush(&scene.target.ns, LAB_HOLD_CQE);
    uint64_t before = scene_stat(&scene).flushes;
    struct hold flushes;
    struct task first, second, third;

    scene_need_vwc(&scene);
    task_stay_on(run, 0);
    all.count = 0;
    flushes = scene_hold(&scene, "every Flush", all);

    overwrite(&scene, 1);
    first = sync_in_task(&scene, "the first fdatasync");
    hold_wait(&flushes, 1);
    overwrite(&scene, 2);
    second = sync_in_task(&scene, "the second fdatasync");
    third = sync_in_task(&scene, "the third fdatasync");
    task_must_wait(&second, WHERE);
    task_must_wait(&third, WHERE);
    must_be_parked(&flushes, 1);

    hold_release_oldest(&flushes);
    task_must_finish(&first, 0);
    hold_wait(&flushes, 1);
    task_must_wait(&second, WHERE);
    task_must_wait(&third, WHERE);
    must_be_parked(&flushes, 1);

    hold_release_oldest(&flushes);
    task_must_finish(&second, 0);
    task_must_finish(&third, 0);
    must_be_parked(&flushes, 0);
    hold_release(&flushes);
    run_pass(run, "3 syncs, %" PRIu64 " Flush commands",
             scene_stat(&scene).flushes - before);
}

/*
 * A sync owes nothing to a write that has not completed, and a Flush passes by
 * a write with FUA: that one goes around the queue of flushes
 * (blk_flush_policy and blk_insert_flush, block/blk-flush.c, 6.1, 6.12, 7.2).
 */
static void run_beside_fua(struct run *run)
{
    struct scene scene = scene_open(run);
    int dsync = scene_open_again(&scene, O_RDWR | O_DIRECT | O_DSYNC);
    struct lab_hold rule = scene_write_rule(&scene, LAB_HOLD_DURABLE, 1);
    struct hold write;
    struct task sync;

    scene_need_vwc(&scene);
    rule.flags |= LAB_HOLD_WITH_FUA;
    write = scene_hold(&scene, "the FUA write", rule);

    scene_write(&scene, dsync, 1);
    hold_wait(&write, 1);
    overwrite(&scene, 2);
    sync = sync_in_task(&scene, "fdatasync");
    task_must_finish(&sync, 0);
    async_must_be_quiet(run);

    hold_release(&write);
    scene_must_have_written(&scene, 1);
    scene_must_read(&scene, scene.fd, 1, NEWER, "read");
    run_pass(run, "fdatasync returned while the FUA write was not durable");
}

#define FLUSH_CASES(target)                                              \
    GUEST_CASE(flush_shared_##target,                                    \
               .name = "holds." #target ".flush-shared",                 \
               .claim = "syncs during a Flush wait for the next one, "   \
                        "which they share",                              \
               .run = run_shared);                                       \
    GUEST_CASE(flush_beside_fua_##target,                                \
               .name = "holds." #target ".flush-beside-fua",             \
               .claim = "a sync does not wait for a FUA write that is "  \
                        "under way",                                     \
               .run = run_beside_fua)

FLUSH_CASES(raw);
FLUSH_CASES(xfs);
FLUSH_CASES(ext4);
