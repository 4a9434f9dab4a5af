/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A write that rests between seen and promised (op->seen): reads see it, no
 * flush takes it along, a cut may, and wcache_harden() keeps P2 and P3.
 */
#include "cache_bench.h"

static uint32_t times_seen;

static void note(struct wcache_op *op)
{
    g_assert_cmpuint(op->visible.stamp, !=, 0);
    times_seen++;
}

static struct bench *bench_with(uint64_t limit_bytes, bool is_enabled,
                                enum wcache_lie lie, uint32_t atomic_blocks)
{
    struct wcache_config config = bench_config();

    config.limit_bytes = limit_bytes;
    config.is_enabled = is_enabled;
    config.lie = lie;
    config.atomicity.blocks = atomic_blocks;
    times_seen = 0;
    return bench_new(&config);
}

/* Submitted; it rests when the medium has done what it has to. */
static struct job *resting(struct bench *bench, uint64_t slba, uint32_t count,
                           uint64_t tag, bool has_fua)
{
    struct job *job = job_write_seen(bench, slba, count, tag, has_fua, note);

    bench_settle(bench);
    return job;
}

static void harden(struct bench *bench, struct job *job)
{
    wcache_harden(bench->cache, &job->op);
    bench_settle(bench);
    g_assert_true(job->is_done);
    g_assert_cmpint(job->error, ==, 0);
    job_complete(bench, job);
}

static void test_rests(void)
{
    struct bench *bench = bench_with(1 << 20, true, WCACHE_HONEST, 1);
    struct job *job = resting(bench, 0, 2, 7, true);

    g_assert_cmpuint(times_seen, ==, 1);
    g_assert_false(job->is_done);
    g_assert_cmpuint(bench_read(bench, 1), ==, 7);
    g_assert_cmpuint(bench_medium(bench, 1), ==, 0);
    bench_flush(bench);
    g_assert_cmpuint(bench_medium(bench, 1), ==, 0);
    harden(bench, job);
    g_assert_cmpuint(bench_medium(bench, 1), ==, 7);
    g_assert_cmpuint(wcache_unpromised_bytes(bench->cache), ==, 0);
    bench_free(bench);
}

/* Who is owed no promise does not rest. */
static void test_who_rests(void)
{
    struct bench *bench = bench_with(1 << 20, true, WCACHE_HONEST, 1);

    g_assert_true(resting(bench, 0, 1, 1, false)->is_done);
    bench_free(bench);
    bench = bench_with(1 << 20, true, WCACHE_FUA_LOST, 1);
    g_assert_true(resting(bench, 0, 1, 1, true)->is_done);
    g_assert_cmpuint(times_seen, ==, 0);
    bench_free(bench);
    bench = bench_with(1 << 20, false, WCACHE_HONEST, 1);
    g_assert_false(resting(bench, 0, 1, 1, false)->is_done);
    g_assert_cmpuint(times_seen, ==, 1);
    bench_free(bench);
}

static void test_cut(void)
{
    enum powercut_policy policy;

    for (policy = POWERCUT_DROP_ALL; policy <= POWERCUT_KEEP_ALL; policy++) {
        struct bench *bench = bench_with(1 << 20, true, WCACHE_HONEST, 1);

        bench_write(bench, 0, 2, 3, true);
        resting(bench, 0, 2, 7, true);
        bench_cut(bench, policy, 0);
        g_assert_cmpuint(bench_medium(bench, 1), ==,
                         policy == POWERCUT_KEEP_ALL ? 7 : 3);
        bench_free(bench);
    }
}

/* Given up: seen, unpromised, and a later flush takes it along. */
static void test_given_up(void)
{
    struct bench *bench = bench_with(1 << 20, true, WCACHE_HONEST, 1);
    struct job *job = resting(bench, 0, 1, 7, true);

    wcache_completed(bench->cache, &job->op, 0);
    g_assert_cmpuint(bench_read(bench, 0), ==, 7);
    g_assert_cmpuint(wcache_unpromised_bytes(bench->cache), ==, 0);
    bench_flush(bench);
    g_assert_cmpuint(bench_medium(bench, 0), ==, 7);
    bench_free(bench);
}

/* Its data went to the medium while it rested: settled, read, overwritten. */
static void test_gone_already(void)
{
    struct bench *bench = bench_with(1 << 20, true, WCACHE_HONEST, 1);
    struct job *settled = resting(bench, 0, 1, 7, true);
    struct job *read = resting(bench, 4, 1, 8, true);
    struct job *below = resting(bench, 8, 1, 9, true);

    job_settle(bench);
    bench_settle(bench);
    g_assert_cmpuint(bench_medium(bench, 0), ==, 7);
    job_read(bench, 4, 1, true);
    bench_settle(bench);
    bench_write(bench, 8, 1, 10, true);
    harden(bench, settled);
    harden(bench, read);
    harden(bench, below);
    bench_cut(bench, POWERCUT_DROP_ALL, 0);
    g_assert_cmpuint(bench_medium(bench, 0), ==, 7);
    g_assert_cmpuint(bench_medium(bench, 4), ==, 8);
    g_assert_cmpuint(bench_medium(bench, 8), ==, 10);
    bench_free(bench);
}

/* A full cache makes room of what rests, piece by piece too. */
static void full(uint32_t atomic_blocks)
{
    struct bench *bench = bench_with(8 * BENCH_BLOCK, true, WCACHE_HONEST,
                                     atomic_blocks);
    struct job *job = resting(bench, 0, 4, 7, true);
    uint32_t i;

    for (i = 0; i < 40; i++) {
        bench_write(bench, 8 + i, 1, 100 + i, false);
    }
    g_assert_cmpuint(bench_read(bench, 3), ==, 7);
    g_assert_cmpuint(bench_medium(bench, 3), ==, 7);
    harden(bench, job);
    bench_cut(bench, POWERCUT_DROP_ALL, 0);
    g_assert_cmpuint(bench_medium(bench, 0), ==, 7);
    bench_free(bench);
}

static void test_full(void)
{
    full(1);
    full(4);
}

/* A lying barrier still makes older writes durable, when it goes on. */
static void test_barrier(void)
{
    struct bench *bench = bench_with(1 << 20, true, WCACHE_FUA_BARRIER, 1);
    struct job *job;

    bench_write(bench, 9, 1, 3, false);
    job = resting(bench, 0, 1, 7, true);
    g_assert_cmpuint(bench_medium(bench, 9), ==, 0);
    harden(bench, job);
    g_assert_cmpuint(bench_medium(bench, 9), ==, 3);
    bench_free(bench);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/wcache/harden/rests-until-told", test_rests);
    g_test_add_func("/wcache/harden/only-what-is-owed-a-promise",
                    test_who_rests);
    g_test_add_func("/wcache/harden/a-cut-may-take-it", test_cut);
    g_test_add_func("/wcache/harden/given-up", test_given_up);
    g_test_add_func("/wcache/harden/P2/at-the-medium-already",
                    test_gone_already);
    g_test_add_func("/wcache/harden/P7/evicted-while-it-rests", test_full);
    g_test_add_func("/wcache/harden/lie/fua-barrier", test_barrier);
    return g_test_run();
}
