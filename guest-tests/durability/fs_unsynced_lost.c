/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The twin of dsync-kept: the same overwrite without any sync. If it is there
 * after drop-all, somebody promised what nobody asked for, and dsync-kept
 * proves nothing.
 */
#include <fcntl.h>

#include "durability.h"
#include "issue.h"

static const struct durable_file file = { "unsynced-lost", 0 };

static void base(struct run *run)
{
    struct claim claim = claim_open(run, TARGET_FRESH_OR_MOUNTED);

    claim_base(&claim, &file);
}

static void prepare(struct run *run)
{
    struct claim claim = claim_open(run, TARGET_MOUNTED);
    int fd = claim_open_file(&claim, &file, O_DIRECT);

    claim_write_scattered(&claim, &file, fd, issuer_sync.write);
    claim_note_cost(&claim);
}

static void verify(struct run *run)
{
    struct claim claim = claim_open(run, TARGET_AS_LEFT);

    claim_expect_scattered(&claim, &file, claim_unpromised(&claim), false);
    claim_pass(&claim);
}

#define UNSYNCED_LOST(fs)                                               \
    GUEST_CASE(fs##_unsynced_lost,                                      \
               .name = "durability." #fs ".unsynced-lost",              \
               .claim = "overwrites without a sync are what the cut left", \
               .rank = RANK_NO_SYNC,                                    \
               .base = base,                                            \
               .prepare = prepare,                                      \
               .verify = verify)

UNSYNCED_LOST(xfs);
UNSYNCED_LOST(ext4);
