/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What races share; see holds.h. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "block.h"
#include "holds.h"

/* Apart from durability claims (1 to 32 MiB) and flush cells (from 64). */
#define RAW_START ((off_t)48 << 20)

/* --- the file ------------------------------------------------------------- */

static uint64_t file_id(const struct scene *scene)
{
    return block_file_id(scene->run->guest_case->name);
}

/*
 * Commands that were parked for long make write-back throttling let fewer in,
 * Flush among them: a sync then waits outside the queue (rq_qos_wait, called by
 * wbt_wait, block/blk-wbt.c, 6.1, 6.12, 7.3), and no rule meets it. Off for the
 * rest of this guest.
 */
static void let_all_in(const struct scene *scene)
{
    const struct drive_ns *ns = &scene->target.ns;
    uint64_t limit_us;
    int error;

    if (!drive_queue_number(ns, "wbt_lat_usec", &limit_us) || !limit_us) {
        return;
    }
    error = drive_set_queue_number(ns, "wbt_lat_usec", 0);
    if (error) {
        run_error(scene->run, "queue/wbt_lat_usec of %s: %s", ns->name,
                  strerror(-error));
    }
}

struct scene scene_open(struct run *run)
{
    struct scene scene = { .run = run };
    void *buffer;

    if (guest_has_no_drive()) {
        run_skip(run, "only the lab's drive parks commands");
    }
    scene.target = target_get(run, TARGET_FRESH_OR_MOUNTED);
    let_all_in(&scene);
    scene.start = scene.target.type->mount_point ? 0 : RAW_START;
    target_remove(run, &scene.target, run->guest_case->name);
    scene.fd = scene_open_again(&scene, O_CREAT | O_RDWR | O_DIRECT);
    buffer = target_buffer(run, SCENE_BYTES);
    block_fill(buffer, SCENE_BYTES, file_id(&scene), 0, OLDER);
    target_write(run, scene.fd, buffer, SCENE_BYTES, scene.start);
    free(buffer);
    target_settle(run, &scene.target, scene.fd);
    return scene;
}

int scene_open_again(const struct scene *scene, int flags)
{
    return target_open(scene->run, &scene->target,
                       scene->run->guest_case->name, flags);
}

off_t scene_offset(const struct scene *scene, unsigned block)
{
    return scene->start + (off_t)block * TARGET_BLOCK_BYTES;
}

off_t scene_address(const struct scene *scene, unsigned block)
{
    off_t address = target_address(&scene->target, scene->fd,
                                   scene_offset(scene, block),
                                   TARGET_BLOCK_BYTES);

    if (address < 0) {
        run_error(scene->run, "block %u has no single extent", block);
    }
    return address;
}

void scene_need_vwc(const struct scene *scene)
{
    if (!scene->target.ns.has_vwc) {
        run_skip(scene->run, "%s has no volatile cache: no Flush, no FUA",
                 scene->target.ns.name);
    }
}

/* --- writing -------------------------------------------------------------- */

struct lab_hold scene_write_rule(const struct scene *scene,
                                 enum lab_hold_stage stage, unsigned block)
{
    return hold_write(&scene->target.ns, stage, scene_address(scene, block),
                      TARGET_BLOCK_BYTES);
}

struct hold scene_hold(const struct scene *scene, const char *name,
                       struct lab_hold rule)
{
    return hold_arm(scene->run, &scene->target.ns.drive, name, rule);
}

void scene_write(const struct scene *scene, int fd, unsigned block)
{
    void *buffer = target_buffer(scene->run, TARGET_BLOCK_BYTES);

    block_fill(buffer, TARGET_BLOCK_BYTES, file_id(scene),
               (uint64_t)block * TARGET_BLOCK_BYTES, NEWER);
    async_write(scene->run, block, fd, buffer, TARGET_BLOCK_BYTES,
                scene_offset(scene, block));
}

void scene_must_have_written(const struct scene *scene, unsigned block)
{
    async_must_finish(scene->run, block, TARGET_BLOCK_BYTES);
}

void scene_must_have_written_one(const struct scene *scene)
{
    ssize_t result;
    unsigned block = async_next(scene->run, &result);

    if (result != TARGET_BLOCK_BYTES) {
        run_fail(scene->run, "the write of block %u returned %zd, wanted %d",
                 block, result, TARGET_BLOCK_BYTES);
    }
}

/* --- reading -------------------------------------------------------------- */

void scene_must_be(const struct scene *scene, const void *bytes,
                   unsigned block, enum scene_generation generation,
                   const char *how)
{
    struct block_found found =
        block_inspect(bytes, TARGET_BLOCK_BYTES, file_id(scene),
                      (uint64_t)block * TARGET_BLOCK_BYTES);
    char seen[128];

    if (found.kind == BLOCK_GOOD && found.generation == generation) {
        return;
    }
    block_describe(&found, seen, sizeof(seen));
    run_fail(scene->run, "block %u by %s: wanted generation %d, found %s",
             block, how, generation, seen);
}

static void *read_block(const struct scene *scene, int fd, unsigned block)
{
    void *buffer = target_buffer(scene->run, TARGET_BLOCK_BYTES);
    size_t n = target_read(scene->run, fd, buffer, TARGET_BLOCK_BYTES,
                           scene_offset(scene, block));

    if (n != TARGET_BLOCK_BYTES) {
        run_fail(scene->run, "block %u: %zu bytes read, wanted %d", block, n,
                 TARGET_BLOCK_BYTES);
    }
    return buffer;
}

void scene_must_read(const struct scene *scene, int fd, unsigned block,
                     enum scene_generation generation, const char *how)
{
    void *buffer = read_block(scene, fd, block);

    scene_must_be(scene, buffer, block, generation, how);
    free(buffer);
}

void scene_must_be_zeros(const struct scene *scene, const void *bytes,
                         unsigned block)
{
    struct block_found found = block_inspect(bytes, TARGET_BLOCK_BYTES, 0, 0);
    char seen[128];

    if (found.kind != BLOCK_ZERO) {
        block_describe(&found, seen, sizeof(seen));
        run_fail(scene->run, "block %u: wanted zeros, found %s", block, seen);
    }
}

void scene_must_read_zeros(const struct scene *scene, int fd, unsigned block)
{
    void *buffer = read_block(scene, fd, block);

    scene_must_be_zeros(scene, buffer, block);
    free(buffer);
}

/* --- the rest ------------------------------------------------------------- */

struct lab_stat scene_stat(const struct scene *scene)
{
    struct lab_stat stat;
    int error = drive_stat(&scene->target.ns.drive, &stat);

    if (error) {
        run_error(scene->run, "STAT on %s: %s", scene->target.ns.drive.node,
                  strerror(-error));
    }
    return stat;
}

ssize_t scene_fdatasync(void *opaque)
{
    const struct scene *scene = opaque;

    return fdatasync(scene->fd) < 0 ? -errno : 0;
}

ssize_t scene_reset(void *opaque)
{
    const struct scene *scene = opaque;

    return drive_reset(&scene->target.ns.drive);
}
