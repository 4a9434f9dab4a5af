/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * P5: whatever a power cut leaves of a write with RWF_ATOMIC, it leaves the
 * whole of it or nothing. The writes have no other promise: each may be old or
 * new, as the policy of the cut has it, but never a mixture.
 *
 * The file is cut into stretches of the largest unit; they are written in turn
 * as one unit, as two halves, and in their first quarter only.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>

#include "atomic.h"

static const struct durable_file file = { "atomic-kept", 9 };

struct piece {
    size_t offset;
    size_t length;
    bool is_written;
};

typedef void each_piece(struct claim *claim, const struct piece *piece,
                        void *opaque);

static size_t at_least(size_t length, size_t least)
{
    return length < least ? least : length;
}

/* Covers the file; the pieces do not overlap. */
static void for_each_piece(struct claim *claim,
                           const struct atomic_limits *limits,
                           each_piece *each, void *opaque)
{
    for (size_t i = 0; i < DURABLE_BYTES / limits->unit_max; i++) {
        size_t length = at_least(limits->unit_max >> i % 3, limits->unit_min);
        size_t start = i * limits->unit_max;

        for (size_t at = 0; at < limits->unit_max; at += length) {
            struct piece piece = {
                start + at, length, i % 3 != 2 || at == 0,
            };

            each(claim, &piece, opaque);
        }
    }
}

struct writing {
    int fd;
    unsigned count;
};

static void write_piece(struct claim *claim, const struct piece *piece,
                        void *opaque)
{
    struct writing *writing = opaque;

    if (piece->is_written) {
        claim_write_piece(claim, &file, writing->fd, atomic_write,
                          piece->offset, piece->length);
        writing->count++;
    }
}

static void expect_piece(struct claim *claim, const struct piece *piece,
                         void *opaque)
{
    const char *bytes = opaque;

    claim_expect_piece(claim, &file, piece->offset, piece->length,
                       bytes + piece->offset,
                       piece->is_written ? claim_unpromised(claim)
                                         : DURABLE_OLDER,
                       piece->is_written);
}

static struct atomic_limits limits_of(struct claim *claim, int flags)
{
    int fd = claim_open_file(claim, &file, flags);
    struct atomic_limits limits = atomic_limits(claim->run, &claim->target,
                                                fd);

    if (limits.unit_max > DURABLE_BYTES / 8) {
        run_error(claim->run, "a unit of %" PRIu32 " bytes leaves too few in a "
                  "file of %d", limits.unit_max, DURABLE_BYTES);
    }
    return limits;
}

static void base(struct run *run)
{
    struct claim claim = claim_open(run, TARGET_FRESH_OR_MOUNTED);
    struct atomic_limits limits = limits_of(&claim, O_CREAT | O_DIRECT);

    atomic_base(&claim, &file, limits.unit_max);
}

static void prepare(struct run *run)
{
    struct claim claim = claim_open(run, TARGET_MOUNTED);
    struct writing writing = { .fd = claim_open_file(&claim, &file, O_DIRECT) };
    struct atomic_limits limits = atomic_limits(run, &claim.target, writing.fd);
    uint64_t commands;

    for_each_piece(&claim, &limits, write_piece, &writing);
    commands = claim_note_cost(&claim);
    if (commands != writing.count && !guest_has_no_drive()) {
        run_fail(run, "%u atomic writes became %" PRIu64 " Write commands",
                 writing.count, commands);
    }
}

static void verify(struct run *run)
{
    struct claim claim = claim_open(run, TARGET_AS_LEFT);
    struct atomic_limits limits = limits_of(&claim, O_DIRECT);

    for_each_piece(&claim, &limits, expect_piece,
                   claim_read(&claim, &file, 0, DURABLE_BYTES));
    claim_pass(&claim);
}

#define ATOMIC_KEPT(target)                                             \
    GUEST_CASE(target##_kept,                                           \
               .name = "atomic." #target ".kept",                       \
               .claim = "a power cut leaves all of an atomic write or " \
                        "nothing",                                      \
               .rank = RANK_NO_SYNC,                                    \
               .base = base,                                            \
               .prepare = prepare,                                      \
               .verify = verify)

ATOMIC_KEPT(raw);
ATOMIC_KEPT(xfs);
