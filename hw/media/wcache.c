/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Volatile write cache: remembers writes that the medium does not have yet.
 *
 *      write ──► [ layers over the medium ] ──drain──► medium
 *      read  ──►   the newest layer wins, else the medium
 *      cut   ──►   powercut.c picks among the layers (wcache_cut.c)
 *
 * Invariant: the content of a block is its newest layer, or the medium if it
 * has none; what a power cut can leave in it is the medium, or any layer.
 *
 * Promises (numbered in docs/loss-model.md; tests cite the numbers)
 *   P1  When a flush is done, every write completed before the flush was
 *       submitted is on the medium.
 *   P2  When a FUA write is done, that write is on the medium. It says nothing
 *       about any other. A FUA read makes its range durable first.
 *   P3  While the cache is off, a write that is done is on the medium.
 *       Switching it off brings everything there first.
 *   P4  Without one of these a write may survive a cut, vanish, or
 *   P5  survive in part, block by block, if it is not atomic (atomicity.h).
 *   P6  Survivors lie over the medium in an order in which the writes could
 *       have happened; nothing is older than the newest promise.
 *   P7  Destaging because the cache is full changes no promise.
 *   P8  wcache_settle() brings everything to the medium.
 * A write that must be promised can rest between the two halves (op->seen): it
 * is then like any other write in flight. Reads see it, a flush passes it by,
 * eviction and settling take it along, a cut may keep or drop it.
 */
#include "wcache.h"

#include "wcache_impl.h"

/* Records of destaged, unpromised writes that are kept apart, then merged. */
#define GHOSTS_MAX 4096
/* Evict a little more than asked for, so that full is not every write. */
#define EVICT_SHARE 8
/* What zeroes cost of the cache: they take no memory, but a cut looks at each
 * block, and the bound of that is the size of the cache. */
#define ZEROES_SHARE 256

/* -- Pending writes ------------------------------------------------------- */

void pending_unref(struct pending *pending)
{
    if (--pending->refs == 0) {
        g_free(pending->data);
        g_free(pending);
    }
}

static void unpromised_unlist(struct wcache *cache, struct pending *pending)
{
    TAILQ_REMOVE(&cache->unpromised, pending, by_completion);
    pending->is_unpromised_listed = false;
    cache->unpromised_bytes -= pending->counted_bytes;
    if (pending_is_ghost(pending)) {
        cache->ghosts--;
    }
    pending_unref(pending);
}

static void unpromised_list(struct wcache *cache, struct pending *pending)
{
    TAILQ_INSERT_TAIL(&cache->unpromised, pending, by_completion);
    pending->is_unpromised_listed = true;
    pending->refs++;
    cache->unpromised_bytes += pending->counted_bytes;
    if (pending_is_ghost(pending)) {
        cache->ghosts++;
    }
}

/*
 * A guest that never flushes must not cost a record per write for ever: past
 * GHOSTS_MAX neighbours in completion order become one, as old as the later.
 */
static void ghost_merge(struct wcache *cache, struct pending *ghost)
{
    struct pending *before = TAILQ_PREV(ghost, pending_list, by_completion);

    if (cache->ghosts <= GHOSTS_MAX || !before ||
        !pending_is_ghost(before)) {
        return;
    }
    ghost->counted_bytes += before->counted_bytes;
    ghost->seq = MAX(ghost->seq, before->seq);
    cache->unpromised_bytes += before->counted_bytes;
    unpromised_unlist(cache, before);
}

/* The last layer is gone and no request at the store uses the bytes. */
static void data_released(void *opaque, struct pending *pending)
{
    struct wcache *cache = opaque;

    TAILQ_REMOVE(&cache->by_age, pending, by_age);
    cache->cached_bytes -= pending->cached_bytes;
    g_free(pending->data);
    pending->data = NULL;
    if (pending->is_unpromised_listed) {
        cache->ghosts++;
        ghost_merge(cache, pending);
    }
    pending_unref(pending);
}

void pending_data_drop(struct wcache *cache, struct pending *pending)
{
    if (--pending->data_uses == 0) {
        data_released(cache, pending);
    }
}

static void promise(struct wcache *cache, struct pending *pending)
{
    pending->is_promised = true;
    if (pending->is_unpromised_listed) {
        unpromised_unlist(cache, pending);
    }
}

/* P1: what a flush submitted at this stamp covers. */
static void promise_completed_before(struct wcache *cache, uint64_t stamp)
{
    struct pending *pending;

    while ((pending = TAILQ_FIRST(&cache->unpromised)) &&
           pending->completed_stamp < stamp) {
        promise(cache, pending);
    }
}

/* What a drain of everything visible up to this sequence number covers. */
static void promise_visible_upto(struct wcache *cache, uint64_t seq)
{
    struct pending *pending;
    struct pending *next;

    for (pending = TAILQ_FIRST(&cache->unpromised); pending; pending = next) {
        next = TAILQ_NEXT(pending, by_completion);
        if (pending->seq <= seq) {
            promise(cache, pending);
        }
    }
}

/* -- Operations that drain ------------------------------------------------ */

static struct drain *op_drain(struct wcache_op *op, enum drain_rule rule,
                              uint64_t bound,
                              void (*done)(struct drain *drain, int error))
{
    struct drain *drain = g_new0(struct drain, 1);

    drain->rule = rule;
    drain->bound = bound;
    drain->end = op->cache->config.block_count;
    drain->done = done;
    drain->opaque = op;
    return drain;
}

static struct wcache_op *drain_finish(struct drain *drain)
{
    struct wcache_op *op = drain->opaque;

    g_free(drain);
    return op;
}

/* -- Writing -------------------------------------------------------------- */

static bool is_fua_honoured(const struct wcache *cache,
                            const struct wcache_op *op)
{
    return op->has_fua && cache->config.lie != WCACHE_FUA_LOST;
}

/* Bytes of the cache that a write takes. */
static uint64_t op_cost(const struct wcache *cache, const struct wcache_op *op)
{
    uint64_t block_size = cache->config.block_size_bytes;
    uint64_t size = op->block_count * block_size;

    return op->content == WCACHE_DATA ? size
                                      : MAX(size / ZEROES_SHARE, block_size);
}

static struct pending *pending_new(struct wcache *cache, struct wcache_op *op)
{
    static const enum store_op ops[] = {
        [WCACHE_DATA] = STORE_WRITE,
        [WCACHE_ZEROES] = STORE_ZEROES,
        [WCACHE_DEALLOCATED] = STORE_DEALLOCATE,
    };
    struct pending *pending = g_new0(struct pending, 1);

    pending->slba = op->slba;
    pending->block_count = op->block_count;
    pending->size_bytes =
        (uint64_t)op->block_count * cache->config.block_size_bytes;
    pending->cached_bytes = op_cost(cache, op);
    pending->op = ops[op->content];
    pending->data = op->data;
    pending->id = op->id;
    pending->part = op->part;
    pending->seq = ++cache->seq_last;
    pending->submitted_stamp = op->submitted_stamp;
    pending->visible_stamp = op->visible.stamp;
    pending->refs = 2;          /* the operation, and the data */
    TAILQ_INSERT_TAIL(&cache->in_flight, pending, by_completion);
    TAILQ_INSERT_TAIL(&cache->by_age, pending, by_age);
    cache->cached_bytes += pending->cached_bytes;
    return pending;
}

static void write_failed(struct wcache_op *op, int error)
{
    wcache_completed(op->cache, op, 0);
    op->done(op, error);
}

static void write_durable(struct drain *drain, int error)
{
    struct wcache_op *op = drain_finish(drain);

    if (error) {
        write_failed(op, error);
        return;
    }
    promise(op->cache, op->pending);
    if (op->has_fua && op->cache->config.lie == WCACHE_FUA_BARRIER) {
        promise_completed_before(op->cache, op->submitted_stamp);
    }
    op->done(op, 0);
}

void wcache_harden(struct wcache *cache, struct wcache_op *op)
{
    struct drain *drain = op_drain(op, DRAIN_VISIBLE, op->pending->seq,
                                   write_durable);

    drain->has_fua = true;
    if (!op->has_fua || cache->config.lie != WCACHE_FUA_BARRIER) {
        drain->rule = DRAIN_ONE;
        drain->start = op->slba;
        drain->end = op->slba + op->block_count;
    }
    drain_start(cache, drain);
}

static void write_now(struct wcache *cache, struct wcache_op *op)
{
    op->visible = moment_take(cache->moments);
    op->pending = pending_new(cache, op);
    op->data = NULL;
    layers_push(&cache->layers, op->pending);
    if (cache->is_enabled && !is_fua_honoured(cache, op)) {
        op->done(op, 0);
    } else if (op->seen) {
        op->seen(op);
    } else {
        wcache_harden(cache, op);
    }
}

bool wcache_has_layers_left(const struct wcache *cache)
{
    return cache->layers.count <=
           cache->config.limit_bytes / cache->config.block_size_bytes;
}

static bool has_room(const struct wcache *cache, const struct wcache_op *op)
{
    return !cache->cached_bytes ||
           (cache->cached_bytes + op_cost(cache, op) <=
                cache->config.limit_bytes &&
            wcache_has_layers_left(cache));
}

static void evict_done(struct drain *drain, int error)
{
    struct wcache *cache = drain->opaque;
    struct wcache_op *op = cache->waiting_head;

    cache->is_evicting = false;
    cache->evict_from = drain->last_written;
    cache->destaged_bytes +=
        drain->blocks_written * cache->config.block_size_bytes;
    if (!error || !op) {
        return;
    }
    /* Room cannot be made: the write that waits longest is told. */
    cache->waiting_head = op->next;
    if (!op->next) {
        cache->waiting_tail = &cache->waiting_head;
    }
    g_free(op->data);
    op->data = NULL;
    op->done(op, error);
}

/* The youngest of the oldest writes whose sizes add up to what is wanted. */
static uint64_t evict_bound(const struct wcache *cache, uint64_t wanted)
{
    const struct pending *pending;
    uint64_t bound = 0;
    uint64_t sum = 0;

    TAILQ_FOREACH(pending, &cache->by_age, by_age) {
        bound = pending->seq;
        sum += pending->cached_bytes;
        if (sum >= wanted) {
            break;
        }
    }
    return bound;
}

/* Where the sweep goes on: at the first extent after the last one, or again. */
static uint64_t evict_start_block(struct wcache *cache)
{
    struct extent *extent = layers_from(&cache->layers, cache->evict_from);

    return extent ? extent->start : 0;
}

/*
 * What goes first promises nothing (P7), so it is chosen by cost: a sweep over
 * the medium, of whatever is on top, because neighbours go in one request and a
 * stack in one layer. Piece by piece nothing is to be gained: the oldest.
 */
static void evict_start(struct wcache *cache)
{
    uint64_t wanted = cache->config.limit_bytes / EVICT_SHARE +
                      op_cost(cache, cache->waiting_head);

    cache->evict = (struct drain) {
        .rule = DRAIN_VISIBLE, .end = cache->config.block_count,
        .done = evict_done, .opaque = cache,
    };
    if (cache->config.redo) {
        cache->evict.bound = evict_bound(cache, wanted);
    } else {
        cache->evict.bound = UINT64_MAX;
        cache->evict.start = evict_start_block(cache);
        cache->evict.quota_blocks = wanted / cache->config.block_size_bytes;
    }
    cache->is_evicting = true;
    drain_start(cache, &cache->evict);
}

void wcache_admit(struct wcache *cache)
{
    struct wcache_op *op;

    while (!cache->is_frozen && (op = cache->waiting_head) &&
           has_room(cache, op)) {
        cache->waiting_head = op->next;
        if (!op->next) {
            cache->waiting_tail = &cache->waiting_head;
        }
        write_now(cache, op);
    }
    if (!cache->is_frozen && cache->waiting_head && !cache->is_evicting) {
        evict_start(cache);
    }
}

void wcache_write(struct wcache *cache, struct wcache_op *op)
{
    op->cache = cache;
    op->next = NULL;
    op->pending = NULL;
    op->visible = (struct moment) { 0 };
    *cache->waiting_tail = op;
    cache->waiting_tail = &op->next;
    wcache_pump(cache);
}

bool wcache_withdraw(struct wcache *cache, struct wcache_op *op)
{
    struct wcache_op **link = &cache->waiting_head;

    while (*link && *link != op) {
        link = &(*link)->next;
    }
    if (!*link) {
        return false;
    }
    *link = op->next;
    if (!op->next) {
        cache->waiting_tail = link;
    }
    g_free(op->data);
    op->data = NULL;
    return true;
}

void wcache_completed(struct wcache *cache, struct wcache_op *op,
                      uint64_t stamp)
{
    struct pending *pending = op->pending;

    op->pending = NULL;
    if (!pending) {
        return;
    }
    TAILQ_REMOVE(&cache->in_flight, pending, by_completion);
    if (pending->seq <= cache->settled_seq) {
        pending->is_promised = true;    /* P3, P8: settled before that */
    }
    /*
     * Never answered: nothing to promise and nothing to count, but it can
     * outlive a cut, and a later flush takes it along.
     */
    pending->completed_stamp =
        stamp ? stamp : moment_take(cache->moments).stamp;
    pending->counted_bytes = stamp ? pending->size_bytes : 0;
    if (!pending->is_promised && !pending->is_forgotten) {
        unpromised_list(cache, pending);
    }
    pending_unref(pending);
}

bool wcache_is_promised(const struct wcache_op *op)
{
    return op->pending && op->pending->is_promised;
}

/* -- Flushing ------------------------------------------------------------- */

static void flushed(struct drain *drain, int error)
{
    uint64_t bound = drain->bound;
    struct wcache_op *op = drain_finish(drain);

    if (!error) {
        promise_completed_before(op->cache, bound);
    }
    op->done(op, error);
}

void wcache_flush(struct wcache *cache, struct wcache_op *op)
{
    uint64_t bound = op->submitted_stamp;
    struct drain *drain;

    op->cache = cache;
    if (cache->config.lie == WCACHE_FLUSH_LOST) {
        op->done(op, 0);
        return;
    }
    if (cache->config.lie == WCACHE_FLUSH_EARLY) {
        bound = cache->flush_early_bound;
        cache->flush_early_bound = op->submitted_stamp;
    }
    drain = op_drain(op, DRAIN_COMPLETED, bound, flushed);
    drain->needs_flush = true;
    drain_start(cache, drain);
}

static void settled(struct drain *drain, int error)
{
    uint64_t bound = drain->bound;
    struct wcache_op *op = drain_finish(drain);

    if (!error) {
        op->cache->settled_seq = MAX(op->cache->settled_seq, bound);
        promise_visible_upto(op->cache, bound);
    }
    op->done(op, error);
}

void wcache_settle(struct wcache *cache, struct wcache_op *op)
{
    struct drain *drain;

    op->cache = cache;
    drain = op_drain(op, DRAIN_VISIBLE, cache->seq_last, settled);
    drain->needs_flush = true;
    drain_start(cache, drain);
}

void wcache_set_enabled(struct wcache *cache, bool is_enabled,
                        struct wcache_op *op)
{
    cache->is_enabled = is_enabled;
    if (is_enabled) {
        op->cache = cache;
        op->done(op, 0);
        return;
    }
    wcache_settle(cache, op);
}

/* -- Reading -------------------------------------------------------------- */

struct hole {
    struct medium_io io;
    struct iovec iov;
};

static void read_part_done(struct wcache_op *op)
{
    if (--op->parts_left == 0 && !op->cache->is_frozen) {
        op->done(op, op->error);
    }
}

static void hole_done(struct medium_io *io, int error)
{
    struct wcache_op *op = io->owner;

    if (error) {
        op->error = error;
    }
    g_free(io);
    read_part_done(op);
}

static void hole_read(struct wcache *cache, struct wcache_op *op,
                      uint64_t start, uint64_t count)
{
    struct hole *hole = g_new0(struct hole, 1);
    uint32_t block_size = cache->config.block_size_bytes;

    hole->iov.iov_base =
        (uint8_t *)op->data + (start - op->slba) * block_size;
    hole->iov.iov_len = count * block_size;
    hole->io.start = start;
    hole->io.count = count;
    hole->io.req.op = STORE_READ;
    hole->io.req.iov = &hole->iov;
    hole->io.req.iov_count = 1;
    hole->io.done = hole_done;
    hole->io.owner = op;
    op->parts_left++;
    medium_submit(cache, &hole->io);
}

/* From nowhere come zeroes. */
static void copy_blocks(uint8_t *to, const uint8_t *from, uint64_t bytes)
{
    if (from) {
        memcpy(to, from, bytes);
    } else {
        memset(to, 0, bytes);
    }
}

/*
 * What is cached is copied now; what is not cannot be under way to the medium
 * (drain.c), and nothing will be written there before the hole is read.
 */
static void read_now(struct wcache *cache, struct wcache_op *op)
{
    uint32_t block_size = cache->config.block_size_bytes;
    uint64_t at = op->slba;
    uint64_t end = at + op->block_count;
    struct extent *extent = layers_from(&cache->layers, at);

    op->parts_left = 1;
    while (at < end) {
        uint64_t stop;

        if (!extent || extent->start > at) {
            stop = extent && extent->start < end ? extent->start : end;
            hole_read(cache, op, at, stop - at);
        } else {
            uint8_t *from = layers_data(&cache->layers, extent,
                                        extent->top->pending);

            stop = MIN(extent->start + extent->count, end);
            copy_blocks((uint8_t *)op->data + (at - op->slba) * block_size,
                        from ? from + (at - extent->start) * block_size : NULL,
                        (stop - at) * block_size);
            extent = layers_after(&cache->layers, extent);
        }
        at = stop;
    }
    read_part_done(op);
}

/* Has the medium, in this range, some of a write and lacks the rest? */
static bool is_half_destaged(struct wcache *cache, const struct wcache_op *op)
{
    uint64_t end = op->slba + op->block_count;
    struct extent *extent;
    struct layer *layer;

    for (extent = layers_from(&cache->layers, op->slba);
         extent && extent->start < end;
         extent = layers_after(&cache->layers, extent)) {
        for (layer = extent->top; layer; layer = layer->older) {
            if (layer->pending->medium_blocks) {
                return true;
            }
        }
    }
    return false;
}

static void read_durable(struct wcache *cache, struct wcache_op *op);

static void read_drained(struct drain *drain, int error)
{
    struct wcache_op *op = drain_finish(drain);
    struct wcache *cache = op->cache;

    if (error) {
        op->done(op, error);
        return;
    }
    /* A write that came meanwhile is on its way: let it arrive, and whole. */
    if (medium_is_writing(cache, op->slba, op->block_count) ||
        is_half_destaged(cache, op)) {
        read_durable(cache, op);
        return;
    }
    op->parts_left = 1;
    hole_read(cache, op, op->slba, op->block_count);
    read_part_done(op);
}

static void read_durable(struct wcache *cache, struct wcache_op *op)
{
    struct drain *drain = op_drain(op, DRAIN_VISIBLE, cache->seq_last,
                                   read_drained);

    drain->start = op->slba;
    drain->end = op->slba + op->block_count;
    drain->has_fua = true;
    drain->awaits_writes = true;
    drain_start(cache, drain);
}

void wcache_read(struct wcache *cache, struct wcache_op *op)
{
    op->cache = cache;
    op->error = 0;
    if (is_fua_honoured(cache, op)) {
        read_durable(cache, op);
    } else {
        read_now(cache, op);
    }
}

/* -- Life ----------------------------------------------------------------- */

struct wcache *wcache_new(const struct wcache_config *config,
                          struct store *store, struct moments *moments)
{
    struct wcache *cache = g_new0(struct wcache, 1);

    cache->config = *config;
    cache->store = store;
    cache->moments = moments;
    cache->is_enabled = config->is_enabled;
    cache->waiting_tail = &cache->waiting_head;
    TAILQ_INIT(&cache->by_age);
    TAILQ_INIT(&cache->in_flight);
    TAILQ_INIT(&cache->unpromised);
    TAILQ_INIT(&cache->at_store);
    TAILQ_INIT(&cache->drains);
    TAILQ_INIT(&cache->drains_over);
    layers_init(&cache->layers, config->block_size_bytes, data_released,
                cache);
    return cache;
}

void wcache_free(struct wcache *cache)
{
    g_assert(wcache_is_idle(cache));
    wcache_freeze(cache);
    wcache_forget_drains(cache);
    layers_clear(&cache->layers);
    promise_visible_upto(cache, UINT64_MAX);
    drain_free_spares(cache);
    g_free(cache);
}

bool wcache_is_enabled(const struct wcache *cache)
{
    return cache->is_enabled;
}

bool wcache_is_idle(const struct wcache *cache)
{
    return TAILQ_EMPTY(&cache->at_store);
}

uint64_t wcache_unpromised_bytes(const struct wcache *cache)
{
    return cache->unpromised_bytes;
}

uint64_t wcache_cached_bytes(const struct wcache *cache)
{
    return cache->cached_bytes;
}

uint64_t wcache_destaged_bytes(const struct wcache *cache)
{
    return cache->destaged_bytes;
}
