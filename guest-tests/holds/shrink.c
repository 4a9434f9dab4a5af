/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What takes blocks from a file, or gives it some, waits for direct writes that
 * are under way (inode_dio_wait), and goes on when they have ended: whoever
 * asks, also the owner of the ring through which the write was issued. That
 * one is why nothing may end a direct write in task work: it would wait for
 * itself (docs/never-events.md).
 *
 *      truncate  xfs_setattr_size, fs/xfs/xfs_iops.c; ext4_setattr,
 *                fs/ext4/inode.c                     6.1, 6.12, 7.2
 *      others    xfs_file_fallocate, fs/xfs/xfs_file.c, 6.1, 6.12;
 *                __xfs_file_fallocate there, 7.2
 *                ext4_punch_hole, fs/ext4/inode.c, ext4_zero_range and
 *                ext4_do_fallocate, fs/ext4/extents.c, 6.1; ext4_fallocate
 *                there, 6.12, 7.2
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/falloc.h>
#include <sys/stat.h>
#include <unistd.h>

#include "holds.h"

#define BLOCK 5
#define WHERE "inode_dio_wait"

enum left { LEFT_NOTHING, LEFT_ZEROS, LEFT_NEWER };

struct shrink {
    const char *name;
    int (*call)(int fd);
    off_t size;                 /* of the file, afterwards */
    enum left left;             /* of the block, afterwards */
    bool is_owner;
};

struct race {
    const struct shrink *shrink;
    struct scene scene;
    struct hold write;
};

static int truncate_before(int fd)
{
    return ftruncate(fd, TARGET_BLOCK_BYTES);
}

static int punch_hole(int fd)
{
    return fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                     BLOCK * TARGET_BLOCK_BYTES, TARGET_BLOCK_BYTES);
}

static int zero_range(int fd)
{
    return fallocate(fd, FALLOC_FL_ZERO_RANGE, BLOCK * TARGET_BLOCK_BYTES,
                     TARGET_BLOCK_BYTES);
}

static int allocate(int fd)
{
    return fallocate(fd, 0, SCENE_BYTES, TARGET_BLOCK_BYTES);
}

static ssize_t shrink(void *opaque)
{
    const struct race *race = opaque;

    return race->shrink->call(race->scene.fd) < 0 ? -errno : 0;
}

/* The write, the call and the completion in one task. */
static ssize_t write_and_shrink(void *opaque)
{
    const struct race *race = opaque;
    ssize_t result;

    scene_write(&race->scene, race->scene.fd, BLOCK);
    hold_wait(&race->write, 1);
    result = shrink(opaque);
    if (scene_stat(&race->scene).commands_held) {
        run_fail(race->scene.run, "%s did not wait: it returned %zd",
                 race->shrink->name, result);
    }
    scene_must_have_written(&race->scene, BLOCK);
    return result;
}

static void expect_left(const struct race *race)
{
    const struct scene *scene = &race->scene;
    struct stat stat;

    if (fstat(scene->fd, &stat) < 0 || stat.st_size != race->shrink->size) {
        run_fail(scene->run, "the file has %jd bytes, wanted %jd",
                 (intmax_t)stat.st_size, (intmax_t)race->shrink->size);
    }
    switch (race->shrink->left) {
    case LEFT_NOTHING:
        break;
    case LEFT_ZEROS:
        scene_must_read_zeros(scene, scene->fd, BLOCK);
        break;
    case LEFT_NEWER:
        scene_must_read(scene, scene->fd, BLOCK, NEWER, "read");
        break;
    }
}

static void run_shrink(struct run *run)
{
    struct race race = { .shrink = run->guest_case->data };
    const struct shrink *what = race.shrink;
    struct task task;

    race.scene = scene_open(run);
    race.write = scene_hold(&race.scene, "the direct write",
                            scene_write_rule(&race.scene, LAB_HOLD_CQE,
                                             BLOCK));
    if (!what->is_owner) {
        scene_write(&race.scene, race.scene.fd, BLOCK);
        hold_wait(&race.write, 1);
    }
    task = task_start(run, what->name,
                      what->is_owner ? write_and_shrink : shrink, &race);
    hold_wait(&race.write, 1);
    task_must_wait(&task, WHERE);
    hold_release(&race.write);
    if (!what->is_owner) {
        scene_must_have_written(&race.scene, BLOCK);
    }
    task_must_finish(&task, 0);
    expect_left(&race);
    run_pass(run, "%s waited in " WHERE " until the write was released",
             what->name);
}

#define SHRINK(word, function, bytes, what_is_left)                       \
    static const struct shrink by_other_##word = {                        \
        #word, function, bytes, what_is_left, false,                      \
    };                                                                    \
    static const struct shrink by_owner_##word = {                        \
        #word, function, bytes, what_is_left, true,                       \
    };                                                                    \
    SHRINK_ON(xfs, word)                                                  \
    SHRINK_ON(ext4, word)

#define SHRINK_ON(target, word)                                           \
    GUEST_CASE(other_##word##_##target,                                   \
               .name = "holds." #target "." #word "-waits",               \
               .claim = #word " waits for another task's direct write",   \
               .run = run_shrink,                                         \
               .data = &by_other_##word);                                 \
    GUEST_CASE(owner_##word##_##target,                                   \
               .name = "holds." #target "." #word "-waits-owner",         \
               .claim = #word " waits for its own task's direct write",   \
               .run = run_shrink,                                         \
               .data = &by_owner_##word);

SHRINK(truncate, truncate_before, TARGET_BLOCK_BYTES, LEFT_NOTHING)
SHRINK(punch, punch_hole, SCENE_BYTES, LEFT_ZEROS)
SHRINK(zero, zero_range, SCENE_BYTES, LEFT_ZEROS)
SHRINK(allocate, allocate, SCENE_BYTES + TARGET_BLOCK_BYTES, LEFT_NEWER)
