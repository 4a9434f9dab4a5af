/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * exclusion.h: which I/O may run beside which.
 *
 * A cell is a holder, whose write is parked in the drive before anybody sees
 * its data, and another operation on the same file in a task of its own. The
 * guest measures whether that one proceeds or waits, and checks the bytes; the
 * host has the expectations (harness/expect/exclusion.expect).
 *
 * Three generations of a block: OLDER was there, NEWER is the holder's, OTHER
 * the other operation's.
 */
#ifndef EXCLUSION_H
#define EXCLUSION_H

#include "guest.h"
#include "product.h"
#include "target.h"

#define FILE_BLOCKS 16
#define FILE_BYTES (FILE_BLOCKS * TARGET_BLOCK_BYTES)
#define INSIDE 5                /* the holder's block, unless it extends */
#define BESIDE 10               /* a block that nobody parks */
/* Of the block, for what is smaller than it. */
#define SECTOR_BYTES 512
#define HOLDER_SECTOR 1
#define OTHER_SECTOR 4

enum generation { OLDER = 1, NEWER = 2, OTHER = 3 };

enum holder_how { HOW_SYNC, HOW_AIO, HOW_WRITEBACK };

struct holder {
    const char *name;
    enum holder_how how;
    bool is_on_raw;
    bool is_extending;          /* the first block behind the end */
    bool is_unwritten;          /* the block, before */
    bool is_sector;             /* 512 bytes of it */
    bool is_aborted;            /* fails: once the other one is watched, … */
    bool is_over;               /* … or before that one begins */
};

struct pair;

enum effect {
    EFFECT_NONE, EFFECT_READ, EFFECT_WRITE, EFFECT_WRITE_SECTOR,
    EFFECT_WRITE_BESIDE, EFFECT_ZERO, EFFECT_CLONE
};

struct other {
    const char *name;
    ssize_t (*call)(const struct pair *pair);
    enum effect effect;         /* on the holder's block */
    off_t size;                 /* the file's, afterwards; 0: as before */
    ssize_t result;             /* of call */
    bool is_on_raw;
    bool needs_reflink;
    bool needs_inside;          /* no sense at the end of the file */
    bool is_after_failure;      /* tried with a write that fails, too */
};

extern const struct holder exclusion_holders[];
extern const size_t exclusion_holder_count;
extern const struct other exclusion_others[];
extern const size_t exclusion_other_count;

/* What the two tasks and the judge share. */
struct pair {
    struct run *run;
    const struct holder *holder;
    const struct other *other;
    struct target target;
    uint64_t id;                /* of the file, in its blocks */
    off_t start;                /* raw: of block 0 */
    unsigned block;             /* the holder's */
    int direct;
    int cached;
    int donor;                  /* another file, for reflinks; else -1 */
    char *map;                  /* of block, or NULL */
    char *seen;                 /* what the other operation has read; shared */
};

off_t pair_offset(const struct pair *pair, unsigned block);
/* Bytes of a block in a generation; sector < 0: all of them. */
void pair_fill(const struct pair *pair, void *buffer, unsigned block,
                int sector, enum generation generation);

/* Both files as they are before. */
void pair_lay_out(struct pair *pair);
/* The holder's write; opaque is the pair. Bytes or -errno. */
ssize_t pair_hold(void *opaque);
size_t pair_hold_bytes(const struct pair *pair);
off_t pair_hold_offset(const struct pair *pair);

/*
 * What is there afterwards, in all ways to read it. One more word about it: ""
 * is what one order of the two leaves; else a row must say it, with its reason:
 *
 *   " collides"  fsync reports EIO: the page cache has kept its own bytes
 *   " stale"     the page cache has what the direct write has replaced
 *   " corrupt"   the bytes are of no order of the two; a note has them
 */
const char *pair_check(const struct pair *pair, bool has_waited);

void exclusion_add_cases(product_add_fn *add);

#endif
