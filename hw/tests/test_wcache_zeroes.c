/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Zeroes in the write cache: promises and losses as for any write, and no
 * memory for the blocks. The histories that mix them with data are
 * prop_wcache's.
 */
#include <malloc.h>
#include <string.h>

#include "cache_bench.h"

#define BLOCKS_MANY 65536u

static struct bench *bench_of(uint64_t block_count, uint64_t limit_bytes,
                              uint32_t atomic_blocks)
{
    struct wcache_config config = bench_config();

    config.block_count = block_count;
    config.limit_bytes = limit_bytes;
    config.atomicity.blocks = atomic_blocks;
    return bench_new(&config);
}

static struct job *zero(struct bench *bench, uint64_t slba, uint32_t count,
                        enum wcache_content content, bool has_fua)
{
    struct job *job = job_zeroes(bench, slba, count, content, has_fua);

    bench_settle(bench);
    g_assert_cmpint(job->error, ==, 0);
    job_complete(bench, job);
    return job;
}

static void test_over_data(void)
{
    struct bench *bench = bench_of(BENCH_BLOCKS, 1 << 20, 1);
    uint32_t i;

    bench_write(bench, 0, 8, 5, true);
    zero(bench, 2, 4, WCACHE_ZEROES, false);
    bench_write(bench, 4, 1, 6, false);
    for (i = 0; i < 8; i++) {
        g_assert_cmpuint(bench_read(bench, i), ==,
                         i == 4 ? 6 : i < 2 || i > 5 ? 5 : 0);
        g_assert_cmpuint(bench_medium(bench, i), ==, 5);
    }
    g_assert_cmpuint(wcache_unpromised_bytes(bench->cache), ==,
                     5 * BENCH_BLOCK);
    bench_flush(bench);
    for (i = 0; i < 8; i++) {
        g_assert_cmpuint(bench_medium(bench, i), ==,
                         i == 4 ? 6 : i < 2 || i > 5 ? 5 : 0);
    }
    bench_free(bench);
}

/* P4: until then they can be lost, and with them what they hid comes back. */
static void test_lost(void)
{
    struct bench *bench = bench_of(BENCH_BLOCKS, 1 << 20, 1);

    bench_write(bench, 0, 8, 5, true);
    zero(bench, 0, 4, WCACHE_DEALLOCATED, false);
    zero(bench, 4, 2, WCACHE_DEALLOCATED, true);
    bench_cut(bench, POWERCUT_DROP_ALL, 0);
    g_assert_cmpuint(bench_read(bench, 0), ==, 5);
    g_assert_cmpuint(bench_read(bench, 3), ==, 5);
    g_assert_cmpuint(bench_read(bench, 4), ==, 0);
    g_assert_cmpuint(bench_read(bench, 7), ==, 5);
    zero(bench, 0, 4, WCACHE_ZEROES, false);
    bench_cut(bench, POWERCUT_KEEP_ALL, 0);
    g_assert_cmpuint(bench_read(bench, 3), ==, 0);
    g_assert_cmpuint(bench_read(bench, 7), ==, 5);
    bench_free(bench);
}

/* P5: block by block, above the limit of one; all of it within a limit. */
static void test_torn(void)
{
    uint64_t seed;
    uint32_t torn = 0;

    for (seed = 0; seed < 64; seed++) {
        struct bench *bench = bench_of(BENCH_BLOCKS, 1 << 20, seed % 2 ? 8 : 1);
        uint32_t zeroes = 0;
        uint32_t i;

        bench_write(bench, 0, 8, 5, true);
        zero(bench, 0, 8, WCACHE_ZEROES, false);
        bench_cut(bench, POWERCUT_RANDOM, seed);
        for (i = 0; i < 8; i++) {
            zeroes += !bench_read(bench, i);
        }
        torn += zeroes && zeroes < 8;
        g_assert_true(seed % 2 == 0 || zeroes == 0 || zeroes == 8);
        bench_free(bench);
    }
    g_assert_cmpuint(torn, >, 0);
}

static size_t bytes_in_use(void)
{
    return mallinfo2().uordblks;
}

/* Under a sanitizer mallinfo2() knows nothing, and this claims nothing. */
static void test_memory(void)
{
    struct bench *bench = bench_of(BLOCKS_MANY, 1 << 20, 1);
    size_t before = bytes_in_use();
    struct job *job = job_zeroes(bench, 0, BLOCKS_MANY, WCACHE_ZEROES, false);

    g_assert_true(job->is_done);
    g_assert_cmpuint(bytes_in_use() - before, <, 2048);
    g_assert_cmpuint(wcache_cached_bytes(bench->cache), ==,
                     BLOCKS_MANY * BENCH_BLOCK / 256);
    job_complete(bench, job);
    g_assert_cmpuint(wcache_unpromised_bytes(bench->cache), ==,
                     BLOCKS_MANY * BENCH_BLOCK);
    memset(store_ram_bytes(bench->ram), 0xA5, BLOCKS_MANY * BENCH_BLOCK);
    before = bytes_in_use();
    job_flush(bench);
    /* One request for the store, without bytes. */
    g_assert_cmpuint(store_ram_waiting(bench->ram), ==, 1);
    g_assert_cmpuint(bytes_in_use() - before, <, 8192);
    bench_settle(bench);
    g_assert_cmpuint(bench_medium(bench, 0), ==, 0);
    g_assert_cmpuint(bench_medium(bench, BLOCKS_MANY - 1), ==, 0);
    bench_free(bench);
}

/*
 * Long zeroes upon each other, cut into pieces by short writes: layers would be
 * their product. The cache makes room instead, and reads stay right.
 */
static void test_layers_bounded(void)
{
    const uint32_t limit_blocks = 512;
    struct bench *bench = bench_of(4096, limit_blocks * BENCH_BLOCK, 1);
    size_t before = bytes_in_use();
    uint32_t i;

    for (i = 0; i < 400; i++) {
        zero(bench, 0, 256, WCACHE_ZEROES, false);
    }
    for (i = 0; i < 100; i++) {
        bench_write(bench, i * 2 + 1, 1, i + 1, false);
        g_assert_cmpuint(bytes_in_use() - before, <, 1 << 20);
        if (i % 7 == 0) {
            struct job *job = job_read(bench, i * 2 + 4, 1, true);

            bench_settle(bench);
            g_assert_cmpuint(job_tag(job, 0), ==, 0);
            job_complete(bench, job);
        }
    }
    g_assert_cmpuint(wcache_destaged_bytes(bench->cache), >, 0);
    for (i = 0; i < 100; i++) {
        g_assert_cmpuint(bench_read(bench, i * 2 + 1), ==, i + 1);
        g_assert_cmpuint(bench_read(bench, i * 2 + 2), ==, 0);
    }
    bench_free(bench);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/wcache/P1/zeroes-lie-over-data", test_over_data);
    g_test_add_func("/wcache/P4/zeroes-can-be-lost", test_lost);
    g_test_add_func("/wcache/P5/zeroes-tear-above-the-limit", test_torn);
    g_test_add_func("/wcache/zeroes-take-no-memory", test_memory);
    g_test_add_func("/wcache/zeroes-do-not-multiply-layers",
                    test_layers_bounded);
    return g_test_run();
}
