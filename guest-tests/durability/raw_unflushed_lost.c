/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * P4: a completed write without a promise may survive or vanish; with the
 * policy drop-all it vanishes, or the cut was none. Without a volatile cache it
 * is durable (P3), and the claim turns round.
 */
#include <fcntl.h>

#include "durability.h"
#include "issue.h"

static const struct durable_file range = { "unflushed-lost", 4 };

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
    claim_note_cost(&claim);
}

static void verify(struct run *run)
{
    struct claim claim = claim_open(run, TARGET_AS_LEFT);

    claim_expect_scattered(&claim, &range, claim_unpromised(&claim), false);
    claim_pass(&claim);
}

GUEST_CASE(raw_unflushed_lost,
           .name = "durability.raw.unflushed-lost",
           .claim = "completed writes without a Flush are what the cut left",
           .rank = RANK_NO_SYNC,
           .base = base,
           .prepare = prepare,
           .verify = verify);
