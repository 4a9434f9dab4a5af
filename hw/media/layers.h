/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Layers: which pending writes lie over which blocks.
 *
 *      block      0   1   2   3   4   5   6
 *                     [  write 7  ]                newest
 *                 [  write 4  ]       [ write 5 ]
 *      ───────────────── medium ──────────────────
 *
 *      extents    [0] [1  2] [3]  . [5   6]       each with its own stack
 *
 * Extents do not overlap; each holds a stack of layers, newest first. A read
 * sees the top; a promise of one write takes away its layer and everything
 * below; a survivor choice may pick any subset of a stack.
 *
 * Invariant: every layer of an extent covers the whole extent, and the layers
 * of a stack have strictly falling sequence numbers.
 *
 * Cost: a split doubles one stack at most. The layers of writes with data are
 * never more than the cached blocks; long writes of zeroes could be cut into
 * any number, so whoever owns this looks at count.
 */
#ifndef LAB_LAYERS_H
#define LAB_LAYERS_H

#include <glib.h>

#include "pending.h"

struct layer {
    struct layer *older;
    struct pending *pending;
};

struct extent {
    uint64_t start;
    uint64_t count;
    struct layer *top;
    GTreeNode *node;            /* its own: the way to its neighbour */
};

struct layers {
    GTree *extents;             /* by start */
    uint64_t count;             /* layers, of all extents */
    uint32_t block_size_bytes;
    void (*released)(void *opaque, struct pending *); /* data_uses fell to 0 */
    void *opaque;
};

void layers_init(struct layers *layers, uint32_t block_size_bytes,
                 void (*released)(void *opaque, struct pending *),
                 void *opaque);
/* Lets go of every layer. */
void layers_clear(struct layers *layers);

/* The first extent that ends after block at, or NULL. */
struct extent *layers_from(struct layers *layers, uint64_t at);
struct extent *layers_after(struct layers *layers, struct extent *extent);

/* Make sure no extent reaches across this boundary. */
void layers_split(struct layers *layers, uint64_t at);
/* Lay the whole write on top. */
void layers_push(struct layers *layers, struct pending *pending);
/* Take away, within the range, every layer up to this sequence number. */
void layers_pop(struct layers *layers, uint64_t start, uint64_t count,
                uint64_t seq);

bool extent_has_layer(const struct extent *extent,
                      const struct pending *pending);
/* The bytes that this write has for the extent; NULL: they are zeroes. */
uint8_t *layers_data(const struct layers *layers, const struct extent *extent,
                     const struct pending *pending);

#endif
