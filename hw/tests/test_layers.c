/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Claims about media/layers.c. The reference is an array per block: which
 * writes lie over it, newest first.
 */
#include "layers.h"

#include <string.h>

#include "mix.h"

#define BLOCKS 40
#define DEPTH 64
#define BLOCK_BYTES 8u

struct naive {
    uint64_t seqs[BLOCKS][DEPTH];
    uint32_t depth[BLOCKS];
};

static uint32_t released_count;

static void released(void *opaque, struct pending *pending)
{
    (void)opaque;
    g_assert_cmpuint(pending->layer_blocks, ==, 0);
    released_count++;
    g_free(pending->data);
    g_free(pending);
}

static struct pending *pending_make(uint64_t seq, uint64_t slba, uint32_t count)
{
    struct pending *pending = g_new0(struct pending, 1);
    uint32_t i;

    pending->seq = seq;
    pending->slba = slba;
    pending->block_count = count;
    pending->op = STORE_WRITE;
    pending->data = g_malloc(count * BLOCK_BYTES);
    for (i = 0; i < count; i++) {
        uint64_t word = seq << 32 | (slba + i);

        memcpy(pending->data + i * BLOCK_BYTES, &word, sizeof(word));
    }
    return pending;
}

static void naive_push(struct naive *naive, uint64_t seq, uint64_t slba,
                       uint32_t count)
{
    uint64_t block;

    for (block = slba; block < slba + count; block++) {
        g_assert_cmpuint(naive->depth[block], <, DEPTH);
        naive->seqs[block][naive->depth[block]++] = seq;
    }
}

static void naive_pop(struct naive *naive, uint64_t start, uint64_t count,
                      uint64_t seq)
{
    uint64_t block;

    for (block = start; block < start + count; block++) {
        uint32_t kept = 0;
        uint32_t i;

        for (i = 0; i < naive->depth[block]; i++) {
            if (naive->seqs[block][i] > seq) {
                naive->seqs[block][kept++] = naive->seqs[block][i];
            }
        }
        naive->depth[block] = kept;
    }
}

static void check_data(struct layers *layers, const struct extent *extent,
                       const struct pending *pending)
{
    const uint8_t *data = layers_data(layers, extent, pending);
    uint64_t i;

    for (i = 0; i < extent->count; i++) {
        uint64_t word;

        memcpy(&word, data + i * BLOCK_BYTES, sizeof(word));
        g_assert_cmpuint(word, ==, pending->seq << 32 | (extent->start + i));
    }
}

static void check_extent(struct layers *layers, const struct naive *naive,
                         const struct extent *extent)
{
    uint64_t block;

    g_assert_cmpuint(extent->count, >, 0);
    g_assert_nonnull(extent->top);
    for (block = extent->start; block < extent->start + extent->count;
         block++) {
        const struct layer *layer;
        uint32_t depth = naive->depth[block];

        for (layer = extent->top; layer; layer = layer->older) {
            g_assert_cmpuint(depth, >, 0);
            g_assert_cmpuint(layer->pending->seq, ==,
                             naive->seqs[block][--depth]);
            check_data(layers, extent, layer->pending);
        }
        g_assert_cmpuint(depth, ==, 0);
    }
}

static void check_all(struct layers *layers, const struct naive *naive)
{
    uint64_t at = 0;

    while (at < BLOCKS) {
        struct extent *extent = layers_from(layers, at);
        uint64_t gap_end = extent ? MIN(extent->start, BLOCKS) : BLOCKS;

        for (; at < gap_end; at++) {
            g_assert_cmpuint(naive->depth[at], ==, 0);
        }
        if (!extent || extent->start >= BLOCKS) {
            break;
        }
        check_extent(layers, naive, extent);
        at = extent->start + extent->count;
        g_assert_true(layers_after(layers, extent) == layers_from(layers, at));
    }
}

static void test_random(void)
{
    uint64_t seed;

    for (seed = 0; seed < 300; seed++) {
        struct layers layers;
        struct naive naive = { 0 };
        uint64_t step;

        released_count = 0;
        layers_init(&layers, BLOCK_BYTES, released, NULL);
        for (step = 1; step <= 50; step++) {
            uint32_t count = 1 + mix64_of(seed, step, 1) % 12;
            uint64_t slba = mix64_of(seed, step, 2) % (BLOCKS - count);
            uint64_t choice = mix64_of(seed, step, 3) % 10;

            if (choice < 6) {
                layers_push(&layers, pending_make(step, slba, count));
                naive_push(&naive, step, slba, count);
            } else if (choice < 9) {
                uint64_t seq = mix64_of(seed, step, 4) % (step + 1);

                layers_pop(&layers, slba, count, seq);
                naive_pop(&naive, slba, count, seq);
            } else {
                layers_split(&layers, slba);
            }
            check_all(&layers, &naive);
        }
        layers_clear(&layers);
    }
}

static void test_release(void)
{
    struct layers layers;

    released_count = 0;
    layers_init(&layers, BLOCK_BYTES, released, NULL);
    layers_push(&layers, pending_make(1, 0, 8));
    layers_push(&layers, pending_make(2, 2, 2));
    layers_pop(&layers, 0, 2, 1);
    layers_pop(&layers, 4, 4, 1);
    g_assert_cmpuint(released_count, ==, 0);
    layers_pop(&layers, 2, 2, 1);
    g_assert_cmpuint(released_count, ==, 1);
    layers_clear(&layers);
    g_assert_cmpuint(released_count, ==, 2);
}

static void test_pop_keeps_newer(void)
{
    struct layers layers;
    struct extent *extent;

    layers_init(&layers, BLOCK_BYTES, released, NULL);
    layers_push(&layers, pending_make(1, 0, 4));
    layers_push(&layers, pending_make(2, 0, 4));
    layers_push(&layers, pending_make(3, 0, 4));
    layers_pop(&layers, 0, 4, 2);
    extent = layers_from(&layers, 0);
    g_assert_cmpuint(extent->top->pending->seq, ==, 3);
    g_assert_null(extent->top->older);
    layers_clear(&layers);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/layers/agree-with-a-stack-per-block", test_random);
    g_test_add_func("/layers/data-lives-as-long-as-its-last-block",
                    test_release);
    g_test_add_func("/layers/pop-takes-the-older-leaves-the-newer",
                    test_pop_keeps_newer);
    return g_test_run();
}
