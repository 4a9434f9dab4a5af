/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Draining: how data leaves the cache for the medium.
 *
 *      drain ──cursor──► extents in block order
 *                          │ newest layer that the rule covers
 *                          ▼
 *                 runs of neighbouring extents ──► store write
 *                          │ done
 *                          ▼
 *                 layers up to the written one are taken away
 *
 * Flush, FUA write, eviction, settling and switching the cache off are all
 * drains; they differ in range and rule only, and eviction ends early.
 *
 * Invariants
 *   - A block that the store is writing has a layer until the write is done,
 *     so a read never meets the medium in between.
 *   - No medium write overlaps another request at the store. Hence the medium
 *     never goes back: a layer that is still there when a drain reaches it is
 *     newer than everything the medium has.
 */
#include "wcache_impl.h"

/* Enough to keep a host busy; bounds the list that is searched per write. */
#define DRAIN_IN_FLIGHT_MAX 16
#define RUN_SEGMENTS_MAX 64
#define RUN_BYTES_MAX (1u << 20)

struct segment {
    uint64_t start;
    uint64_t count;
    struct pending *pending;
};

/*
 * One medium write: neighbouring extents of one kind in one request. Kept for
 * the next one when it is done: it is big, and only what is counted is filled.
 */
struct run {
    struct medium_io io;
    struct run *next_spare;
    struct drain *drain;
    uint32_t segment_count;
    struct segment segments[RUN_SEGMENTS_MAX];
    struct iovec iov[RUN_SEGMENTS_MAX];
};

bool drain_covers(const struct drain *drain, const struct pending *pending)
{
    switch (drain->rule) {
    case DRAIN_VISIBLE:
        return pending->seq <= drain->bound;
    case DRAIN_ONE:
        return pending->seq == drain->bound;
    default:
        return pending->completed_stamp &&
               pending->completed_stamp < drain->bound;
    }
}

static struct pending *newest_covered(const struct drain *drain,
                                      const struct extent *extent)
{
    struct layer *layer = extent->top;

    while (layer && !drain_covers(drain, layer->pending)) {
        layer = layer->older;
    }
    return layer ? layer->pending : NULL;
}

static bool ranges_overlap(const struct medium_io *io, uint64_t start,
                           uint64_t count)
{
    return io->start < start + count && start < io->start + io->count;
}

bool medium_is_busy(const struct wcache *cache, uint64_t start, uint64_t count)
{
    const struct medium_io *io;

    TAILQ_FOREACH(io, &cache->at_store, link) {
        if (ranges_overlap(io, start, count)) {
            return true;
        }
    }
    return false;
}

bool medium_is_writing(const struct wcache *cache, uint64_t start,
                       uint64_t count)
{
    const struct medium_io *io;

    TAILQ_FOREACH(io, &cache->at_store, link) {
        if (store_op_writes(io->req.op) &&
            ranges_overlap(io, start, count)) {
            return true;
        }
    }
    return false;
}

static void medium_done(struct store_req *req, int error)
{
    struct medium_io *io = (struct medium_io *)req;
    struct wcache *cache = io->cache;

    TAILQ_REMOVE(&cache->at_store, io, link);
    io->done(io, error);
    wcache_pump(cache);
}

void medium_submit(struct wcache *cache, struct medium_io *io)
{
    io->cache = cache;
    io->req.offset_bytes = io->start * cache->config.block_size_bytes;
    io->req.length_bytes = io->count * cache->config.block_size_bytes;
    io->req.done = medium_done;
    TAILQ_INSERT_TAIL(&cache->at_store, io, link);
    cache->store->submit(cache->store, &io->req);
}

static struct run *run_new(struct wcache *cache, struct drain *drain)
{
    struct run *run = cache->spare_runs;

    if (run) {
        cache->spare_runs = run->next_spare;
    } else {
        run = g_new(struct run, 1);
    }
    run->io = (struct medium_io) { 0 };
    run->drain = drain;
    run->segment_count = 0;
    return run;
}

static void run_spare(struct wcache *cache, struct run *run)
{
    run->next_spare = cache->spare_runs;
    cache->spare_runs = run;
}

void drain_free_spares(struct wcache *cache)
{
    while (cache->spare_runs) {
        struct run *run = cache->spare_runs;

        cache->spare_runs = run->next_spare;
        g_free(run);
    }
}

static void run_done(struct medium_io *io, int error)
{
    struct run *run = (struct run *)io;
    struct wcache *cache = io->cache;
    uint32_t i;

    for (i = 0; i < run->segment_count; i++) {
        struct segment *segment = &run->segments[i];

        if (!error) {
            segment->pending->medium_blocks += segment->count;
            layers_pop(&cache->layers, segment->start, segment->count,
                       segment->pending->seq);
        }
        pending_data_drop(cache, segment->pending);
    }
    run->drain->in_flight--;
    if (error) {
        run->drain->error = error;
    }
    run_spare(cache, run);
}

static void run_add(struct wcache *cache, struct run *run,
                    const struct extent *extent, struct pending *pending)
{
    uint32_t i = run->segment_count++;

    run->segments[i].start = extent->start;
    run->segments[i].count = extent->count;
    run->segments[i].pending = pending;
    pending->data_uses++;
    if (pending->op == STORE_WRITE) {
        run->iov[i].iov_base = layers_data(&cache->layers, extent, pending);
        run->iov[i].iov_len = extent->count * cache->config.block_size_bytes;
        run->io.req.iov_count++;
    }
    run->io.count += extent->count;
}

/* Extents from this one on that can go in one request; NULL: none, for now. */
static struct run *run_gather(struct wcache *cache, struct drain *drain,
                              struct extent *extent)
{
    uint64_t count_max = RUN_BYTES_MAX / cache->config.block_size_bytes;
    struct run *run = NULL;

    while (extent && extent->start < drain->end) {
        struct pending *pending = newest_covered(drain, extent);

        if (!pending || medium_is_busy(cache, extent->start, extent->count)) {
            break;
        }
        if (!run) {
            run = run_new(cache, drain);
            run->io.start = extent->start;
            run->io.req.op = pending->op;
            run->io.done = run_done;
        } else if (run->io.start + run->io.count != extent->start ||
                   run->io.req.op != pending->op ||
                   run->segment_count == RUN_SEGMENTS_MAX ||
                   run->io.count + extent->count > count_max) {
            break;
        }
        run_add(cache, run, extent, pending);
        extent = layers_after(&cache->layers, extent);
    }
    return run;
}

static void run_submit(struct wcache *cache, struct run *run)
{
    struct drain *drain = run->drain;

    run->io.req.has_fua = drain->has_fua;
    run->io.req.iov = run->iov;
    drain->in_flight++;
    drain->blocks_written += run->io.count;
    drain->cursor = run->io.start + run->io.count;
    drain->last_written = drain->cursor;
    medium_submit(cache, &run->io);
}

static void flush_done(struct medium_io *io, int error)
{
    struct drain *drain = io->owner;

    drain->in_flight--;
    if (error) {
        drain->error = error;
    }
    g_free(io);
}

static void flush_submit(struct wcache *cache, struct drain *drain)
{
    struct medium_io *io = g_new0(struct medium_io, 1);

    io->req.op = STORE_FLUSH;
    io->done = flush_done;
    io->owner = drain;
    drain->needs_flush = false;
    drain->in_flight++;
    medium_submit(cache, io);
}

/*
 * A FUA drain that found some of its data already on the medium cannot know
 * that it was written durably there.
 */
static void flush_if_evicted(struct drain *drain)
{
    if (drain->has_fua && drain->blocks_written < drain->end - drain->start) {
        drain->needs_flush = true;
    }
    drain->has_fua = false;
}

static bool is_at_quota(const struct drain *drain)
{
    return drain->quota_blocks && drain->blocks_written >= drain->quota_blocks;
}

/* Of this extent or those after it, the first with something to write. */
static struct extent *first_covered(struct wcache *cache,
                                    const struct drain *drain,
                                    struct extent *extent)
{
    while (extent && extent->start < drain->end &&
           !newest_covered(drain, extent)) {
        extent = layers_after(&cache->layers, extent);
    }
    return extent && extent->start < drain->end ? extent : NULL;
}

static void run_drain(struct wcache *cache, struct drain *drain)
{
    while (drain->cursor < drain->end && !drain->error &&
           drain->in_flight < DRAIN_IN_FLIGHT_MAX) {
        struct extent *extent =
            first_covered(cache, drain,
                          layers_from(&cache->layers, drain->cursor));
        struct run *run;

        if (!extent || is_at_quota(drain)) {
            drain->cursor = drain->end;
            break;
        }
        drain->cursor = extent->start;
        run = run_gather(cache, drain, extent);
        if (!run) {
            break;
        }
        run_submit(cache, run);
    }
}

/* Carry on as far as possible; true: it is over. */
static bool drain_step(struct wcache *cache, struct drain *drain)
{
    if (cache->config.redo) {
        piece_drain(cache, drain);
    } else {
        run_drain(cache, drain);
    }
    if (drain->in_flight) {
        return false;
    }
    if (drain->error) {
        return true;
    }
    if (drain->cursor < drain->end) {
        return false;
    }
    if (drain->awaits_writes &&
        medium_is_writing(cache, drain->start, drain->end - drain->start)) {
        return false;
    }
    flush_if_evicted(drain);
    if (drain->needs_flush) {
        flush_submit(cache, drain);
        return false;
    }
    return true;
}

/*
 * No extent may reach across the ends of the range. When splitting would cost
 * too much, the range grows instead: more than asked for gets to the medium.
 */
static void fit_range(struct wcache *cache, struct drain *drain)
{
    struct extent *first = layers_from(&cache->layers, drain->start);
    struct extent *last;

    if (wcache_has_layers_left(cache)) {
        layers_split(&cache->layers, drain->start);
        layers_split(&cache->layers, drain->end);
        return;
    }
    if (first && first->start < drain->start) {
        drain->start = first->start;
    }
    last = layers_from(&cache->layers, drain->end);
    if (last && last->start < drain->end) {
        drain->end = last->start + last->count;
    }
}

void drain_start(struct wcache *cache, struct drain *drain)
{
    drain->blocks_written = 0;
    drain->last_written = drain->start;
    drain->in_flight = 0;
    drain->error = 0;
    fit_range(cache, drain);
    drain->cursor = drain->start;
    TAILQ_INSERT_TAIL(&cache->drains, drain, link);
    wcache_pump(cache);
}

static void pump_drains(struct wcache *cache)
{
    struct drain *drain;
    struct drain *next;

    for (drain = TAILQ_FIRST(&cache->drains); drain; drain = next) {
        next = TAILQ_NEXT(drain, link);
        if (drain_step(cache, drain)) {
            TAILQ_REMOVE(&cache->drains, drain, link);
            TAILQ_INSERT_TAIL(&cache->drains_over, drain, link);
        }
    }
    while (!cache->is_frozen && (drain = TAILQ_FIRST(&cache->drains_over))) {
        TAILQ_REMOVE(&cache->drains_over, drain, link);
        drain->done(drain, drain->error);
        cache->must_pump_again = true;
    }
}

/* done() calls come back in here: the outermost call does all the work. */
void wcache_pump(struct wcache *cache)
{
    cache->must_pump_again = true;
    if (cache->is_pumping) {
        return;
    }
    cache->is_pumping = true;
    while (cache->must_pump_again && !cache->is_frozen) {
        cache->must_pump_again = false;
        pump_drains(cache);
        wcache_admit(cache);
    }
    cache->is_pumping = false;
}
