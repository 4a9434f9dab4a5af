/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The write cache under test; see cache_bench.h. */
#include "cache_bench.h"

#include "driver.h"

static uint64_t bench_clock(void *opaque)
{
    return ((struct bench *)opaque)->time_ns += 10;
}

struct wcache_config bench_config(void)
{
    return (struct wcache_config) {
        .medium = 1,
        .block_size_bytes = BENCH_BLOCK,
        .block_count = BENCH_BLOCKS,
        .limit_bytes = 1 << 20,
        .is_enabled = true,
        .atomicity = { .blocks = 1 },
    };
}

static void job_free(void *opaque)
{
    struct job *job = opaque;

    /* A write's data belongs to the cache once it was submitted. */
    if (!job->is_write) {
        g_free(job->op.data);
    }
    g_free(job);
}

static void redo_started(void *opaque, int error, const char *why)
{
    (void)opaque;
    g_assert_null(why);
    g_assert_cmpint(error, ==, 0);
}

static struct redo *add_redo(struct bench *bench,
                             const struct wcache_config *config)
{
    struct redo_config redo = {
        .block_size_bytes = config->block_size_bytes,
        .block_count = config->block_count,
    };

    bench->meta = store_ram_new(redo_size(config->block_size_bytes));
    bench->meta_tear = tear_store_new(bench->meta);
    bench->redo = redo_new(&redo, tear_store_store(bench->meta_tear),
                           store_ram_store(bench->ram));
    redo_start(bench->redo, redo_started, NULL);
    store_ram_run(bench->meta);
    return bench->redo;
}

static struct store *no_wrap(struct bench *bench, void *opaque)
{
    (void)opaque;
    return tear_store_store(bench->ram_tear);
}

struct bench *bench_new(const struct wcache_config *config)
{
    return bench_new_wrapped(config, no_wrap, NULL);
}

struct bench *bench_new_wrapped(const struct wcache_config *user_config,
                                struct store *(*wrap)(struct bench *bench,
                                                      void *opaque),
                                void *opaque)
{
    struct bench *bench = g_new0(struct bench, 1);
    struct wcache_config with_redo = *user_config;
    const struct wcache_config *config = &with_redo;

    bench->ram = store_ram_new(config->block_count * config->block_size_bytes);
    bench->ram_tear = tear_store_new(bench->ram);
    if (config->atomicity.blocks > 1) {
        with_redo.redo = add_redo(bench, config);
    }
    bench->moments.clock_ns = bench_clock;
    bench->moments.opaque = bench;
    bench->cache = wcache_new(config, wrap(bench, opaque), &bench->moments);
    bench->jobs = g_ptr_array_new_with_free_func(job_free);
    bench->survivors = g_array_new(FALSE, FALSE,
                                   sizeof(struct wcache_survivor));
    return bench;
}

static void abandon(struct bench *bench)
{
    uint32_t i;

    for (i = 0; i < bench->jobs->len; i++) {
        struct job *job = bench->jobs->pdata[i];

        if (job->is_write && !job->is_completed) {
            job->is_completed = true;
            wcache_completed(bench->cache, &job->op, 0);
        }
    }
}

void bench_free(struct bench *bench)
{
    bench_settle(bench);
    wcache_freeze(bench->cache);
    abandon(bench);
    wcache_free(bench->cache);
    tear_store_free(bench->ram_tear);
    store_ram_free(bench->ram);
    if (bench->redo) {
        redo_free(bench->redo);
        tear_store_free(bench->meta_tear);
        store_ram_free(bench->meta);
    }
    g_ptr_array_free(bench->jobs, TRUE);
    g_array_free(bench->survivors, TRUE);
    g_free(bench);
}

static void job_done(struct wcache_op *op, int error)
{
    struct job *job = (struct job *)op;

    g_assert_false(job->is_done);
    job->is_done = true;
    job->error = error;
}

static struct job *job_new(struct bench *bench, uint64_t stamp)
{
    struct job *job = g_new0(struct job, 1);

    job->op.submitted_stamp = stamp;
    job->op.id = ++bench->id_last;
    job->op.done = job_done;
    g_ptr_array_add(bench->jobs, job);
    return job;
}

static struct job *job_now(struct bench *bench)
{
    return job_new(bench, moment_take(&bench->moments).stamp);
}

struct job *job_write(struct bench *bench, uint64_t slba, uint32_t count,
                      uint64_t tag, bool has_fua)
{
    return job_write_seen(bench, slba, count, tag, has_fua, NULL);
}

struct job *job_write_seen(struct bench *bench, uint64_t slba, uint32_t count,
                           uint64_t tag, bool has_fua,
                           void (*seen)(struct wcache_op *op))
{
    struct job *job = job_now(bench);

    job->op.seen = seen;
    job->is_write = true;
    job->tag = tag;
    job->op.slba = slba;
    job->op.block_count = count;
    job->op.has_fua = has_fua;
    job->op.data = g_malloc(count * BENCH_BLOCK);
    tag_fill(job->op.data, count * BENCH_BLOCK, tag);
    wcache_write(bench->cache, &job->op);
    return job;
}

struct job *job_zeroes(struct bench *bench, uint64_t slba, uint32_t count,
                       enum wcache_content content, bool has_fua)
{
    struct job *job = job_now(bench);

    job->is_write = true;
    job->op.slba = slba;
    job->op.block_count = count;
    job->op.has_fua = has_fua;
    job->op.content = content;
    wcache_write(bench->cache, &job->op);
    return job;
}

struct job *job_read(struct bench *bench, uint64_t slba, uint32_t count,
                     bool has_fua)
{
    struct job *job = job_now(bench);

    job->op.slba = slba;
    job->op.block_count = count;
    job->op.has_fua = has_fua;
    job->op.data = g_malloc0(count * BENCH_BLOCK);
    wcache_read(bench->cache, &job->op);
    return job;
}

struct job *job_flush_at(struct bench *bench, uint64_t stamp)
{
    struct job *job = job_new(bench, stamp);

    wcache_flush(bench->cache, &job->op);
    return job;
}

struct job *job_flush(struct bench *bench)
{
    return job_flush_at(bench, moment_take(&bench->moments).stamp);
}

struct job *job_settle(struct bench *bench)
{
    struct job *job = job_now(bench);

    wcache_settle(bench->cache, &job->op);
    return job;
}

struct job *job_switch(struct bench *bench, bool is_enabled)
{
    struct job *job = job_now(bench);

    wcache_set_enabled(bench->cache, is_enabled, &job->op);
    return job;
}

void job_complete(struct bench *bench, struct job *job)
{
    g_assert_true(job->is_done);
    g_assert_false(job->is_completed);
    job->is_completed = true;
    job->completed_stamp = moment_take(&bench->moments).stamp;
    if (job->is_write) {
        wcache_completed(bench->cache, &job->op, job->completed_stamp);
    }
}

uint64_t job_tag(const struct job *job, uint32_t index)
{
    g_assert_true(job->is_done);
    g_assert_cmpint(job->error, ==, 0);
    return tag_of((const uint8_t *)job->op.data + index * BENCH_BLOCK,
                  BENCH_BLOCK);
}

void bench_settle(struct bench *bench)
{
    do {
        store_ram_run(bench->ram);
        if (bench->meta) {
            store_ram_run(bench->meta);
        }
    } while (store_ram_waiting(bench->ram));
    g_assert_true(wcache_is_idle(bench->cache));
}

struct job *bench_write(struct bench *bench, uint64_t slba, uint32_t count,
                        uint64_t tag, bool has_fua)
{
    struct job *job = job_write(bench, slba, count, tag, has_fua);

    bench_settle(bench);
    g_assert_cmpint(job->error, ==, 0);
    job_complete(bench, job);
    return job;
}

void bench_flush(struct bench *bench)
{
    struct job *job = job_flush(bench);

    bench_settle(bench);
    g_assert_cmpint(job->error, ==, 0);
    job_complete(bench, job);
}

uint64_t bench_read(struct bench *bench, uint64_t block)
{
    struct job *job = job_read(bench, block, 1, false);

    bench_settle(bench);
    return job_tag(job, 0);
}

uint64_t bench_medium(const struct bench *bench, uint64_t block)
{
    return tag_of(store_ram_bytes(bench->ram) + block * BENCH_BLOCK,
                  BENCH_BLOCK);
}

static void report(void *opaque, const struct wcache_survivor *survivor)
{
    struct bench *bench = opaque;

    g_array_append_val(bench->survivors, *survivor);
}

static void cut_done(void *opaque, int error)
{
    g_assert_cmpint(error, ==, 0);
    *(bool *)opaque = true;
}

void bench_cut(struct bench *bench, enum powercut_policy policy, uint64_t seed)
{
    struct powercut cut = { .policy = policy, .seed = seed };
    bool is_over = false;

    g_array_set_size(bench->survivors, 0);
    wcache_freeze(bench->cache);
    bench_settle(bench);
    wcache_cut(bench->cache, &cut, report, bench, cut_done, &is_over);
    bench_settle(bench);
    g_assert_true(is_over);
    abandon(bench);
    g_assert_cmpuint(wcache_unpromised_bytes(bench->cache), ==, 0);
    g_assert_cmpuint(wcache_cached_bytes(bench->cache), ==, 0);
}
