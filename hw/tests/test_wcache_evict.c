/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A full write cache: P7. Destaging makes room and changes no promise, and what
 * it brought to the medium is known at a cut.
 */
#include <errno.h>

#include "cache_bench.h"

static struct bench *bench_with(uint64_t limit_bytes, bool is_enabled)
{
    struct wcache_config config = bench_config();

    config.limit_bytes = limit_bytes;
    config.is_enabled = is_enabled;
    return bench_new(&config);
}

static void drop_all(struct bench *bench)
{
    bench_cut(bench, POWERCUT_DROP_ALL, 0);
}

static void test_p7_eviction(void)
{
    struct bench *bench = bench_with(8 * BENCH_BLOCK, true);
    uint32_t i;

    for (i = 0; i < 40; i++) {
        bench_write(bench, i, 1, i + 1, false);
    }
    g_assert_cmpuint(wcache_destaged_bytes(bench->cache), >, 0);
    g_assert_cmpuint(wcache_cached_bytes(bench->cache), <=, 8 * BENCH_BLOCK);
    g_assert_cmpuint(wcache_unpromised_bytes(bench->cache), ==,
                     40 * BENCH_BLOCK);
    g_assert_cmpuint(bench_medium(bench, 0), ==, 1);
    bench_flush(bench);
    g_assert_cmpuint(wcache_unpromised_bytes(bench->cache), ==, 0);
    g_assert_cmpuint(store_ram_flushes(bench->ram), ==, 1);
    bench_free(bench);
}

static void test_p7_reported(void)
{
    struct bench *bench = bench_with(4 * BENCH_BLOCK, true);

    bench_write(bench, 0, 4, 1, false);
    bench_write(bench, 8, 4, 2, false);
    drop_all(bench);
    g_assert_cmpuint(bench->survivors->len, ==, 2);
    g_assert_cmpint(g_array_index(bench->survivors, struct wcache_survivor, 0)
                        .outcome, ==, POWERCUT_KEPT);
    g_assert_cmpint(g_array_index(bench->survivors, struct wcache_survivor, 1)
                        .outcome, ==, POWERCUT_DROPPED);
    bench_free(bench);
}

/* Destaged before its CQE was posted: it survives, and the cut must say so. */
static void test_p7_in_flight_reported(void)
{
    struct bench *bench = bench_with(4 * BENCH_BLOCK, true);

    job_write(bench, 0, 4, 1, false);
    bench_write(bench, 8, 4, 2, false);
    g_assert_cmpuint(bench_medium(bench, 0), ==, 1);
    drop_all(bench);
    g_assert_cmpuint(bench->survivors->len, ==, 2);
    bench_free(bench);
}

static void test_p7_bigger_than_cache(void)
{
    struct bench *bench = bench_with(4096, true);

    bench_write(bench, 0, 32, 1, false);
    bench_write(bench, 0, 32, 2, false);
    g_assert_cmpuint(bench_read(bench, 31), ==, 2);
    bench_flush(bench);
    g_assert_cmpuint(bench_medium(bench, 0), ==, 2);
    bench_free(bench);
}

static void test_p7_no_room_error(void)
{
    struct bench *bench = bench_with(4 * BENCH_BLOCK, true);
    struct job *write;

    bench_write(bench, 0, 4, 1, false);
    store_ram_fail(bench->ram, -ENOSPC);
    write = job_write(bench, 8, 4, 2, false);
    bench_settle(bench);
    g_assert_true(write->is_done);
    g_assert_cmpint(write->error, ==, -ENOSPC);
    store_ram_fail(bench->ram, 0);
    g_assert_cmpuint(bench_read(bench, 0), ==, 1);
    g_assert_cmpuint(bench_read(bench, 8), ==, 0);
    bench_free(bench);
}

/* More writes than records are kept for: the sum stays exact. */
static void test_p7_many_ghosts(void)
{
    struct bench *bench = bench_with(4 * BENCH_BLOCK, true);
    uint32_t i;

    for (i = 0; i < 9000; i++) {
        bench_write(bench, i % BENCH_BLOCKS, 1, i + 1, false);
    }
    g_assert_cmpuint(wcache_unpromised_bytes(bench->cache), ==,
                     9000ull * BENCH_BLOCK);
    bench_flush(bench);
    g_assert_cmpuint(wcache_unpromised_bytes(bench->cache), ==, 0);
    bench_free(bench);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/wcache/P7/eviction-promises-nothing", test_p7_eviction);
    g_test_add_func("/wcache/P7/evicted-write-is-reported-kept",
                    test_p7_reported);
    g_test_add_func("/wcache/P7/evicted-in-flight-write-is-reported",
                    test_p7_in_flight_reported);
    g_test_add_func("/wcache/P7/write-bigger-than-the-cache",
                    test_p7_bigger_than_cache);
    g_test_add_func("/wcache/P7/no-room-and-no-medium-is-an-error",
                    test_p7_no_room_error);
    g_test_add_func("/wcache/P7/many-evicted-writes-are-counted-exactly",
                    test_p7_many_ghosts);
    return g_test_run();
}
