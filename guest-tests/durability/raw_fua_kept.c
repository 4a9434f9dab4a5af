/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * P2: a FUA write is durable when it completes, and it is no barrier: older
 * writes that nobody flushed are as lost as before.
 *
 * The FUA writes go through io_uring, because a blocking O_DSYNC write on a
 * block device is followed by a Flush (blkdev_write_iter calls
 * generic_write_sync for a positive return value only, block/fops.c, 6.12) and
 * would prove nothing about FUA.
 */
#include <fcntl.h>
#include <string.h>

#include "durability.h"
#include "issue.h"

static const struct durable_file older = { "fua-kept-older", 2 };
static const struct durable_file range = { "fua-kept", 3 };

static void base(struct run *run)
{
    struct claim claim = claim_open(run, TARGET_FRESH_OR_MOUNTED);

    claim_base(&claim, &older);
    claim_base(&claim, &range);
}

static void prepare(struct run *run)
{
    struct claim claim = claim_open(run, TARGET_MOUNTED);
    int plain = claim_open_file(&claim, &older, O_DIRECT);
    int fua = claim_open_file(&claim, &range, O_DIRECT | O_DSYNC);
    int error = issuer_io_uring.start();

    if (error) {
        run_error(run, "io_uring: %s", strerror(-error));
    }
    claim_write_scattered(&claim, &older, plain, issuer_sync.write);
    claim_write_scattered(&claim, &range, fua, issuer_io_uring.write);
    claim_note_cost(&claim);
}

static void verify(struct run *run)
{
    struct claim claim = claim_open(run, TARGET_AS_LEFT);
    enum durable_want unpromised = claim_unpromised(&claim);

    claim_expect_scattered(&claim, &range, DURABLE_NEWER, true);
    claim_expect_scattered(&claim, &older, unpromised, false);
    claim_pass(&claim);
}

GUEST_CASE(raw_fua_kept,
           .name = "durability.raw.fua-kept",
           .claim = "FUA writes outlive a power cut, older writes need not",
           .rank = RANK_FUA,
           .base = base,
           .prepare = prepare,
           .verify = verify);
