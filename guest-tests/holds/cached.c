/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The page cache is filled while a direct write of the same block is under way.
 *
 * Before its data is visible the page gets what the write is about to replace.
 * So whoever completes the write must take the page out again, though there was
 * none when it was submitted: iomap_dio_complete, fs/iomap/direct-io.c, 6.1 and
 * 6.12 always; 7.2 leaves it out only if the mapping has no pages when the last
 * bio ends (iomap_dio_done, same file). Behind the data the page is right from
 * the start, and must stay so.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>

#include "holds.h"

#define BLOCK 5

struct cached {
    enum lab_hold_stage stage;
    enum scene_generation during; /* what the page gets */
    bool is_fault;
};

static const char *map_file(const struct scene *scene, int fd)
{
    const char *map = mmap(NULL, SCENE_BYTES, PROT_READ, MAP_SHARED, fd, 0);

    if (map == MAP_FAILED) {
        run_error(scene->run, "mmap: %s", strerror(errno));
    }
    return map;
}

static void run_cached(struct run *run)
{
    const struct cached *race = run->guest_case->data;
    struct scene scene = scene_open(run);
    int cached = scene_open_again(&scene, O_RDONLY);
    const char *page = map_file(&scene, cached) + BLOCK * TARGET_BLOCK_BYTES;
    struct hold write =
        scene_hold(&scene, "the direct write",
                   scene_write_rule(&scene, race->stage, BLOCK));

    scene_write(&scene, scene.fd, BLOCK);
    hold_wait(&write, 1);
    if (race->is_fault) {
        scene_must_be(&scene, page, BLOCK, race->during, "page fault during");
    } else {
        scene_must_read(&scene, cached, BLOCK, race->during, "read during");
    }
    hold_release(&write);
    scene_must_have_written(&scene, BLOCK);
    scene_must_read(&scene, cached, BLOCK, NEWER, "read after");
    scene_must_be(&scene, page, BLOCK, NEWER, "page fault after");
    run_pass(run, "generation %d during the write, %d after it", race->during,
             NEWER);
}

static const struct cached read_before = { LAB_HOLD_VISIBLE, OLDER, false };
static const struct cached fault_before = { LAB_HOLD_VISIBLE, OLDER, true };
static const struct cached read_behind = { LAB_HOLD_CQE, NEWER, false };
static const struct cached fault_behind = { LAB_HOLD_CQE, NEWER, true };

#define CACHED(target, word, race_data, by)                             \
    GUEST_CASE(cached_##race_data##_##target,                           \
               .name = "holds." #target ".cached-" word,                \
               .claim = "a page that " by " brings into the page cache" \
                        " during a direct write is not stale after it", \
               .run = run_cached,                                       \
               .data = &race_data)

CACHED(xfs, "read-visible", read_before, "a read");
CACHED(xfs, "fault-visible", fault_before, "a fault");
CACHED(xfs, "read-cqe", read_behind, "a read");
CACHED(xfs, "fault-cqe", fault_behind, "a fault");
CACHED(ext4, "read-visible", read_before, "a read");
CACHED(ext4, "fault-visible", fault_before, "a fault");
CACHED(ext4, "read-cqe", read_behind, "a read");
CACHED(ext4, "fault-cqe", fault_behind, "a fault");
