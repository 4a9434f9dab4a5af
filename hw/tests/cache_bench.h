/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A write cache over a medium in memory, without a controller: the test hands
 * out the stamps that a doorbell and a posted CQE would take.
 *
 *      job_write()/job_flush()/…   submitted now
 *      bench_settle()              the medium carries everything out
 *      job_complete()              the CQE is posted now
 *
 * Blocks are BENCH_BLOCK bytes and hold one tag each (driver.h).
 */
#ifndef LAB_CACHE_BENCH_H
#define LAB_CACHE_BENCH_H

#include <glib.h>

#include "redo.h"
#include "store_ram.h"
#include "tear_store.h"
#include "wcache.h"

#define BENCH_BLOCK 512u
#define BENCH_BLOCKS 64u

struct bench {
    struct store_ram *ram;
    struct store_ram *meta;     /* NULL without a redo record */
    struct redo *redo;
    struct tear_store *ram_tear;
    struct tear_store *meta_tear;
    struct wcache *cache;
    struct moments moments;
    uint64_t time_ns;
    uint64_t id_last;
    GPtrArray *jobs;            /* every job, freed with the bench */
    GArray *survivors;          /* struct wcache_survivor, of the last cut */
};

struct job {
    struct wcache_op op;
    bool is_write;
    bool is_done;
    bool is_completed;
    int error;
    uint64_t tag;
    uint64_t completed_stamp;
};

struct wcache_config bench_config(void);
/* A limit above one block gets its redo record. */
struct bench *bench_new(const struct wcache_config *config);
/* The cache sees what wrap() puts in front of ram_tear. */
struct bench *bench_new_wrapped(const struct wcache_config *config,
                                struct store *(*wrap)(struct bench *bench,
                                                      void *opaque),
                                void *opaque);
/* Carries out what waits; unanswered jobs are completed with stamp 0. */
void bench_free(struct bench *bench);

struct job *job_write(struct bench *bench, uint64_t slba, uint32_t count,
                      uint64_t tag, bool has_fua);
/* One that rests when it must be promised (wcache_op.seen). */
struct job *job_write_seen(struct bench *bench, uint64_t slba, uint32_t count,
                           uint64_t tag, bool has_fua,
                           void (*seen)(struct wcache_op *op));
/* Their tag is 0. */
struct job *job_zeroes(struct bench *bench, uint64_t slba, uint32_t count,
                       enum wcache_content content, bool has_fua);
struct job *job_read(struct bench *bench, uint64_t slba, uint32_t count,
                     bool has_fua);
struct job *job_flush(struct bench *bench);
/* A flush whose doorbell was rung at this stamp. */
struct job *job_flush_at(struct bench *bench, uint64_t stamp);
struct job *job_settle(struct bench *bench);
struct job *job_switch(struct bench *bench, bool is_enabled);
/* Post the CQE; the job must be done. */
void job_complete(struct bench *bench, struct job *job);
/* The tag of block number index of a read that is done. */
uint64_t job_tag(const struct job *job, uint32_t index);

void bench_settle(struct bench *bench);
/* Submit, settle, complete; error must be 0. */
struct job *bench_write(struct bench *bench, uint64_t slba, uint32_t count,
                        uint64_t tag, bool has_fua);
void bench_flush(struct bench *bench);
uint64_t bench_read(struct bench *bench, uint64_t block);
/* What the medium has now. */
uint64_t bench_medium(const struct bench *bench, uint64_t block);
/* Freeze, let the medium finish, cut. Jobs that were not done never will be. */
void bench_cut(struct bench *bench, enum powercut_policy policy, uint64_t seed);

#endif
