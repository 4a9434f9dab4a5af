/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Claims about util/heap.c: deadlines in order, equals as they came. */
#include <glib.h>

#include "heap.h"
#include "mix.h"

#define NODES 500

static void test_empty(void)
{
    struct heap heap = { 0 };

    g_assert_null(heap_first(&heap));
    heap_clear(&heap);
}

static void test_order(void)
{
    struct heap heap = { 0 };
    struct heap_node nodes[NODES] = { 0 };
    uint64_t last_deadline = 0;
    uint64_t last_arrival = 0;
    uint32_t i;

    for (i = 0; i < NODES; i++) {
        heap_push(&heap, &nodes[i], mix64(i) % 50);
    }
    for (i = 0; i < NODES; i++) {
        struct heap_node *node = heap_first(&heap);

        g_assert_cmpuint(node->deadline_ns, >=, last_deadline);
        if (i && node->deadline_ns == last_deadline) {
            g_assert_cmpuint(node->arrival, >, last_arrival);
        }
        last_deadline = node->deadline_ns;
        last_arrival = node->arrival;
        heap_remove(&heap, node);
        g_assert_false(heap_has(node));
    }
    g_assert_null(heap_first(&heap));
    heap_clear(&heap);
}

/* The smallest of those that are left, by looking at each. */
static struct heap_node *scan(struct heap_node *nodes)
{
    struct heap_node *best = NULL;
    uint32_t i;

    for (i = 0; i < NODES; i++) {
        struct heap_node *node = &nodes[i];

        if (heap_has(node) &&
            (!best || node->deadline_ns < best->deadline_ns ||
             (node->deadline_ns == best->deadline_ns &&
              node->arrival < best->arrival))) {
            best = node;
        }
    }
    return best;
}

static void test_withdraw(void)
{
    struct heap heap = { 0 };
    struct heap_node nodes[NODES] = { 0 };
    uint32_t round;

    for (round = 0; round < 20000; round++) {
        struct heap_node *node = &nodes[mix64(round) % NODES];

        if (heap_has(node)) {
            heap_remove(&heap, node);
        } else {
            heap_push(&heap, node, mix64(round * 7) % 100);
        }
        if (round % 16 == 0) {
            g_assert_true(heap_first(&heap) == scan(nodes));
        }
    }
    heap_clear(&heap);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/heap/empty-has-no-first", test_empty);
    g_test_add_func("/heap/smallest-first-equals-in-order-of-arrival",
                    test_order);
    g_test_add_func("/heap/any-node-can-be-withdrawn", test_withdraw);
    return g_test_run();
}
