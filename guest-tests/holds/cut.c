/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The power goes while a write is parked; what it leaves is a matter of where
 * (docs/holds.md, H2 to H5; docs/loss-model.md, P2, P4):
 *
 *      before   with FUA                      without
 *      fetch    nothing                       nothing
 *      visible  nothing                       nothing
 *      durable  what the policy leaves        has no such stage
 *      cqe      all of it: it is durable      what the policy leaves
 *      irq      all of it: it has completed   what the policy leaves
 *
 * On a drive without a volatile cache every write is as one with FUA.
 *
 * No claim that shares the round is touched: a FUA write is no barrier (P2).
 *
 * One block of a file is written and stays parked. The file system must mount,
 * and the other blocks are as base left them.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "../durability/durability.h"
#include "async.h"
#include "hold.h"

#define BLOCK 5
#define BLOCKS_BEFORE BLOCK
#define BLOCKS_AFTER (DURABLE_BLOCKS - BLOCK - 1)

enum left { LEFT_NOTHING, LEFT_BY_POLICY, LEFT_ALL };

struct cut {
    struct durable_file file;
    enum lab_hold_stage stage;
    bool has_fua;
    enum left left;
};

/* What claim_write() needs: the write is under way when it returns. */
static ssize_t write_and_go(int fd, const void *buffer, size_t length,
                            off_t offset)
{
    struct run *run = run_self();
    void *copy = target_buffer(run, length);

    memcpy(copy, buffer, length);
    async_write(run, 0, fd, copy, length, offset);
    return (ssize_t)length;
}

static const struct cut *cut_of(const struct run *run)
{
    return run->guest_case->data;
}

static struct claim open_claim(struct run *run, enum target_state state)
{
    if (guest_has_no_drive()) {
        run_skip(run, "only the lab's drive parks commands");
    }
    return claim_open(run, state);
}

static void base(struct run *run)
{
    struct claim claim = open_claim(run, TARGET_FRESH_OR_MOUNTED);

    claim_base(&claim, &cut_of(run)->file);
}

static void prepare(struct run *run)
{
    const struct cut *cut = cut_of(run);
    struct claim claim = open_claim(run, TARGET_MOUNTED);
    const struct drive_ns *ns = &claim.target.ns;
    int fd = claim_open_file(&claim, &cut->file,
                             O_DIRECT | (cut->has_fua ? O_DSYNC : 0));
    off_t offset = claim_start(&claim, &cut->file) +
                   BLOCK * TARGET_BLOCK_BYTES;
    off_t address = target_address(&claim.target, fd, offset,
                                   TARGET_BLOCK_BYTES);
    struct hold write =
        hold_arm(run, &ns->drive, "the write",
                 hold_write(ns, cut->stage, address, TARGET_BLOCK_BYTES));

    claim_write(&claim, &cut->file, fd, write_and_go, BLOCK, 1);
    hold_leave_to_cut(&write);
}

/* What is parked at durable has no promise, with a cache or without. */
static enum durable_want by_policy(struct claim *claim, const struct cut *cut)
{
    const char *policy = run_parameter(claim->run, "policy", "");

    if (claim->target.ns.has_vwc || cut->stage != LAB_HOLD_DURABLE ||
        strcmp(policy, "keep-all") == 0) {
        return claim_unpromised(claim);
    }
    return strcmp(policy, "drop-all") == 0 ? DURABLE_OLDER : DURABLE_EITHER;
}

static enum durable_want wanted(struct claim *claim, const struct cut *cut)
{
    switch (cut->left) {
    case LEFT_NOTHING:
        return DURABLE_OLDER;
    case LEFT_BY_POLICY:
        return by_policy(claim, cut);
    case LEFT_ALL:
        break;
    }
    return DURABLE_NEWER;
}

static void verify(struct run *run)
{
    const struct cut *cut = cut_of(run);
    struct claim claim = open_claim(run, TARGET_AS_LEFT);

    claim_expect(&claim, &cut->file, BLOCK, 1, wanted(&claim, cut),
                 cut->left == LEFT_ALL);
    claim_expect(&claim, &cut->file, 0, BLOCKS_BEFORE, DURABLE_OLDER, true);
    claim_expect(&claim, &cut->file, BLOCK + 1, BLOCKS_AFTER, DURABLE_OLDER,
                 true);
    claim_pass(&claim);
}

#define CUT_CASE(target, symbol, word, number, at_stage, fua, is_left,   \
                 case_rank)                                              \
    static const struct cut cut_##symbol##_##target = {                  \
        .file = { "holds-cut-" word, number }, .stage = at_stage,        \
        .has_fua = fua, .left = is_left,                                 \
    };                                                                   \
    GUEST_CASE(case_##symbol##_##target,                                 \
               .name = "holds." #target ".cut-" word,                    \
               .claim = "a power cut takes of a parked write what its "  \
                        "stage allows",                                  \
               .rank = case_rank,                                        \
               .base = base,                                             \
               .prepare = prepare,                                       \
               .verify = verify,                                         \
               .data = &cut_##symbol##_##target)

#define CUT_CASES(target)                                                \
    CUT_CASE(target, visible, "visible", 20, LAB_HOLD_VISIBLE, false,    \
             LEFT_NOTHING, RANK_NO_SYNC);                                \
    CUT_CASE(target, visible_fua, "visible-fua", 21, LAB_HOLD_VISIBLE,   \
             true, LEFT_NOTHING, RANK_NO_SYNC);                          \
    CUT_CASE(target, durable_fua, "durable-fua", 22, LAB_HOLD_DURABLE,   \
             true, LEFT_BY_POLICY, RANK_NO_SYNC);                        \
    CUT_CASE(target, cqe, "cqe", 23, LAB_HOLD_CQE, false,                \
             LEFT_BY_POLICY, RANK_NO_SYNC);                              \
    CUT_CASE(target, cqe_fua, "cqe-fua", 24, LAB_HOLD_CQE, true,         \
             LEFT_ALL, RANK_NO_SYNC);                                    \
    CUT_CASE(target, irq, "irq", 25, LAB_HOLD_IRQ, false,                \
             LEFT_BY_POLICY, RANK_NO_SYNC);                              \
    CUT_CASE(target, irq_fua, "irq-fua", 26, LAB_HOLD_IRQ, true,         \
             LEFT_ALL, RANK_NO_SYNC)

CUT_CASES(raw);
CUT_CASES(xfs);
CUT_CASES(ext4);
/* The queue stands still behind it: last of all, and on one target. */
CUT_CASE(raw, fetch, "fetch", 27, LAB_HOLD_FETCH, false, LEFT_NOTHING,
         RANK_LAST);
