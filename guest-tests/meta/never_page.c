/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A clean page that is older than what is on the drive, forged for real: the
 * file's block is written through the block device, which knows nothing of the
 * file's page cache. The check then looks at it as behind every acknowledged
 * direct write. With the page dirty the same is legal.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "block.h"
#include "guest.h"
#include "never_page.h"
#include "target.h"

#define FILE_BYTES (8 * TARGET_BLOCK_BYTES)
#define PLACE (3 * TARGET_BLOCK_BYTES)

enum { OLDER = 1, NEWER = 2, DIRTIED = 3 };

struct scene {
    struct run *run;
    struct target target;
    int fd;                     /* of the file, direct */
    char *map;                  /* of the file */
    char *newer;                /* one block */
};

static void fill(char *buffer, size_t length, off_t offset, uint32_t generation)
{
    block_fill(buffer, length, block_file_id("never-page"), (uint64_t)offset,
               generation);
}

/* A file on the drive, of which the block at PLACE is cached, clean. */
static void lay_out(struct scene *scene)
{
    struct run *run = scene->run;
    char *older = target_buffer(run, FILE_BYTES);

    scene->target = target_get(run, TARGET_FRESH_OR_MOUNTED);
    target_remove(run, &scene->target, "never-page");
    scene->fd = target_open(run, &scene->target, "never-page",
                            O_RDWR | O_CREAT | O_DIRECT);
    fill(older, FILE_BYTES, 0, OLDER);
    target_write(run, scene->fd, older, FILE_BYTES, 0);
    target_settle(run, &scene->target, scene->fd);
    scene->map = mmap(NULL, FILE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED,
                      scene->fd, 0);
    if (scene->map == MAP_FAILED ||
        memcmp(scene->map + PLACE, older + PLACE, TARGET_BLOCK_BYTES) != 0) {
        run_error(run, "the file cannot be cached: %s", strerror(errno));
    }
    scene->newer = target_buffer(run, TARGET_BLOCK_BYTES);
    fill(scene->newer, TARGET_BLOCK_BYTES, PLACE, NEWER);
}

/* Behind the file system's back. */
static void write_newer(struct scene *scene)
{
    union {
        struct fiemap map;
        char room[sizeof(struct fiemap) + sizeof(struct fiemap_extent)];
    } request = { .map = {
        .fm_start = PLACE, .fm_length = TARGET_BLOCK_BYTES,
        .fm_extent_count = 1,
    } };
    const struct fiemap_extent *extent = request.map.fm_extents;
    int fd = open(scene->target.ns.node, O_RDWR | O_DIRECT | O_CLOEXEC);

    if (fd < 0 || ioctl(scene->fd, FS_IOC_FIEMAP, &request.map) < 0 ||
        request.map.fm_mapped_extents != 1) {
        run_error(scene->run, "%s: where the file is: %s",
                  scene->target.ns.node, strerror(errno));
    }
    target_write(scene->run, fd, scene->newer, TARGET_BLOCK_BYTES,
                 (off_t)(extent->fe_physical + PLACE - extent->fe_logical));
    close(fd);
}

static void look(struct scene *scene)
{
    never_page_look(scene->fd, scene->newer, TARGET_BLOCK_BYTES, PLACE);
}

static void run_stale(struct run *run)
{
    struct scene scene = { .run = run };

    lay_out(&scene);
    write_newer(&scene);
    look(&scene);
    run_pass(run, "the case saw nothing wrong");
}

static void run_dirty(struct run *run)
{
    struct scene scene = { .run = run };

    lay_out(&scene);
    write_newer(&scene);
    fill(scene.map + PLACE, TARGET_BLOCK_BYTES, PLACE, DIRTIED);
    look(&scene);
    run_pass(run, "a dirty page is somebody's later write");
}

/* The direct write itself takes the page out of the cache. */
static void run_dropped(struct run *run)
{
    struct scene scene = { .run = run };
    unsigned char in_memory = 1;

    lay_out(&scene);
    target_write(run, scene.fd, scene.newer, TARGET_BLOCK_BYTES, PLACE);
    look(&scene);
    if (mincore(scene.map + PLACE, TARGET_BLOCK_BYTES, &in_memory) < 0 ||
        (in_memory & 1)) {
        run_fail(run, "looking has brought the page into the cache");
    }
    run_pass(run, "not cached before and after the look");
}

GUEST_CASE(stale_ext4,
           .name = "meta.ext4.never-stale-page",
           .claim = "a stale clean page fails the case",
           .run = run_stale);
GUEST_CASE(stale_xfs,
           .name = "meta.xfs.never-stale-page",
           .claim = "a stale clean page, of a large folio, fails the case",
           .run = run_stale);
GUEST_CASE(dirty_ext4,
           .name = "meta.ext4.legal-dirty-page",
           .claim = "a stale dirty page does not",
           .run = run_dirty);
GUEST_CASE(dirty_xfs,
           .name = "meta.xfs.legal-dirty-page",
           .claim = "a stale dirty page of a large folio does not",
           .run = run_dirty);
GUEST_CASE(dropped_ext4,
           .name = "meta.ext4.legal-dropped-page",
           .claim = "looking brings nothing into the page cache",
           .run = run_dropped);
