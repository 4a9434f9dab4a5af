/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * flush.h: one operation between two marks.
 *
 * A flush case ("cell") is one operation on one target through one issuer. The
 * guest brings the target into a known state, settles it, says BEGIN, does the
 * operation, says ACK when the application has its completion, and END. What
 * the drive saw in between is judged on the host, from the drive's own trace;
 * the guest only says whether the operation itself worked and, in a note,
 * which blocks it was about.
 *
 * An operation is a file of its own under flush/, which also says why the
 * state is as it is.
 */
#ifndef FLUSH_H
#define FLUSH_H

#include <stdbool.h>
#include <sys/types.h>

#include "guest.h"
#include "issue.h"
#include "product.h"
#include "target.h"

#define CELL_FILE_BYTES (16 * TARGET_BLOCK_BYTES)
/* Where a write goes inside the file, and where one behind its end goes. */
#define CELL_INSIDE (4 * TARGET_BLOCK_BYTES)
#define CELL_BEHIND CELL_FILE_BYTES

struct cell {
    struct run *run;
    const struct issuer *issuer;
    struct target target;
    int fd;                     /* as the operation will use it */
    off_t start;                /* raw: this cell's bytes of the device */
    uint64_t file_id;
    char path[64];
    void *buffer;               /* one block */
};

struct flush_op {
    const char *name;
    const char *claim;
    bool needs_fs;
    int open_flags;             /* of the operation, besides O_DIRECT */
    bool writes;                /* else it synchronises */
    off_t offset;               /* of the block written, in the file */
    /* The state before, on an empty file; made durable afterwards. */
    void (*lay_out)(struct cell *cell, int fd);
    /* After settling and before BEGIN, or NULL. */
    void (*dirty)(struct cell *cell);
    /* What issuer functions return. */
    ssize_t (*operate)(struct cell *cell);
};

#define FLUSH_OP(symbol, ...)                                           \
    static const struct flush_op symbol = { __VA_ARGS__ };              \
    static const struct flush_op *const symbol##_listed                 \
        __attribute__((used, section("flush_ops"))) = &symbol

/* Layouts: 64 KiB of written blocks; of allocated but unwritten ones. */
void cell_lay_written(struct cell *cell, int fd);
void cell_lay_unwritten(struct cell *cell, int fd);

/* One block at offset, not through the issuer, without any sync. */
void cell_dirty_block(struct cell *cell);

/* The block of the operation, through the issuer. */
ssize_t cell_write_block(struct cell *cell);

/* All operations × targets × issuers. */
void flush_add_cases(product_add_fn *add);

#endif
