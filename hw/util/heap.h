/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A queue of deadlines: smallest first, equals in order of arrival. Nodes are
 * embedded in what waits; a node knows its place, so that it can be withdrawn.
 */
#ifndef LAB_HEAP_H
#define LAB_HEAP_H

#include <stdbool.h>
#include <stdint.h>

struct heap_node {
    uint64_t deadline_ns;
    uint64_t arrival;
    uint32_t place;             /* index + 1; 0: not queued */
};

struct heap {
    struct heap_node **nodes;
    uint32_t count;
    uint32_t room;
    uint64_t arrivals;
};

void heap_clear(struct heap *heap);
void heap_push(struct heap *heap, struct heap_node *node, uint64_t deadline_ns);
void heap_remove(struct heap *heap, struct heap_node *node);
/* NULL when empty. */
struct heap_node *heap_first(const struct heap *heap);

static inline bool heap_has(const struct heap_node *node)
{
    return node->place != 0;
}

#endif
