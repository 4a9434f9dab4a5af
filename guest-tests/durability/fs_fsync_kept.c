/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What fsync() returned for is there after a power cut: an overwrite, blocks
 * behind the old end with the new size, and a file that did not exist before
 * (with fsync() of its directory), each written directly and through the page
 * cache.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "durability.h"
#include "issue.h"

#define EXTENDED_BLOCKS 8
#define CREATED_BLOCKS 8

/* One way of writing: the file there before, and the one created. */
static const struct way {
    struct durable_file file;
    struct durable_file created;
    int flags;
} ways[] = {
    { { "fsync-kept-direct", 0 }, { "fsync-kept-direct-new", 0 }, O_DIRECT },
    { { "fsync-kept-buffered", 0 }, { "fsync-kept-buffered-new", 0 }, 0 },
};
#define WAY_COUNT (sizeof(ways) / sizeof(ways[0]))

static void base(struct run *run)
{
    struct claim claim = claim_open(run, TARGET_FRESH_OR_MOUNTED);

    for (size_t i = 0; i < WAY_COUNT; i++) {
        target_remove(run, &claim.target, ways[i].created.name);
        claim_base(&claim, &ways[i].file);
    }
}

static void fsync_or_error(struct run *run, int fd, const char *name)
{
    if (fsync(fd) < 0) {
        run_error(run, "fsync %s: %s", name, strerror(errno));
    }
    close(fd);
}

static void prepare_way(struct claim *claim, const struct way *way)
{
    int fd = claim_open_file(claim, &way->file, way->flags);

    claim_write_scattered(claim, &way->file, fd, issuer_sync.write);
    claim_write(claim, &way->file, fd, issuer_sync.write, DURABLE_BLOCKS,
                EXTENDED_BLOCKS);
    fsync_or_error(claim->run, fd, way->file.name);

    fd = claim_open_file(claim, &way->created,
                         way->flags | O_CREAT | O_EXCL);
    claim_write(claim, &way->created, fd, issuer_sync.write, 0,
                CREATED_BLOCKS);
    fsync_or_error(claim->run, fd, way->created.name);
}

static void prepare(struct run *run)
{
    struct claim claim = claim_open(run, TARGET_MOUNTED);

    for (size_t i = 0; i < WAY_COUNT; i++) {
        prepare_way(&claim, &ways[i]);
    }
    fsync_or_error(run, target_open(run, &claim.target, ".",
                                    O_RDONLY | O_DIRECTORY), "directory");
    claim_note_cost(&claim);
}

static void verify(struct run *run)
{
    struct claim claim = claim_open(run, TARGET_AS_LEFT);

    for (size_t i = 0; i < WAY_COUNT; i++) {
        claim_expect_scattered(&claim, &ways[i].file, DURABLE_NEWER, true);
        claim_expect(&claim, &ways[i].file, DURABLE_BLOCKS, EXTENDED_BLOCKS,
                     DURABLE_NEWER, true);
        claim_expect(&claim, &ways[i].created, 0, CREATED_BLOCKS,
                     DURABLE_NEWER, true);
    }
    claim_pass(&claim);
}

#define FSYNC_KEPT(fs)                                                  \
    GUEST_CASE(fs##_fsync_kept,                                         \
               .name = "durability." #fs ".fsync-kept",                 \
               .claim = "what fsync returned for outlives a power cut", \
               .rank = RANK_FLUSHES,                                    \
               .base = base,                                            \
               .prepare = prepare,                                      \
               .verify = verify)

FSYNC_KEPT(xfs);
FSYNC_KEPT(ext4);
