/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Atomicity of a medium: which of its writes survive a power cut whole or not
 * at all (P5 of docs/loss-model.md).
 *
 *      boundaries      offset   offset + size   offset + 2 size
 *      0 ────────────────┃────────────┃────────────┃──────────►  blocks
 *                    ├──whole──┤  ├─may tear─┤
 */
#ifndef LAB_ATOMICITY_H
#define LAB_ATOMICITY_H

#include <stdbool.h>
#include <stdint.h>

struct atomicity {
    uint32_t blocks;            /* of a write, at most; at least 1 */
    uint32_t boundary_blocks;   /* between two boundaries; 0: there are none */
    uint32_t boundary_offset;   /* the first one; below boundary_blocks */
};

/* Which of the stretches between boundaries the block lies in. */
static inline uint64_t atomicity_stretch(const struct atomicity *atomicity,
                                         uint64_t block)
{
    return (block + atomicity->boundary_blocks - atomicity->boundary_offset) /
           atomicity->boundary_blocks;
}

static inline bool atomicity_covers(const struct atomicity *atomicity,
                                    uint64_t slba, uint32_t block_count)
{
    if (block_count > atomicity->blocks) {
        return false;
    }
    return !atomicity->boundary_blocks ||
           atomicity_stretch(atomicity, slba) ==
           atomicity_stretch(atomicity, slba + block_count - 1);
}

#endif
