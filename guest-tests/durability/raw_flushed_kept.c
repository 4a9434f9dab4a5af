/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * P1: when a Flush completes, every write that completed before it was
 * submitted is durable. fsync() of a block device sends one (blkdev_fsync,
 * block/fops.c, 6.12).
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "durability.h"
#include "issue.h"

static const struct durable_file range = { "flushed-kept", 1 };

static void base(struct run *run)
{
    struct claim claim = claim_open(run, TARGET_FRESH_OR_MOUNTED);

    claim_base(&claim, &range);
}

static void prepare(struct run *run)
{
    struct claim claim = claim_open(run, TARGET_MOUNTED);
    int fd = claim_open_file(&claim, &range, O_DIRECT);

    claim_write_scattered(&claim, &range, fd, issuer_sync.write);
    if (fsync(fd) < 0) {
        run_error(run, "fsync: %s", strerror(errno));
    }
    claim_note_cost(&claim);
}

static void verify(struct run *run)
{
    struct claim claim = claim_open(run, TARGET_AS_LEFT);

    claim_expect_scattered(&claim, &range, DURABLE_NEWER, true);
    claim_pass(&claim);
}

GUEST_CASE(raw_flushed_kept,
           .name = "durability.raw.flushed-kept",
           .claim = "writes completed before a Flush outlive a power cut",
           .rank = RANK_FLUSHES,
           .base = base,
           .prepare = prepare,
           .verify = verify);
