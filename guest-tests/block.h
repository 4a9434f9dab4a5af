/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * block.h: blocks that say what they are.
 *
 * Every 512 bytes carry the file they belong to, their offset in it, a
 * generation and a checksum, so that after a power cut each one tells by
 * itself whether it is the newer one, the older one (lost durability), or
 * something that nobody wrote there (corruption). 512 bytes, because that is
 * the smallest logical block: larger ones are several of them, which must then
 * agree, as one logical block is never torn (docs/loss-model.md, P5).
 */
#ifndef BLOCK_H
#define BLOCK_H

#include <stddef.h>
#include <stdint.h>

#define BLOCK_STAMP_BYTES 512

/* A name, such as a file's, as the number that goes into its blocks. */
uint64_t block_file_id(const char *name);

/* length and offset are multiples of BLOCK_STAMP_BYTES. */
void block_fill(void *buffer, size_t length, uint64_t file_id,
                uint64_t offset, uint32_t generation);

enum block_kind {
    BLOCK_GOOD,                 /* as written; generation says which */
    BLOCK_ZERO,                 /* all zeros */
    BLOCK_ELSEWHERE,            /* whole, but of another file or offset */
    BLOCK_TORN,                 /* several generations in one logical block */
    BLOCK_GARBAGE,              /* anything else */
};

struct block_found {
    enum block_kind kind;
    uint32_t generation;        /* BLOCK_GOOD, BLOCK_ELSEWHERE */
    uint64_t file_id;           /* BLOCK_ELSEWHERE */
    uint64_t offset;            /* BLOCK_ELSEWHERE */
};

/* Judge one logical block of block_size bytes. */
struct block_found block_inspect(const void *buffer, size_t block_size,
                                 uint64_t file_id, uint64_t offset);

/* One phrase, such as "generation 3" or "zeros". */
void block_describe(const struct block_found *found, char *text, size_t size);

#endif
