/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The volatile write cache in front of a store: the disk that can forget.
 *
 * Addresses are blocks; durations of life are stamps (util/moment.h). The
 * model, its invariant and its promises stand at the top of wcache.c.
 */
#ifndef LAB_WCACHE_H
#define LAB_WCACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "atomicity.h"
#include "moment.h"
#include "powercut.h"
#include "redo.h"
#include "store.h"

struct wcache;
struct pending;

enum wcache_lie {
    WCACHE_HONEST,
    WCACHE_FLUSH_LOST,          /* flush does nothing */
    WCACHE_FLUSH_EARLY,         /* flush does the work of the one before */
    WCACHE_FUA_LOST,            /* FUA is ignored on writes */
    WCACHE_FUA_BARRIER,         /* FUA makes older writes durable, too */
};

/* What a write brings. */
enum wcache_content {
    WCACHE_DATA,
    WCACHE_ZEROES,              /* takes no memory for its blocks */
    WCACHE_DEALLOCATED,         /* zeroes, and the medium may give up space */
};

struct wcache_config {
    uint32_t medium;            /* names the medium in survivor choices */
    uint32_t block_size_bytes;
    uint64_t block_count;
    uint64_t limit_bytes;       /* of data kept in memory */
    bool is_enabled;
    struct atomicity atomicity;
    struct redo *redo;          /* needed above one block; started */
    enum wcache_lie lie;
};

/*
 * One operation. Embedded by the caller, who fills the first part and keeps it
 * alive until done(). done() may be called before the function returns; error
 * is 0 or -errno. After wcache_freeze() no done() is called any more, but the
 * store may still fill op->data until the cache is idle.
 */
struct wcache_op {
    uint64_t slba;
    uint32_t block_count;
    bool has_fua;
    enum wcache_content content; /* writes */
    uint64_t id;                /* writes: their name in survivor choices */
    uint32_t part;              /* of several with the same name */
    uint64_t submitted_stamp;
    void *data;                 /* read: filled; write: the cache's, g_free;
                                   zeroes: NULL */
    void (*done)(struct wcache_op *op, int error);
    /*
     * Writes that are promised before done(): the data is visible and nothing
     * has been done for the promise. wcache_harden() goes on; if it is never
     * called, wcache_completed(op, 0) ends the write. NULL: goes on by itself.
     */
    void (*seen)(struct wcache_op *op);

    /* Filled by the cache. */
    struct moment visible;      /* writes: others can read the data from here */
    struct pending *pending;    /* writes: until wcache_completed */
    struct wcache *cache;
    uint32_t parts_left;        /* reads: medium reads under way */
    int error;
    struct wcache_op *next;     /* waiting for room */
};

struct wcache *wcache_new(const struct wcache_config *config,
                          struct store *store, struct moments *moments);
/* wcache_is_idle() must hold. */
void wcache_free(struct wcache *cache);

void wcache_read(struct wcache *cache, struct wcache_op *op);
void wcache_write(struct wcache *cache, struct wcache_op *op);
/* Once, from inside op->seen() or after it. */
void wcache_harden(struct wcache *cache, struct wcache_op *op);
void wcache_flush(struct wcache *cache, struct wcache_op *op);
/* Everything written so far becomes durable, whatever the lie (P8). */
void wcache_settle(struct wcache *cache, struct wcache_op *op);
/* Switching off settles first; done() when that is so (P3). */
void wcache_set_enabled(struct wcache *cache, bool is_enabled,
                        struct wcache_op *op);
bool wcache_is_enabled(const struct wcache *cache);

/*
 * The write's completion has been posted at stamp, or never will be
 * (stamp 0). To be called once for every write whose done() said 0 or whose
 * done() a freeze has taken away.
 */
void wcache_completed(struct wcache *cache, struct wcache_op *op,
                      uint64_t stamp);
/*
 * True: the write was still waiting for room and is forgotten; its done() will
 * not come.
 */
bool wcache_withdraw(struct wcache *cache, struct wcache_op *op);
/* Is the write of this op, after done(), promised? */
bool wcache_is_promised(const struct wcache_op *op);

/* Nothing is at the store. */
bool wcache_is_idle(const struct wcache *cache);
uint64_t wcache_unpromised_bytes(const struct wcache *cache);
uint64_t wcache_cached_bytes(const struct wcache *cache);
uint64_t wcache_destaged_bytes(const struct wcache *cache);

/* What became of one unpromised write at the cut. */
struct wcache_survivor {
    uint64_t id;
    uint64_t slba;
    uint32_t block_count;
    uint32_t blocks_kept;
    enum powercut_outcome outcome;
};

typedef void wcache_survivor_fn(void *opaque, const struct wcache_survivor *);

/* From here on nothing new goes to the store and no operation is done. */
void wcache_freeze(struct wcache *cache);
/*
 * Needs a frozen, idle cache. Reports each unpromised write, writes the
 * survivors to the store, forgets everything else, thaws, then calls done()
 * with 0 or the store's -errno.
 */
void wcache_cut(struct wcache *cache, const struct powercut *cut,
                wcache_survivor_fn *report, void *report_opaque,
                void (*done)(void *opaque, int error), void *opaque);

#endif
