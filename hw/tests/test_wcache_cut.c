/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a power cut leaves of the write cache: P4, P5 and P6 by number. "May"
 * claims show every outcome, so that a cache that is too kind fails like one
 * that is too forgetful.
 */
#include <errno.h>

#include "cache_bench.h"

static struct bench *bench_plain(void)
{
    struct wcache_config config = bench_config();

    return bench_new(&config);
}

static void drop_all(struct bench *bench)
{
    bench_cut(bench, POWERCUT_DROP_ALL, 0);
}

/* -- P4 ------------------------------------------------------------------- */

static void test_p4_policies(void)
{
    struct bench *bench = bench_plain();
    const struct wcache_survivor *survivor;

    bench_write(bench, 0, 2, 1, false);
    drop_all(bench);
    g_assert_cmpuint(bench_read(bench, 0), ==, 0);
    g_assert_cmpuint(bench->survivors->len, ==, 1);
    survivor = &g_array_index(bench->survivors, struct wcache_survivor, 0);
    g_assert_cmpint(survivor->outcome, ==, POWERCUT_DROPPED);
    bench_write(bench, 0, 2, 2, false);
    bench_cut(bench, POWERCUT_KEEP_ALL, 0);
    g_assert_cmpuint(bench_read(bench, 1), ==, 2);
    survivor = &g_array_index(bench->survivors, struct wcache_survivor, 0);
    g_assert_cmpint(survivor->outcome, ==, POWERCUT_KEPT);
    g_assert_cmpuint(survivor->slba, ==, 0);
    g_assert_cmpuint(survivor->blocks_kept, ==, 2);
    bench_free(bench);
}

/* In flight, FUA included: the request has not reached the medium. */
static void test_p4_in_flight(void)
{
    uint64_t seen = 0;
    uint64_t seed;

    for (seed = 0; seed < 64; seed++) {
        struct bench *bench = bench_plain();

        bench_write(bench, 0, 1, 1, false);
        store_ram_fail(bench->ram, -EIO);
        job_write(bench, 0, 1, 2, true);
        wcache_freeze(bench->cache);
        store_ram_run(bench->ram);
        store_ram_fail(bench->ram, 0);
        bench_cut(bench, POWERCUT_RANDOM, seed);
        seen |= 1ull << bench_read(bench, 0);
        bench_free(bench);
    }
    g_assert_cmpuint(seen, ==, 7);
}

static void test_p4_repeatable(void)
{
    uint32_t pass;
    uint64_t first[BENCH_BLOCKS];

    for (pass = 0; pass < 2; pass++) {
        struct bench *bench = bench_plain();
        uint32_t i;

        for (i = 0; i < BENCH_BLOCKS; i++) {
            bench_write(bench, i, 1, i + 1, false);
        }
        bench_cut(bench, POWERCUT_RANDOM, 99);
        for (i = 0; i < BENCH_BLOCKS; i++) {
            uint64_t tag = bench_medium(bench, i);

            first[i] = pass ? first[i] : tag;
            g_assert_cmpuint(tag, ==, first[i]);
        }
        bench_free(bench);
    }
}

/* -- P5 ------------------------------------------------------------------- */

static uint32_t count_tag(const struct bench *bench, uint64_t slba,
                          uint32_t count, uint64_t tag)
{
    uint32_t hits = 0;
    uint32_t i;

    for (i = 0; i < count; i++) {
        hits += bench_medium(bench, slba + i) == tag;
    }
    return hits;
}

static void test_p5_whole(void)
{
    struct wcache_config config = bench_config();
    uint32_t kept = 0;
    uint64_t seed;

    config.atomicity.blocks = 4;
    for (seed = 0; seed < 100; seed++) {
        struct bench *bench = bench_new(&config);
        uint32_t hits;

        bench_write(bench, 5, 4, 1, false);
        bench_cut(bench, POWERCUT_RANDOM, seed);
        hits = count_tag(bench, 5, 4, 1);
        g_assert_true(hits == 0 || hits == 4);
        kept += hits == 4;
        bench_free(bench);
    }
    g_assert_cmpuint(kept, >, 20);
    g_assert_cmpuint(kept, <, 80);
}

static void test_p5_tears(void)
{
    struct wcache_config config = bench_config();
    uint32_t torn = 0;
    uint64_t seed;

    config.atomicity.blocks = 4;
    for (seed = 0; seed < 100; seed++) {
        struct bench *bench = bench_new(&config);
        const struct wcache_survivor *survivor;
        uint32_t hits;

        bench_write(bench, 5, 5, 1, false);
        bench_cut(bench, POWERCUT_RANDOM, seed);
        hits = count_tag(bench, 5, 5, 1);
        survivor = &g_array_index(bench->survivors, struct wcache_survivor, 0);
        g_assert_cmpuint(survivor->blocks_kept, ==, hits);
        torn += hits != 0 && hits != 5;
        bench_free(bench);
    }
    g_assert_cmpuint(torn, >, 5);
}

/* How many of 100 random cuts tear a write of count blocks at slba. */
static uint32_t count_torn(const struct wcache_config *config, uint64_t slba,
                           uint32_t count)
{
    uint32_t torn = 0;
    uint64_t seed;

    for (seed = 0; seed < 100; seed++) {
        struct bench *bench = bench_new(config);
        uint32_t hits;

        bench_write(bench, slba, count, 1, false);
        bench_cut(bench, POWERCUT_RANDOM, seed);
        hits = count_tag(bench, slba, count, 1);
        torn += hits != 0 && hits != count;
        bench_free(bench);
    }
    return torn;
}

/* Boundaries at blocks 3, 11, 19, …: [3, 11) is one stretch, [0, 3) another. */
static void test_p5_boundaries(void)
{
    static const struct {
        uint64_t slba;
        uint32_t count;
        bool is_atomic;
    } writes[] = {
        { 0, 3, true }, { 0, 4, false }, { 2, 2, false }, { 3, 4, true },
        { 7, 4, true }, { 8, 4, false }, { 10, 2, false }, { 10, 1, true },
        { 11, 4, true }, { 16, 3, true }, { 16, 4, false }, { 19, 5, false },
    };
    struct wcache_config config = bench_config();
    uint32_t i;

    config.atomicity = (struct atomicity) { 4, 8, 3 };
    for (i = 0; i < G_N_ELEMENTS(writes); i++) {
        uint32_t torn = count_torn(&config, writes[i].slba, writes[i].count);

        if (writes[i].is_atomic) {
            g_assert_cmpuint(torn, ==, 0);
        } else {
            g_assert_cmpuint(torn, >, 5);
        }
    }
}

/*
 * What crosses a boundary is not recorded; what does not cross one is, and only
 * that: the metadata shows it.
 */
static void test_p5_recorded(void)
{
    struct wcache_config config = bench_config();
    struct bench *bench;
    uint64_t writes;

    config.atomicity = (struct atomicity) { 4, 8, 0 };
    bench = bench_new(&config);
    writes = store_ram_fua_writes(bench->meta);
    bench_write(bench, 6, 4, 1, true);
    g_assert_cmpuint(store_ram_fua_writes(bench->meta), ==, writes);
    bench_write(bench, 4, 4, 2, true);
    g_assert_cmpuint(store_ram_fua_writes(bench->meta), ==, writes + 2);
    bench_write(bench, 0, 5, 3, true);
    g_assert_cmpuint(store_ram_fua_writes(bench->meta), ==, writes + 2);
    bench_free(bench);
}

/* The cut comes while a FUA read destages part of an atomic write. */
static void test_p5_partly_destaged(void)
{
    struct wcache_config config = bench_config();
    uint64_t seed;

    config.atomicity.blocks = 4;
    for (seed = 0; seed < 64; seed++) {
        struct bench *bench = bench_new(&config);
        uint32_t hits;

        bench_write(bench, 0, 4, 1, false);
        job_read(bench, 1, 1, true);
        bench_settle(bench);
        bench_cut(bench, POWERCUT_RANDOM, seed);
        hits = count_tag(bench, 0, 4, 1);
        g_assert_cmpuint(bench_medium(bench, 1), ==, 1);
        g_assert_cmpuint(hits, ==, 4);
        bench_free(bench);
    }
}

static void test_p5_cut_while_flushing(void)
{
    struct wcache_config config = bench_config();
    uint32_t steps;

    config.atomicity.blocks = 4;
    for (steps = 0; steps < 8; steps++) {
        struct bench *bench = bench_new(&config);
        uint32_t i;

        bench_write(bench, 0, 4, 1, false);
        bench_write(bench, 10, 4, 2, false);
        bench_write(bench, 2, 1, 3, false);
        job_flush(bench);
        for (i = 0; i < steps; i++) {
            if (store_ram_waiting(bench->meta)) {
                store_ram_step(bench->meta, 0);
            } else if (store_ram_waiting(bench->ram)) {
                store_ram_step(bench->ram, 0);
            }
        }
        drop_all(bench);
        i = count_tag(bench, 10, 4, 2);
        g_assert_true(i == 0 || i == 4);
        i = (bench_medium(bench, 0) == 1) + (bench_medium(bench, 1) == 1) +
            (bench_medium(bench, 3) == 1);
        g_assert_true(i == 0 || i == 3);
        bench_free(bench);
    }
}

/* -- P6 ------------------------------------------------------------------- */

static void test_p6_order(void)
{
    uint64_t seed;

    for (seed = 0; seed < 200; seed++) {
        struct bench *bench = bench_plain();
        uint64_t tag;

        bench_write(bench, 0, 1, 1, true);
        bench_write(bench, 0, 1, 2, false);
        bench_write(bench, 0, 1, 3, false);
        bench_cut(bench, POWERCUT_RANDOM, seed);
        tag = bench_read(bench, 0);
        if (bench->survivors->len == 2) {
            const struct wcache_survivor *last =
                &g_array_index(bench->survivors, struct wcache_survivor, 1);

            g_assert_true(last->outcome != POWERCUT_KEPT || tag == 3);
        }
        bench_free(bench);
    }
}

static void test_p6_either_order(void)
{
    bool seen_older_on_top = false;
    bool seen_newer_on_top = false;
    uint64_t seed;

    for (seed = 0; seed < 400; seed++) {
        struct bench *bench = bench_plain();
        struct job *first = job_write(bench, 0, 1, 1, false);
        struct job *second = job_write(bench, 0, 1, 2, false);
        uint64_t tag;
        bool is_both;

        job_complete(bench, first);
        job_complete(bench, second);
        bench_cut(bench, POWERCUT_RANDOM, seed);
        tag = bench_read(bench, 0);
        is_both =
            g_array_index(bench->survivors, struct wcache_survivor, 0)
                    .outcome == POWERCUT_KEPT &&
            g_array_index(bench->survivors, struct wcache_survivor, 1)
                    .outcome == POWERCUT_KEPT;
        seen_older_on_top |= is_both && tag == 1;
        seen_newer_on_top |= is_both && tag == 2;
        bench_free(bench);
    }
    g_assert_true(seen_older_on_top);
    g_assert_true(seen_newer_on_top);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/wcache/P4/unpromised-vanishes-or-survives",
                    test_p4_policies);
    g_test_add_func("/wcache/P4/in-flight-fua-may-be-old-or-new",
                    test_p4_in_flight);
    g_test_add_func("/wcache/P4/same-seed-same-survivors",
                    test_p4_repeatable);
    g_test_add_func("/wcache/P5/within-the-limit-whole-or-not", test_p5_whole);
    g_test_add_func("/wcache/P5/above-the-limit-tears", test_p5_tears);
    g_test_add_func("/wcache/P5/across-a-boundary-tears", test_p5_boundaries);
    g_test_add_func("/wcache/P5/recorded-if-atomic-and-only-then",
                    test_p5_recorded);
    g_test_add_func("/wcache/P5/partly-destaged-is-kept-whole",
                    test_p5_partly_destaged);
    g_test_add_func("/wcache/P5/cut-during-a-flush-tears-nothing",
                    test_p5_cut_while_flushing);
    g_test_add_func("/wcache/P6/one-after-the-other-stay-in-order",
                    test_p6_order);
    g_test_add_func("/wcache/P6/concurrent-in-either-order",
                    test_p6_either_order);
    return g_test_run();
}
