/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The page cache is filled while a direct write of the same block is under way.
 *
 * The page gets what the write is about to replace: the older data, as long as
 * the drive does not show the newer; zeros, as long as the file system has not
 * heard of the completion and takes the block for unwritten, though the data is
 * on the drive. So whoever completes the write must take the page out again,
 * though there was none when it was submitted: iomap_dio_complete,
 * fs/iomap/direct-io.c, 6.1 and 6.12 always; 7.2 leaves it out only if the
 * mapping has no pages when the last bio ends (iomap_dio_done, same file).
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <string.h>
#include <sys/mman.h>

#include "holds.h"

#define BLOCK 5

struct cached {
    enum lab_hold_stage stage;
    bool is_unwritten;          /* the block, before */
    bool is_fault;
};

static void make_unwritten(const struct scene *scene)
{
    if (fallocate(scene->fd, FALLOC_FL_ZERO_RANGE, scene_offset(scene, BLOCK),
                  TARGET_BLOCK_BYTES) < 0) {
        run_error(scene->run, "fallocate: %s", strerror(errno));
    }
    target_settle(scene->run, &scene->target, scene->fd);
}

static const char *map_file(const struct scene *scene, int fd)
{
    const char *map = mmap(NULL, SCENE_BYTES, PROT_READ, MAP_SHARED, fd, 0);

    if (map == MAP_FAILED) {
        run_error(scene->run, "mmap: %s", strerror(errno));
    }
    return map;
}

/* What comes into the page while the write is parked. */
static void bring_in(const struct scene *scene, const struct cached *race,
                     int cached, const char *page)
{
    if (race->is_unwritten && race->is_fault) {
        scene_must_be_zeros(scene, page, BLOCK);
    } else if (race->is_unwritten) {
        scene_must_read_zeros(scene, cached, BLOCK);
    } else if (race->is_fault) {
        scene_must_be(scene, page, BLOCK, OLDER, "page fault during");
    } else {
        scene_must_read(scene, cached, BLOCK, OLDER, "read during");
    }
}

static void run_cached(struct run *run)
{
    const struct cached *race = run->guest_case->data;
    struct scene scene = scene_open(run);
    int cached = scene_open_again(&scene, O_RDONLY);
    const char *page = map_file(&scene, cached) + BLOCK * TARGET_BLOCK_BYTES;
    struct hold write;

    if (race->is_unwritten) {
        make_unwritten(&scene);
    }
    write = scene_hold(&scene, "the direct write",
                       scene_write_rule(&scene, race->stage, BLOCK));
    scene_write(&scene, scene.fd, BLOCK);
    hold_wait(&write, 1);
    bring_in(&scene, race, cached, page);
    hold_release(&write);
    scene_must_have_written(&scene, BLOCK);
    scene_must_read(&scene, cached, BLOCK, NEWER, "read after");
    scene_must_be(&scene, page, BLOCK, NEWER, "page fault after");
    run_pass(run, "%s during the write, newer data after it",
             race->is_unwritten ? "zeros" : "older data");
}

static const struct cached read_visible = { LAB_HOLD_VISIBLE, false, false };
static const struct cached fault_visible = { LAB_HOLD_VISIBLE, false, true };
static const struct cached read_unwritten = { LAB_HOLD_CQE, true, false };
static const struct cached fault_unwritten = { LAB_HOLD_CQE, true, true };

#define CACHED(target, word, race_data, by)                             \
    GUEST_CASE(cached_##race_data##_##target,                           \
               .name = "holds." #target ".cached-" word,                \
               .claim = "a page that " by " brings into the page cache" \
                        " during a direct write is not stale after it", \
               .run = run_cached,                                       \
               .data = &race_data)

#define CACHED_CASES(target)                                            \
    CACHED(target, "read-visible", read_visible, "a read");             \
    CACHED(target, "fault-visible", fault_visible, "a fault");          \
    CACHED(target, "read-unwritten", read_unwritten, "a read");         \
    CACHED(target, "fault-unwritten", fault_unwritten, "a fault")

CACHED_CASES(xfs);
CACHED_CASES(ext4);
