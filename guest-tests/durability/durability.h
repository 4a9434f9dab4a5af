/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * durability.h: what must be there, and what must be gone, after a power cut.
 *
 * A claim works on files (on the bare namespace: on ranges of it) of 64 blocks
 * of 4096 bytes. base writes all of them in the older generation of the round
 * and makes that durable. prepare writes 16 scattered ones in the newer
 * generation, each with a write of its own, and makes the promise that the
 * claim is about, or none. After the cut verify finds one of:
 *
 *   promised blocks      newer generation, or durability was lost
 *   unpromised blocks    what the policy of the cut says (docs/loss-model.md,
 *                        P3 and P4): older under drop-all, newer under
 *                        keep-all and on a drive without a volatile cache,
 *                        either, block by block, under random
 *   untouched blocks     older generation, or something was corrupted
 *
 * A claim of something lost is as strict as a claim of something kept: if it
 * is there after drop-all, somebody promised what nobody asked for.
 */
#ifndef DURABILITY_H
#define DURABILITY_H

#include <stdbool.h>
#include <stdint.h>

#include "guest.h"
#include "target.h"

/*
 * In one round all claims of a target share its drive cache, so one that
 * flushes must prepare before one that must not be flushed.
 */
enum durability_rank {
    RANK_FLUSHES = 1,
    RANK_FUA = 2,
    RANK_NO_SYNC = 3,
    RANK_LAST = 4,              /* leaves a queue that stands still */
};

#define DURABLE_BLOCKS 64
#define DURABLE_BYTES (DURABLE_BLOCKS * TARGET_BLOCK_BYTES)
#define DURABLE_SCATTERED 16

enum durable_want {
    DURABLE_OLDER,
    DURABLE_NEWER,
    DURABLE_EITHER,
};

struct durable_file {
    const char *name;           /* below the mount point */
    unsigned raw_number;        /* which MiB of the bare namespace, from 1 */
};

struct claim {
    struct run *run;
    struct target target;
    uint32_t older;
    uint32_t newer;
    struct lab_stat stat_before; /* since claim_open() */
    /* Counted in logical blocks of the drive. */
    unsigned promised;
    unsigned untouched;
    unsigned unpromised_kept;
    unsigned unpromised_lost;
};

/* Parameters: round=N, and for verify policy=…; drive=, vwc=on|off. */
struct claim claim_open(struct run *run, enum target_state state);

/* base: the whole file in the older generation, settled. */
void claim_base(struct claim *claim, const struct durable_file *file);

int claim_open_file(struct claim *claim, const struct durable_file *file,
                    int flags);

/* Where block 0 of the file is, in the descriptor's offsets. */
off_t claim_start(const struct claim *claim, const struct durable_file *file);

/* One write per block, 4096 bytes each, in the newer generation. */
typedef ssize_t claim_writer(int fd, const void *buffer, size_t length,
                             off_t offset);
void claim_write(struct claim *claim, const struct durable_file *file, int fd,
                 claim_writer *writer, unsigned first_block,
                 unsigned block_count);
/* The 16 scattered blocks. */
void claim_write_scattered(struct claim *claim,
                           const struct durable_file *file, int fd,
                           claim_writer *writer);
/* One write; offset and length count from the start of the file. */
void claim_write_piece(struct claim *claim, const struct durable_file *file,
                       int fd, claim_writer *writer, size_t offset,
                       size_t length);
/* A note with what prepare has cost the drive; its Write commands. */
uint64_t claim_note_cost(struct claim *claim);

/* What an unpromised write must have become, by policy and drive. */
enum durable_want claim_unpromised(struct claim *claim);

/* Fails the step at the first block that is not as wanted. */
void claim_expect(struct claim *claim, const struct durable_file *file,
                  unsigned first_block, unsigned block_count,
                  enum durable_want want, bool is_promised);
/* The bytes of the file, of which all must be there. */
char *claim_read(struct claim *claim, const struct durable_file *file,
                 off_t first, size_t length);
/* All of the piece in one generation, and in the one that is wanted. */
void claim_expect_piece(struct claim *claim, const struct durable_file *file,
                        size_t offset, size_t length, const char *bytes,
                        enum durable_want want, bool is_touched);
/* Scattered blocks as wanted, the others untouched. */
void claim_expect_scattered(struct claim *claim,
                            const struct durable_file *file,
                            enum durable_want want, bool is_promised);
_Noreturn void claim_pass(struct claim *claim);

#endif
