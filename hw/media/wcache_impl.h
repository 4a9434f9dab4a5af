/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of the write cache share: wcache.c, drain.c, wcache_cut.c. */
#ifndef LAB_WCACHE_IMPL_H
#define LAB_WCACHE_IMPL_H

#include "layers.h"
#include "wcache.h"

/*
 * A drain: bring the pending writes that its rule covers to the medium, then
 * say done. Owned by whoever started it, who frees it in done().
 */
enum drain_rule {
    DRAIN_VISIBLE,              /* became visible up to this sequence number */
    DRAIN_COMPLETED,            /* completed before this stamp (P1) */
    DRAIN_ONE,                  /* has this sequence number (P2) */
};

struct drain {
    TAILQ_ENTRY(drain) link;
    enum drain_rule rule;
    uint64_t bound;
    uint64_t start;             /* blocks, [start, end) */
    uint64_t end;
    uint64_t quota_blocks;      /* enough when so many are written; 0: all */
    bool has_fua;               /* each medium write is durable by itself */
    bool needs_flush;           /* end with a flush of the store */
    bool awaits_writes;         /* end when no write to the range is at work */
    void (*done)(struct drain *drain, int error);
    void *opaque;

    uint64_t cursor;            /* everything before it is dealt with */
    uint64_t blocks_written;
    uint64_t last_written;      /* the end of the last run */
    uint32_t in_flight;
    int error;
};

TAILQ_HEAD(drain_list, drain);

/* A request at the store, and the blocks it keeps others away from. */
struct medium_io {
    struct store_req req;
    TAILQ_ENTRY(medium_io) link;
    struct wcache *cache;
    uint64_t start;
    uint64_t count;
    void (*done)(struct medium_io *io, int error);
    void *owner;
};

TAILQ_HEAD(medium_io_list, medium_io);

struct wcache {
    struct wcache_config config;
    struct store *store;
    struct moments *moments;
    struct layers layers;
    uint64_t seq_last;
    uint64_t settled_seq;               /* all up to here is durable */
    bool is_enabled;
    bool is_frozen;

    struct pending_list by_age;         /* pending writes with data */
    struct pending_list in_flight;      /* visible, not completed */
    struct pending_list unpromised;     /* completed, by completion */
    uint32_t ghosts;                    /* of these, without data */
    uint64_t unpromised_bytes;
    uint64_t cached_bytes;
    uint64_t destaged_bytes;

    struct medium_io_list at_store;
    struct run *spare_runs;             /* drain.c */
    bool has_piece;                     /* pieces.c: one at a time */
    struct drain_list drains;
    struct drain_list drains_over;
    bool is_pumping;
    bool must_pump_again;

    struct wcache_op *waiting_head;     /* writes that wait for room */
    struct wcache_op **waiting_tail;
    struct drain evict;
    uint64_t evict_from;                /* block: the next sweep starts here */
    bool is_evicting;

    uint64_t flush_early_bound;         /* WCACHE_FLUSH_EARLY */
};

/* wcache.c */
void pending_unref(struct pending *pending);
void pending_data_drop(struct wcache *cache, struct pending *pending);
void wcache_admit(struct wcache *cache);
/* Stacks may still be split at will. */
bool wcache_has_layers_left(const struct wcache *cache);

/* wcache_cut.c */
void wcache_forget_drains(struct wcache *cache);

/* drain.c */
void drain_start(struct wcache *cache, struct drain *drain);
void drain_free_spares(struct wcache *cache);
void medium_submit(struct wcache *cache, struct medium_io *io);
/* Does a write at the store touch the range? */
bool medium_is_writing(const struct wcache *cache, uint64_t start,
                       uint64_t count);
bool medium_is_busy(const struct wcache *cache, uint64_t start, uint64_t count);
bool drain_covers(const struct drain *drain, const struct pending *pending);
/* Carry on whatever can go on. */
void wcache_pump(struct wcache *cache);

/* pieces.c: with a redo record, write by write instead of run by run. */
void piece_drain(struct wcache *cache, struct drain *drain);
typedef bool piece_filter(void *opaque, uint64_t block);
/* The blocks of the write that it has a layer for, and that pass. */
void piece_write(struct wcache *cache, struct pending *pending,
                 piece_filter *passes, void (*done)(void *opaque, int error),
                 void *opaque);

#endif
