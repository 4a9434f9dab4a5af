/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An O_DSYNC overwrite of clean, allocated blocks is durable when it returns.
 * On a drive with a volatile cache it goes out as a FUA write alone (see
 * flush/overwrite_dsync.c for why), so this is the file-system view of P2.
 */
#include <fcntl.h>

#include "durability.h"
#include "issue.h"

static const struct durable_file file = { "dsync-kept", 0 };

static void base(struct run *run)
{
    struct claim claim = claim_open(run, TARGET_FRESH_OR_MOUNTED);

    claim_base(&claim, &file);
}

static void prepare(struct run *run)
{
    struct claim claim = claim_open(run, TARGET_MOUNTED);
    int fd = claim_open_file(&claim, &file, O_DIRECT | O_DSYNC);

    claim_write_scattered(&claim, &file, fd, issuer_sync.write);
    claim_note_cost(&claim);
}

static void verify(struct run *run)
{
    struct claim claim = claim_open(run, TARGET_AS_LEFT);

    claim_expect_scattered(&claim, &file, DURABLE_NEWER, true);
    claim_pass(&claim);
}

#define DSYNC_KEPT(fs)                                                  \
    GUEST_CASE(fs##_dsync_kept,                                         \
               .name = "durability." #fs ".dsync-kept",                 \
               .claim = "O_DSYNC overwrites outlive a power cut",       \
               .rank = RANK_FUA,                                        \
               .base = base,                                            \
               .prepare = prepare,                                      \
               .verify = verify)

DSYNC_KEPT(xfs);
DSYNC_KEPT(ext4);
