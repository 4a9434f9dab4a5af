/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The promises of the write cache, by number (docs/loss-model.md): P1, P2, P3
 * and P8. Each test is one claim. What a cut may take (P4-P6) is in
 * test_wcache_cut.c, a full cache (P7) in test_wcache_evict.c.
 */
#include <errno.h>

#include "cache_bench.h"

static struct bench *bench_plain(void)
{
    struct wcache_config config = bench_config();

    return bench_new(&config);
}

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

/* -- Reading -------------------------------------------------------------- */

static void test_read_newest(void)
{
    struct bench *bench = bench_plain();

    bench_write(bench, 0, 8, 1, false);
    bench_write(bench, 2, 3, 2, false);
    g_assert_cmpuint(bench_read(bench, 1), ==, 1);
    g_assert_cmpuint(bench_read(bench, 2), ==, 2);
    g_assert_cmpuint(bench_read(bench, 4), ==, 2);
    g_assert_cmpuint(bench_read(bench, 5), ==, 1);
    g_assert_cmpuint(bench_read(bench, 8), ==, 0);
    bench_free(bench);
}

static void test_read_spans_holes(void)
{
    struct bench *bench = bench_plain();
    struct job *read;
    uint32_t i;

    bench_write(bench, 1, 1, 7, true);
    bench_write(bench, 3, 2, 8, false);
    read = job_read(bench, 0, 8, false);
    g_assert_false(read->is_done);
    bench_settle(bench);
    for (i = 0; i < 8; i++) {
        g_assert_cmpuint(job_tag(read, i), ==,
                         i == 1 ? 7 : i == 3 || i == 4 ? 8 : 0);
    }
    bench_free(bench);
}

/* The read has its place in order when it starts; a later write must wait. */
static void test_read_is_not_torn(void)
{
    struct bench *bench = bench_plain();
    struct job *read = job_read(bench, 0, 2, false);
    struct job *write = job_write(bench, 0, 2, 5, true);

    g_assert_cmpuint(store_ram_waiting(bench->ram), ==, 1);
    bench_settle(bench);
    g_assert_cmpuint(job_tag(read, 0), ==, 0);
    g_assert_cmpuint(job_tag(read, 1), ==, 0);
    g_assert_true(write->is_done);
    job_complete(bench, write);
    bench_free(bench);
}

static void test_read_while_destaging(void)
{
    struct bench *bench = bench_plain();
    struct job *read;
    struct job *flush;

    bench_write(bench, 4, 1, 9, false);
    flush = job_flush(bench);
    read = job_read(bench, 4, 1, false);
    g_assert_true(read->is_done);
    g_assert_cmpuint(job_tag(read, 0), ==, 9);
    bench_settle(bench);
    g_assert_true(flush->is_done);
    bench_free(bench);
}

/* -- P1 ------------------------------------------------------------------- */

static void test_p1_covers(void)
{
    struct bench *bench = bench_plain();

    bench_write(bench, 0, 4, 1, false);
    bench_write(bench, 9, 1, 2, false);
    bench_flush(bench);
    g_assert_cmpuint(wcache_unpromised_bytes(bench->cache), ==, 0);
    drop_all(bench);
    g_assert_cmpuint(bench_read(bench, 0), ==, 1);
    g_assert_cmpuint(bench_read(bench, 3), ==, 1);
    g_assert_cmpuint(bench_read(bench, 9), ==, 2);
    g_assert_cmpuint(bench->survivors->len, ==, 0);
    bench_free(bench);
}

static void test_p1_not_before_medium(void)
{
    struct bench *bench = bench_plain();
    struct job *flush;

    bench_write(bench, 0, 4, 1, false);
    flush = job_flush(bench);
    g_assert_false(flush->is_done);
    while (store_ram_waiting(bench->ram)) {
        g_assert_false(flush->is_done);
        store_ram_step(bench->ram, 0);
    }
    g_assert_true(flush->is_done);
    g_assert_cmpuint(store_ram_flushes(bench->ram), ==, 1);
    bench_free(bench);
}

/* The doorbell of the flush was rung before the write's CQE was posted. */
static void test_p1_completed_after_submitted(void)
{
    struct bench *bench = bench_plain();
    uint64_t stamp = moment_take(&bench->moments).stamp;
    struct job *flush;

    bench_write(bench, 0, 1, 1, false);
    flush = job_flush_at(bench, stamp);
    bench_settle(bench);
    g_assert_true(flush->is_done);
    g_assert_cmpuint(wcache_unpromised_bytes(bench->cache), ==, BENCH_BLOCK);
    drop_all(bench);
    g_assert_cmpuint(bench_read(bench, 0), ==, 0);
    bench_free(bench);
}

static void test_p1_uncompleted(void)
{
    struct bench *bench = bench_plain();
    struct job *write = job_write(bench, 0, 1, 1, false);

    g_assert_true(write->is_done);
    bench_flush(bench);
    job_complete(bench, write);
    g_assert_cmpuint(wcache_unpromised_bytes(bench->cache), ==, BENCH_BLOCK);
    drop_all(bench);
    g_assert_cmpuint(bench_read(bench, 0), ==, 0);
    bench_free(bench);
}

/* Newer data over an older, covered write: the older one must be kept. */
static void test_p1_under_newer(void)
{
    struct bench *bench = bench_plain();
    struct job *flush;

    bench_write(bench, 0, 4, 1, false);
    flush = job_flush(bench);
    bench_write(bench, 1, 2, 2, false);
    g_assert_true(flush->is_done);
    drop_all(bench);
    g_assert_cmpuint(bench_read(bench, 0), ==, 1);
    g_assert_cmpuint(bench_read(bench, 1), ==, 1);
    g_assert_cmpuint(bench_read(bench, 3), ==, 1);
    bench_free(bench);
}

static void test_p1_error(void)
{
    struct bench *bench = bench_plain();
    struct job *flush;

    bench_write(bench, 0, 4, 1, false);
    store_ram_fail(bench->ram, -EIO);
    flush = job_flush(bench);
    bench_settle(bench);
    g_assert_cmpint(flush->error, ==, -EIO);
    g_assert_cmpuint(wcache_unpromised_bytes(bench->cache), ==,
                     4 * BENCH_BLOCK);
    store_ram_fail(bench->ram, 0);
    g_assert_cmpuint(bench_read(bench, 0), ==, 1);
    bench_flush(bench);
    drop_all(bench);
    g_assert_cmpuint(bench_read(bench, 3), ==, 1);
    bench_free(bench);
}

/* -- P2 ------------------------------------------------------------------- */

static void test_p2_durable(void)
{
    struct bench *bench = bench_plain();
    struct job *write = job_write(bench, 3, 2, 1, true);

    g_assert_false(write->is_done);
    bench_settle(bench);
    g_assert_true(write->is_done);
    g_assert_true(wcache_is_promised(&write->op));
    g_assert_cmpuint(store_ram_fua_writes(bench->ram), ==, 1);
    g_assert_cmpuint(store_ram_flushes(bench->ram), ==, 0);
    job_complete(bench, write);
    drop_all(bench);
    g_assert_cmpuint(bench_read(bench, 4), ==, 1);
    bench_free(bench);
}

static void test_p2_no_barrier(void)
{
    struct bench *bench = bench_plain();

    bench_write(bench, 0, 1, 1, false);
    bench_write(bench, 1, 1, 2, true);
    g_assert_cmpuint(wcache_unpromised_bytes(bench->cache), ==, BENCH_BLOCK);
    drop_all(bench);
    g_assert_cmpuint(bench_read(bench, 0), ==, 0);
    g_assert_cmpuint(bench_read(bench, 1), ==, 2);
    bench_free(bench);
}

static void test_p2_over_older(void)
{
    struct bench *bench = bench_plain();

    bench_write(bench, 0, 4, 1, false);
    bench_write(bench, 1, 2, 2, true);
    drop_all(bench);
    g_assert_cmpuint(bench_read(bench, 0), ==, 0);
    g_assert_cmpuint(bench_read(bench, 1), ==, 2);
    g_assert_cmpuint(bench_read(bench, 3), ==, 0);
    bench_free(bench);
}

/* A newer write may lie on top, never an older one. */
static void test_p2_never_older(void)
{
    uint64_t seed;

    for (seed = 0; seed < 200; seed++) {
        struct bench *bench = bench_plain();
        struct job *older = job_write(bench, 0, 1, 1, false);
        uint64_t tag;

        bench_write(bench, 0, 1, 2, true);
        job_complete(bench, older);
        bench_write(bench, 0, 1, 3, false);
        bench_cut(bench, POWERCUT_RANDOM, seed);
        tag = bench_read(bench, 0);
        g_assert_cmpuint(tag, >=, 2);
        bench_free(bench);
    }
}

static void test_p2_read(void)
{
    struct bench *bench = bench_plain();
    struct job *read;

    bench_write(bench, 0, 4, 1, false);
    read = job_read(bench, 1, 2, true);
    g_assert_false(read->is_done);
    bench_settle(bench);
    g_assert_cmpuint(job_tag(read, 0), ==, 1);
    drop_all(bench);
    g_assert_cmpuint(bench_read(bench, 0), ==, 0);
    g_assert_cmpuint(bench_read(bench, 1), ==, 1);
    g_assert_cmpuint(bench_read(bench, 2), ==, 1);
    g_assert_cmpuint(bench_read(bench, 3), ==, 0);
    bench_free(bench);
}

/* Destaged without FUA first: the FUA read must flush the store. */
static void test_p2_read_after_eviction(void)
{
    struct bench *bench = bench_with(4 * BENCH_BLOCK, true);
    struct job *read;

    bench_write(bench, 0, 4, 1, false);
    bench_write(bench, 8, 4, 2, false);
    g_assert_cmpuint(bench_medium(bench, 0), ==, 1);
    g_assert_cmpuint(store_ram_fua_writes(bench->ram), ==, 0);
    read = job_read(bench, 0, 2, true);
    bench_settle(bench);
    g_assert_cmpuint(job_tag(read, 0), ==, 1);
    g_assert_cmpuint(store_ram_flushes(bench->ram), ==, 1);
    bench_free(bench);
}

static void test_p2_error(void)
{
    struct bench *bench = bench_plain();
    struct job *write;

    bench_write(bench, 0, 1, 1, true);
    store_ram_fail(bench->ram, -EIO);
    write = job_write(bench, 0, 1, 2, true);
    bench_settle(bench);
    g_assert_cmpint(write->error, ==, -EIO);
    g_assert_false(wcache_is_promised(&write->op));
    store_ram_fail(bench->ram, 0);
    drop_all(bench);
    g_assert_cmpuint(bench_read(bench, 0), ==, 1);
    bench_free(bench);
}

/* -- P3 ------------------------------------------------------------------- */

static void test_p3_off(void)
{
    struct bench *bench = bench_with(1 << 20, false);

    g_assert_false(wcache_is_enabled(bench->cache));
    bench_write(bench, 0, 4, 1, false);
    g_assert_cmpuint(wcache_unpromised_bytes(bench->cache), ==, 0);
    g_assert_cmpuint(wcache_cached_bytes(bench->cache), ==, 0);
    drop_all(bench);
    g_assert_cmpuint(bench_read(bench, 3), ==, 1);
    bench_free(bench);
}

static void test_p3_switching_off(void)
{
    struct bench *bench = bench_plain();
    struct job *off;

    bench_write(bench, 0, 4, 1, false);
    off = job_switch(bench, false);
    g_assert_false(off->is_done);
    bench_settle(bench);
    g_assert_true(off->is_done);
    g_assert_cmpuint(wcache_unpromised_bytes(bench->cache), ==, 0);
    drop_all(bench);
    g_assert_cmpuint(bench_read(bench, 3), ==, 1);
    bench_free(bench);
}

static void test_p3_on_again(void)
{
    struct bench *bench = bench_with(1 << 20, false);

    g_assert_true(job_switch(bench, true)->is_done);
    bench_write(bench, 0, 1, 1, false);
    g_assert_cmpuint(wcache_unpromised_bytes(bench->cache), ==, BENCH_BLOCK);
    drop_all(bench);
    g_assert_cmpuint(bench_read(bench, 0), ==, 0);
    bench_free(bench);
}

/* -- P8 ------------------------------------------------------------------- */

static void test_p8_settle(void)
{
    struct wcache_config config = bench_config();
    struct bench *bench;
    struct job *settle;

    config.lie = WCACHE_FLUSH_LOST;
    bench = bench_new(&config);
    bench_write(bench, 0, 4, 1, false);
    settle = job_settle(bench);
    g_assert_false(settle->is_done);
    bench_settle(bench);
    g_assert_true(settle->is_done);
    g_assert_cmpuint(wcache_unpromised_bytes(bench->cache), ==, 0);
    drop_all(bench);
    g_assert_cmpuint(bench_read(bench, 0), ==, 1);
    bench_free(bench);
}

static void test_p8_covers_only(void)
{
    struct bench *bench = bench_plain();
    struct job *settle;
    struct job *write;

    bench_write(bench, 0, 1, 1, false);
    settle = job_settle(bench);
    write = job_write(bench, 8, 1, 2, false);
    job_complete(bench, write);
    bench_settle(bench);
    g_assert_true(settle->is_done);
    g_assert_cmpuint(bench_medium(bench, 8), ==, 0);
    g_assert_cmpuint(wcache_unpromised_bytes(bench->cache), ==, BENCH_BLOCK);
    drop_all(bench);
    g_assert_cmpuint(bench->survivors->len, ==, 1);
    bench_free(bench);
}

/*
 * While a FUA read waits for older data, another one brings the end of a newer
 * write to the medium: the first must not show that end without its beginning.
 */
static void test_one_moment(void)
{
    struct bench *bench = bench_plain();
    struct job *read;
    uint32_t i;

    bench_write(bench, 0, 4, 1, false);
    read = job_read(bench, 0, 8, true);
    job_write(bench, 2, 6, 2, false);
    job_read(bench, 6, 2, true);
    g_assert_cmpuint(store_ram_waiting(bench->ram), ==, 2);
    store_ram_step(bench->ram, 1);
    store_ram_step(bench->ram, 0);
    bench_settle(bench);
    for (i = 3; i < 8; i++) {
        g_assert_cmpuint(job_tag(read, i), ==, job_tag(read, 2));
    }
    bench_free(bench);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/wcache/read/newest-wins", test_read_newest);
    g_test_add_func("/wcache/read/spans-cache-and-medium",
                    test_read_spans_holes);
    g_test_add_func("/wcache/read/later-write-waits", test_read_is_not_torn);
    g_test_add_func("/wcache/read/while-destaging", test_read_while_destaging);
    g_test_add_func("/wcache/P1/flush-covers-completed-before-submitted",
                    test_p1_covers);
    g_test_add_func("/wcache/P1/flush-waits-for-the-medium",
                    test_p1_not_before_medium);
    g_test_add_func("/wcache/P1/write-completed-after-submission-may-be-lost",
                    test_p1_completed_after_submitted);
    g_test_add_func("/wcache/P1/write-not-completed-may-be-lost",
                    test_p1_uncompleted);
    g_test_add_func("/wcache/P1/covered-write-below-a-newer-one-is-kept",
                    test_p1_under_newer);
    g_test_add_func("/wcache/P1/failed-flush-promises-nothing", test_p1_error);
    g_test_add_func("/wcache/P2/fua-write-is-durable-when-done",
                    test_p2_durable);
    g_test_add_func("/wcache/P2/fua-is-not-a-barrier", test_p2_no_barrier);
    g_test_add_func("/wcache/P2/fua-takes-its-own-blocks-only",
                    test_p2_over_older);
    g_test_add_func("/wcache/P2/never-older-than-the-promise",
                    test_p2_never_older);
    g_test_add_func("/wcache/P2/fua-read-makes-its-range-durable",
                    test_p2_read);
    g_test_add_func("/wcache/P2/fua-read-after-eviction-flushes",
                    test_p2_read_after_eviction);
    g_test_add_func("/wcache/P2/failed-fua-write-promises-nothing",
                    test_p2_error);
    g_test_add_func("/wcache/P3/off-means-durable-when-done", test_p3_off);
    g_test_add_func("/wcache/a-fua-read-shows-one-moment", test_one_moment);
    g_test_add_func("/wcache/P3/switching-off-settles-first",
                    test_p3_switching_off);
    g_test_add_func("/wcache/P3/on-again-may-lose", test_p3_on_again);
    g_test_add_func("/wcache/P8/settle-is-durable-whatever-the-lie",
                    test_p8_settle);
    g_test_add_func("/wcache/P8/settle-promises-only-what-it-covers",
                    test_p8_covers_only);
    return g_test_run();
}
