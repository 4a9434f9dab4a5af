/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Self-describing blocks. No system calls: tested on the host as well.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "block.h"

/* Native byte order: written and read by the same machine. */
struct stamp {
    char magic[8];
    uint64_t file_id;
    uint64_t offset;
    uint32_t generation;
    uint32_t reserved;
    uint64_t checksum;          /* of the whole with this field 0 */
    uint64_t pattern[(BLOCK_STAMP_BYTES - 40) / 8];
};

_Static_assert(sizeof(struct stamp) == BLOCK_STAMP_BYTES, "stamp has gaps");

static const char magic[8] = "LABBLOCK";

#define FNV_BASIS UINT64_C(0xcbf29ce484222325)
#define FNV_PRIME UINT64_C(0x100000001b3)

uint64_t block_file_id(const char *name)
{
    uint64_t hash = FNV_BASIS;

    while (*name) {
        hash = (hash ^ (unsigned char)*name++) * FNV_PRIME;
    }
    return hash;
}

static uint64_t checksum(const struct stamp *stamp)
{
    struct stamp copy = *stamp;
    uint64_t words[BLOCK_STAMP_BYTES / 8];
    uint64_t hash = FNV_BASIS;

    copy.checksum = 0;
    memcpy(words, &copy, sizeof(words));
    for (size_t i = 0; i < BLOCK_STAMP_BYTES / 8; i++) {
        hash = (hash ^ words[i]) * FNV_PRIME;
        hash ^= hash >> 29;
    }
    return hash;
}

static void fill_one(void *buffer, uint64_t file_id, uint64_t offset,
                     uint32_t generation)
{
    struct stamp stamp = {
        .file_id = file_id,
        .offset = offset,
        .generation = generation,
    };
    uint64_t state = file_id ^ (offset << 20) ^ generation;

    memcpy(stamp.magic, magic, sizeof(magic));
    for (size_t i = 0; i < sizeof(stamp.pattern) / 8; i++) {
        state = (state + i + 1) * UINT64_C(0x9e3779b97f4a7c15);
        state ^= state >> 31;
        stamp.pattern[i] = state;
    }
    stamp.checksum = checksum(&stamp);
    memcpy(buffer, &stamp, sizeof(stamp));
}

void block_fill(void *buffer, size_t length, uint64_t file_id,
                uint64_t offset, uint32_t generation)
{
    for (size_t at = 0; at < length; at += BLOCK_STAMP_BYTES) {
        fill_one((char *)buffer + at, file_id, offset + at, generation);
    }
}

static bool is_zero(const struct stamp *stamp)
{
    static const struct stamp zero;

    return memcmp(stamp, &zero, sizeof(zero)) == 0;
}

static struct block_found inspect_one(const void *buffer, uint64_t file_id,
                                      uint64_t offset)
{
    struct block_found found = { .kind = BLOCK_GARBAGE };
    struct stamp stamp;

    memcpy(&stamp, buffer, sizeof(stamp));
    if (is_zero(&stamp)) {
        found.kind = BLOCK_ZERO;
        return found;
    }
    if (memcmp(stamp.magic, magic, sizeof(magic)) != 0 ||
        stamp.checksum != checksum(&stamp)) {
        return found;
    }
    found.kind = stamp.file_id == file_id && stamp.offset == offset
                 ? BLOCK_GOOD : BLOCK_ELSEWHERE;
    found.generation = stamp.generation;
    found.file_id = stamp.file_id;
    found.offset = stamp.offset;
    return found;
}

struct block_found block_inspect(const void *buffer, size_t block_size,
                                 uint64_t file_id, uint64_t offset)
{
    struct block_found first = inspect_one(buffer, file_id, offset);

    for (size_t at = BLOCK_STAMP_BYTES; at < block_size;
         at += BLOCK_STAMP_BYTES) {
        struct block_found next = inspect_one((const char *)buffer + at,
                                              file_id, offset + at);

        if (next.kind != first.kind || (next.kind == BLOCK_GOOD &&
                                        next.generation != first.generation)) {
            first.kind = BLOCK_TORN;
            return first;
        }
    }
    return first;
}

void block_describe(const struct block_found *found, char *text, size_t size)
{
    switch (found->kind) {
    case BLOCK_GOOD:
        snprintf(text, size, "generation %" PRIu32, found->generation);
        return;
    case BLOCK_ZERO:
        snprintf(text, size, "zeros");
        return;
    case BLOCK_ELSEWHERE:
        snprintf(text, size, "a block of file %016" PRIx64 " offset %" PRIu64
                 " generation %" PRIu32, found->file_id, found->offset,
                 found->generation);
        return;
    case BLOCK_TORN:
        snprintf(text, size, "a torn logical block");
        return;
    case BLOCK_GARBAGE:
        break;
    }
    snprintf(text, size, "garbage");
}
