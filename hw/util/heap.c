/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Binary heap of deadlines; see heap.h.
 *
 * Invariant: no child comes before its parent.
 */
#include "heap.h"

#include <glib.h>

static bool is_before(const struct heap_node *a, const struct heap_node *b)
{
    if (a->deadline_ns != b->deadline_ns) {
        return a->deadline_ns < b->deadline_ns;
    }
    return a->arrival < b->arrival;
}

static void seat(struct heap *heap, uint32_t index, struct heap_node *node)
{
    heap->nodes[index] = node;
    node->place = index + 1;
}

static void sift_up(struct heap *heap, uint32_t index, struct heap_node *node)
{
    while (index > 0) {
        uint32_t parent = (index - 1) / 2;

        if (!is_before(node, heap->nodes[parent])) {
            break;
        }
        seat(heap, index, heap->nodes[parent]);
        index = parent;
    }
    seat(heap, index, node);
}

static void sift_down(struct heap *heap, uint32_t index, struct heap_node *node)
{
    for (;;) {
        uint32_t child = index * 2 + 1;

        if (child >= heap->count) {
            break;
        }
        if (child + 1 < heap->count &&
            is_before(heap->nodes[child + 1], heap->nodes[child])) {
            child++;
        }
        if (!is_before(heap->nodes[child], node)) {
            break;
        }
        seat(heap, index, heap->nodes[child]);
        index = child;
    }
    seat(heap, index, node);
}

void heap_clear(struct heap *heap)
{
    g_free(heap->nodes);
    *heap = (struct heap) { 0 };
}

void heap_push(struct heap *heap, struct heap_node *node, uint64_t deadline_ns)
{
    g_assert(!heap_has(node));
    if (heap->count == heap->room) {
        heap->room = heap->room ? heap->room * 2 : 64;
        heap->nodes = g_renew(struct heap_node *, heap->nodes, heap->room);
    }
    node->deadline_ns = deadline_ns;
    node->arrival = heap->arrivals++;
    heap->count++;
    sift_up(heap, heap->count - 1, node);
}

void heap_remove(struct heap *heap, struct heap_node *node)
{
    uint32_t index = node->place - 1;
    struct heap_node *last = heap->nodes[heap->count - 1];

    g_assert(heap_has(node));
    heap->count--;
    node->place = 0;
    if (last == node) {
        return;
    }
    if (is_before(last, node)) {
        sift_up(heap, index, last);
    } else {
        sift_down(heap, index, last);
    }
}

struct heap_node *heap_first(const struct heap *heap)
{
    return heap->count ? heap->nodes[0] : NULL;
}
