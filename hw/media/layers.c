/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The map of stacks; see layers.h. */
#include "layers.h"

static int compare_starts(const void *a, const void *b, void *opaque)
{
    uint64_t left = *(const uint64_t *)a;
    uint64_t right = *(const uint64_t *)b;

    (void)opaque;
    return left < right ? -1 : left > right;
}

static struct extent *extent_new(struct layers *layers, uint64_t start,
                                 uint64_t count)
{
    struct extent *extent = g_new0(struct extent, 1);

    extent->start = start;
    extent->count = count;
    extent->node = g_tree_insert_node(layers->extents, &extent->start, extent);
    return extent;
}

static struct layer *layer_new(struct layers *layers, struct pending *pending,
                               struct layer *older)
{
    struct layer *layer = g_new(struct layer, 1);

    layer->older = older;
    layer->pending = pending;
    pending->data_uses++;
    layers->count++;
    return layer;
}

static void layer_drop(struct layers *layers, struct layer *layer,
                       uint64_t count)
{
    struct pending *pending = layer->pending;

    g_free(layer);
    layers->count--;
    pending->layer_blocks -= count;
    if (--pending->data_uses == 0) {
        layers->released(layers->opaque, pending);
    }
}

static void stack_drop(struct layers *layers, struct layer *top, uint64_t count)
{
    while (top) {
        struct layer *older = top->older;

        layer_drop(layers, top, count);
        top = older;
    }
}

static struct layer *stack_copy(struct layers *layers, const struct layer *top)
{
    struct layer *copy = NULL;
    struct layer **tail = &copy;

    for (; top; top = top->older) {
        *tail = layer_new(layers, top->pending, NULL);
        tail = &(*tail)->older;
    }
    return copy;
}

void layers_init(struct layers *layers, uint32_t block_size_bytes,
                 void (*released)(void *opaque, struct pending *),
                 void *opaque)
{
    layers->extents = g_tree_new_full(compare_starts, NULL, NULL, g_free);
    layers->count = 0;
    layers->block_size_bytes = block_size_bytes;
    layers->released = released;
    layers->opaque = opaque;
}

void layers_clear(struct layers *layers)
{
    struct extent *extent;

    while ((extent = layers_from(layers, 0))) {
        stack_drop(layers, extent->top, extent->count);
        g_tree_remove(layers->extents, &extent->start);
    }
    g_tree_destroy(layers->extents);
    layers->extents = NULL;
}

static struct extent *node_extent(GTreeNode *node)
{
    return node ? g_tree_node_value(node) : NULL;
}

struct extent *layers_from(struct layers *layers, uint64_t at)
{
    GTreeNode *node = g_tree_upper_bound(layers->extents, &at);
    GTreeNode *before = node ? g_tree_node_previous(node)
                             : g_tree_node_last(layers->extents);
    struct extent *extent = node_extent(before);

    if (extent && extent->start + extent->count > at) {
        return extent;
    }
    return node_extent(node);
}

struct extent *layers_after(struct layers *layers, struct extent *extent)
{
    (void)layers;
    return node_extent(g_tree_node_next(extent->node));
}

/* The part from this block on, which is inside the extent. */
static struct extent *extent_split(struct layers *layers, struct extent *left,
                                   uint64_t at)
{
    struct extent *right =
        extent_new(layers, at, left->start + left->count - at);

    left->count = at - left->start;
    right->top = stack_copy(layers, left->top);
    return right;
}

void layers_split(struct layers *layers, uint64_t at)
{
    struct extent *extent = layers_from(layers, at);

    if (extent && extent->start < at) {
        extent_split(layers, extent, at);
    }
}

static void lay_on(struct layers *layers, struct extent *extent,
                   struct pending *pending)
{
    extent->top = layer_new(layers, pending, extent->top);
    pending->layer_blocks += extent->count;
}

void layers_push(struct layers *layers, struct pending *pending)
{
    uint64_t at = pending->slba;
    uint64_t end = at + pending->block_count;
    struct extent *extent = layers_from(layers, at);

    if (extent && extent->start < at) {
        extent = extent_split(layers, extent, at);
    }
    while (at < end) {
        if (!extent || extent->start > at) {
            uint64_t stop = extent && extent->start < end ? extent->start : end;

            extent = extent_new(layers, at, stop - at);
        } else if (extent->start + extent->count > end) {
            extent_split(layers, extent, end);
        }
        lay_on(layers, extent, pending);
        at = extent->start + extent->count;
        extent = at < end ? layers_after(layers, extent) : NULL;
    }
}

static void extent_pop(struct layers *layers, struct extent *extent,
                       uint64_t seq)
{
    struct layer **link = &extent->top;
    struct layer *gone;

    while (*link && (*link)->pending->seq > seq) {
        link = &(*link)->older;
    }
    gone = *link;
    *link = NULL;
    stack_drop(layers, gone, extent->count);
    if (!extent->top) {
        g_tree_remove(layers->extents, &extent->start);
    }
}

void layers_pop(struct layers *layers, uint64_t start, uint64_t count,
                uint64_t seq)
{
    uint64_t end = start + count;
    struct extent *extent = layers_from(layers, start);

    if (extent && extent->start < start) {
        extent = extent_split(layers, extent, start);
    }
    while (extent && extent->start < end) {
        struct extent *next;

        if (extent->start + extent->count > end) {
            extent_split(layers, extent, end);
        }
        next = layers_after(layers, extent);
        extent_pop(layers, extent, seq);
        extent = next;
    }
}

bool extent_has_layer(const struct extent *extent,
                      const struct pending *pending)
{
    const struct layer *layer = extent->top;

    while (layer && layer->pending != pending) {
        layer = layer->older;
    }
    return layer;
}

uint8_t *layers_data(const struct layers *layers, const struct extent *extent,
                     const struct pending *pending)
{
    if (pending->op != STORE_WRITE) {
        return NULL;
    }
    return pending->data +
           (extent->start - pending->slba) * layers->block_size_bytes;
}
