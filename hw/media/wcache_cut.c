/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The cut of a write cache: freeze, choose, write the survivors, forget.
 *
 *      freeze ──► what the store already has finishes ──► choose per write
 *             ──► per block: the surviving layer with the latest effect
 *             ──► survivors on the medium ──► an empty cache
 *
 * Nothing here looks at time or chance: the result follows from the policy,
 * the seed and the writes' own numbers and stamps (powercut.h).
 */
#include "wcache_impl.h"

struct cut {
    struct wcache *cache;
    struct powercut powercut;
    uint64_t stamp;
    uint32_t in_flight;
    GArray *chosen;             /* with a redo record: struct chosen */
    uint32_t next;
    int error;
    void (*done)(void *opaque, int error);
    void *opaque;
};

/* One surviving range of one write, on its way to the medium. */
struct survivor {
    struct medium_io io;
    struct iovec iov;
};

static struct powercut_write describe(const struct cut *cut,
                                      const struct pending *pending)
{
    struct powercut_write write = {
        .medium = cut->cache->config.medium,
        .id = pending->id,
        .part = pending->part,
        .block_count = pending->block_count,
        .is_atomic = atomicity_covers(&cut->cache->config.atomicity,
                                      pending->slba, pending->block_count),
        .first_stamp = pending->submitted_stamp,
        .last_stamp = pending->completed_stamp ? pending->completed_stamp
                                               : cut->stamp,
        .visible_stamp = pending->visible_stamp,
    };

    return write;
}

/* Whose data the block has after the cut; NULL: what the medium has. */
static struct pending *winner_at(const struct cut *cut,
                                 const struct extent *extent, uint64_t block)
{
    struct pending *winner = NULL;
    uint64_t winner_effect = 0;
    struct layer *layer;

    for (layer = extent->top; layer; layer = layer->older) {
        struct pending *pending = layer->pending;
        struct powercut_write write = describe(cut, pending);
        uint64_t effect = powercut_effect(&cut->powercut, &write);

        if (winner && effect <= winner_effect) {
            continue;
        }
        if (powercut_keeps(&cut->powercut, &write, block - pending->slba)) {
            winner = pending;
            winner_effect = effect;
        }
    }
    return winner;
}

static void cut_finish(struct cut *cut)
{
    struct wcache *cache = cut->cache;
    void (*done)(void *opaque, int error) = cut->done;
    void *opaque = cut->opaque;
    int error = cut->error;

    layers_clear(&cache->layers);
    layers_init(&cache->layers, cache->config.block_size_bytes,
                cache->layers.released, cache);
    cache->is_frozen = false;
    g_free(cut);
    done(opaque, error);
}

static void survivor_done(struct medium_io *io, int error)
{
    struct survivor *survivor = (struct survivor *)io;
    struct cut *cut = io->owner;

    if (error) {
        cut->error = error;
    }
    g_free(survivor);
    if (--cut->in_flight == 0) {
        cut_finish(cut);
    }
}

static void survivor_write(struct cut *cut, const struct extent *extent,
                           struct pending *pending, uint64_t start,
                           uint64_t count)
{
    struct wcache *cache = cut->cache;
    struct survivor *survivor = g_new0(struct survivor, 1);
    uint32_t block_size = cache->config.block_size_bytes;

    if (pending->op == STORE_WRITE) {
        survivor->iov.iov_base =
            layers_data(&cache->layers, extent, pending) +
            (start - extent->start) * block_size;
        survivor->iov.iov_len = count * block_size;
        survivor->io.req.iov_count = 1;
    }
    survivor->io.start = start;
    survivor->io.count = count;
    survivor->io.req.op = pending->op;
    survivor->io.req.has_fua = true;
    survivor->io.req.iov = &survivor->iov;
    survivor->io.done = survivor_done;
    survivor->io.owner = cut;
    cut->in_flight++;
    medium_submit(cache, &survivor->io);
}

static void extent_survivors(struct cut *cut, const struct extent *extent)
{
    uint64_t end = extent->start + extent->count;
    uint64_t start = extent->start;

    while (start < end) {
        struct pending *winner = winner_at(cut, extent, start);
        uint64_t stop = start + 1;

        while (stop < end && winner_at(cut, extent, stop) == winner) {
            stop++;
        }
        if (winner) {
            survivor_write(cut, extent, winner, start, stop - start);
        }
        start = stop;
    }
}

/* -- With a redo record: write by write, in the order of their effects ---- */

struct chosen {
    struct pending *pending;
    uint64_t effect;
};

static int compare_effects(const void *a, const void *b)
{
    const struct chosen *left = a;
    const struct chosen *right = b;

    if (left->effect != right->effect) {
        return left->effect < right->effect ? -1 : 1;
    }
    return left->pending->seq < right->pending->seq ? -1 : 1;
}

static void choose_pieces(struct cut *cut)
{
    struct pending *pending;

    cut->chosen = g_array_new(FALSE, FALSE, sizeof(struct chosen));
    TAILQ_FOREACH(pending, &cut->cache->by_age, by_age) {
        struct powercut_write write = describe(cut, pending);
        struct chosen chosen = {
            pending, powercut_effect(&cut->powercut, &write),
        };

        if (pending->has_failed ||
            powercut_outcome(&cut->powercut, &write) != POWERCUT_DROPPED) {
            g_array_append_val(cut->chosen, chosen);
        }
    }
    g_array_sort(cut->chosen, compare_effects);
}

static bool keeps_block(void *opaque, uint64_t block)
{
    struct cut *cut = opaque;
    const struct chosen *chosen =
        &g_array_index(cut->chosen, struct chosen, cut->next);
    struct powercut_write write = describe(cut, chosen->pending);

    return chosen->pending->has_failed ||
           powercut_keeps(&cut->powercut, &write,
                          block - chosen->pending->slba);
}

static void piece_next(struct cut *cut);

static void piece_done(void *opaque, int error)
{
    struct cut *cut = opaque;

    if (error) {
        cut->error = error;
    }
    cut->next++;
    piece_next(cut);
}

static void piece_next(struct cut *cut)
{
    const struct chosen *chosen;

    if (cut->next == cut->chosen->len) {
        g_array_free(cut->chosen, TRUE);
        cut_finish(cut);
        return;
    }
    chosen = &g_array_index(cut->chosen, struct chosen, cut->next);
    piece_write(cut->cache, chosen->pending, keeps_block, piece_done, cut);
}

/* -- What became of each write -------------------------------------------- */

/* Blocks that the choice keeps, among those that have a layer of the write. */
static uint32_t layers_kept(struct cut *cut, const struct pending *pending)
{
    struct powercut_write write = describe(cut, pending);
    uint64_t end = pending->slba + pending->block_count;
    uint32_t kept = 0;
    struct extent *extent;
    uint64_t block;

    for (extent = layers_from(&cut->cache->layers, pending->slba);
         extent && extent->start < end;
         extent = layers_after(&cut->cache->layers, extent)) {
        if (!extent_has_layer(extent, pending)) {
            continue;
        }
        for (block = extent->start; block < extent->start + extent->count;
             block++) {
            kept += pending->has_failed ||
                    powercut_keeps(&cut->powercut, &write,
                                   block - pending->slba);
        }
    }
    return kept;
}

/*
 * Destaged blocks are on the medium and nothing takes them. Blocks that neither
 * were destaged nor have a layer lost to newer data on the medium: they go with
 * the rest of the write, for nobody can tell.
 */
static void report_one(struct cut *cut, struct pending *pending,
                       wcache_survivor_fn *report, void *opaque)
{
    uint32_t chosen = layers_kept(cut, pending);
    struct wcache_survivor survivor = {
        .id = pending->id,
        .slba = pending->slba,
        .block_count = pending->block_count,
        .blocks_kept = pending->medium_blocks + chosen,
        .outcome = POWERCUT_TORN,
    };

    if (!survivor.blocks_kept) {
        survivor.outcome = POWERCUT_DROPPED;
    } else if (chosen == pending->layer_blocks) {
        survivor.blocks_kept = survivor.block_count;
        survivor.outcome = POWERCUT_KEPT;
    }
    report(opaque, &survivor);
}

/* Without a promise: answered or never to be; in flight. */
static void report_all(struct cut *cut, wcache_survivor_fn *report,
                       void *opaque)
{
    struct wcache *cache = cut->cache;
    struct pending *pending;

    TAILQ_FOREACH(pending, &cache->unpromised, by_completion) {
        report_one(cut, pending, report, opaque);
    }
    TAILQ_FOREACH(pending, &cache->in_flight, by_completion) {
        if (!pending->is_promised) {
            report_one(cut, pending, report, opaque);
        }
    }
}

static void forget_drains(struct wcache *cache, struct drain_list *drains)
{
    struct drain *drain;

    while ((drain = TAILQ_FIRST(drains))) {
        TAILQ_REMOVE(drains, drain, link);
        if (drain != &cache->evict) {
            g_free(drain);
        }
    }
}

static void forget_waiting(struct wcache *cache)
{
    struct wcache_op *op;

    for (op = cache->waiting_head; op; op = op->next) {
        g_free(op->data);
        op->data = NULL;
    }
    cache->waiting_head = NULL;
    cache->waiting_tail = &cache->waiting_head;
}

static void forget_records(struct wcache *cache)
{
    struct pending *pending;

    TAILQ_FOREACH(pending, &cache->in_flight, by_completion) {
        pending->is_forgotten = true;
    }
    while ((pending = TAILQ_FIRST(&cache->unpromised))) {
        TAILQ_REMOVE(&cache->unpromised, pending, by_completion);
        pending->is_unpromised_listed = false;
        pending_unref(pending);
    }
    cache->unpromised_bytes = 0;
    cache->ghosts = 0;
    cache->flush_early_bound = 0;
}

void wcache_freeze(struct wcache *cache)
{
    cache->is_frozen = true;
    forget_waiting(cache);
}

/* Drains are forgotten late: what is at the store still points to them. */
void wcache_forget_drains(struct wcache *cache)
{
    forget_drains(cache, &cache->drains);
    forget_drains(cache, &cache->drains_over);
    cache->is_evicting = false;
}

void wcache_cut(struct wcache *cache, const struct powercut *powercut,
                wcache_survivor_fn *report, void *report_opaque,
                void (*done)(void *opaque, int error), void *opaque)
{
    struct cut *cut = g_new0(struct cut, 1);
    struct extent *extent;

    g_assert(cache->is_frozen && wcache_is_idle(cache));
    cut->cache = cache;
    cut->powercut = *powercut;
    cut->stamp = moment_take(cache->moments).stamp;
    cut->done = done;
    cut->opaque = opaque;
    cut->in_flight = 1;
    wcache_forget_drains(cache);
    report_all(cut, report, report_opaque);
    forget_records(cache);
    if (cache->config.redo) {
        choose_pieces(cut);
        piece_next(cut);
        return;
    }
    for (extent = layers_from(&cache->layers, 0); extent;
         extent = layers_after(&cache->layers, extent)) {
        extent_survivors(cut, extent);
    }
    if (--cut->in_flight == 0) {
        cut_finish(cut);
    }
}
