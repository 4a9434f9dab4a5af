/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The redo record: keeps a write of several blocks whole when the process that
 * carries it dies in the middle.
 *
 *      metadata   [ superblock ][ record: header | bytes ]
 *
 *      record ──► medium ──► clear         one transaction at a time
 *
 * A host write that is cut short can tear between pages, and nothing between
 * two host writes is atomic at all. So the bytes go to the record first, with
 * a checksum; at the next start a valid record is written to the medium again.
 *
 * Invariant: while a record is valid, nothing else writes to its blocks; hence
 * writing it once more never brings back older data.
 *
 * What is refused, and never overwritten: metadata that is not ours, of
 * another version, of another namespace or geometry.
 */
#ifndef LAB_REDO_H
#define LAB_REDO_H

#include <stdbool.h>
#include <stdint.h>

#include "store.h"

struct redo;

/* Blocks that a transaction can have at most. */
#define REDO_BLOCKS_MAX 128u

struct redo_config {
    uint32_t block_size_bytes;
    uint64_t block_count;
    uint8_t owner[16];          /* which namespace */
};

struct redo_segment {
    uint64_t start;             /* blocks */
    uint64_t count;
    uint8_t *data;              /* NULL: zeroes */
};

/* The same for every atomic limit, so that the limit can be changed. */
uint64_t redo_size(uint32_t block_size_bytes);
struct redo *redo_new(const struct redo_config *config, struct store *meta,
                      struct store *medium);
void redo_free(struct redo *redo);

/*
 * Read what the last process left, and finish it. done() gets 0, -errno, or
 * -EINVAL with a line that says what is wrong with the metadata.
 */
void redo_start(struct redo *redo,
                void (*done)(void *opaque, int error, const char *why),
                void *opaque);

/* Make the segments durable beside the medium; they are copied at once. */
void redo_record(struct redo *redo, const struct redo_segment *segments,
                 uint32_t count, void (*done)(void *opaque, int error),
                 void *opaque);
/*
 * Can there be a record on the metadata? After a failed redo_clear(), or a
 * failed redo_record(), nobody may write to the medium before it is gone.
 */
bool redo_has_record(const struct redo *redo);
/* The medium has them. */
void redo_clear(struct redo *redo, void (*done)(void *opaque, int error),
                void *opaque);

#endif
