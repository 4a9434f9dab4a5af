/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Draining piece by piece: one write command at a time, whole.
 *
 * With an atomic limit above one block, a run of neighbouring extents will not
 * do: it may hold half of one write and half of another, and the process may
 * die behind it. So each covered write goes to the medium by itself, oldest
 * first, under the protection of the redo record if it is atomic.
 *
 *      record ──► the write's ranges ──► clear ──► its layers, and what is
 *                                                  below them, are taken away
 *
 * Slow on purpose of being simple: one piece at a time per namespace.
 *
 * A piece keeps its blocks reserved among the requests at the store until it
 * is over, so the invariants of drain.c hold for it as for a run.
 */
#include "wcache_impl.h"

struct piece {
    struct medium_io io;        /* the reservation, and each write in turn */
    struct pending *pending;
    GArray *segments;           /* struct redo_segment */
    uint32_t next;
    struct iovec iov;
    bool is_recorded;
    int error;
    void (*done)(void *opaque, int error);
    void *opaque;
};

static struct redo_segment *segment_at(const struct piece *piece,
                                       uint32_t index)
{
    return &g_array_index(piece->segments, struct redo_segment, index);
}

static void segment_add(struct wcache *cache, struct piece *piece,
                        uint64_t block)
{
    struct pending *pending = piece->pending;
    uint32_t count = piece->segments->len;
    struct redo_segment *last = count ? segment_at(piece, count - 1) : NULL;
    struct redo_segment segment = {
        .start = block, .count = 1,
        .data = pending->op == STORE_WRITE
            ? pending->data +
              (block - pending->slba) * cache->config.block_size_bytes : NULL,
    };

    if (last && last->start + last->count == block) {
        last->count++;
    } else {
        g_array_append_val(piece->segments, segment);
    }
}

static void collect_segments(struct wcache *cache, struct piece *piece,
                             piece_filter *passes, void *opaque)
{
    struct pending *pending = piece->pending;
    uint64_t end = pending->slba + pending->block_count;
    struct extent *extent;
    uint64_t block;

    piece->segments = g_array_new(FALSE, FALSE, sizeof(struct redo_segment));
    for (extent = layers_from(&cache->layers, pending->slba);
         extent && extent->start < end;
         extent = layers_after(&cache->layers, extent)) {
        if (!extent_has_layer(extent, pending)) {
            continue;
        }
        for (block = extent->start; block < extent->start + extent->count;
             block++) {
            if (!passes || passes(opaque, block)) {
                segment_add(cache, piece, block);
            }
        }
    }
}

static void piece_over(void *opaque, int error)
{
    struct piece *piece = opaque;
    struct wcache *cache = piece->io.cache;
    void (*done)(void *opaque, int error) = piece->done;
    void *done_opaque = piece->opaque;

    error = piece->error ? piece->error : error;
    TAILQ_REMOVE(&cache->at_store, &piece->io, link);
    pending_data_drop(cache, piece->pending);
    g_array_free(piece->segments, TRUE);
    g_free(piece);
    cache->has_piece = false;
    done(done_opaque, error);
    wcache_pump(cache);
}

static void write_next(struct piece *piece);

static void segment_done(struct store_req *req, int error)
{
    struct piece *piece = (struct piece *)req;

    if (error) {
        piece->error = error;
    }
    write_next(piece);
}

static void write_next(struct piece *piece)
{
    struct wcache *cache = piece->io.cache;
    uint32_t block_size = cache->config.block_size_bytes;
    const struct redo_segment *segment;

    if (piece->next == piece->segments->len) {
        if (piece->is_recorded) {
            redo_clear(cache->config.redo, piece_over, piece);
        } else {
            piece_over(piece, 0);
        }
        return;
    }
    segment = segment_at(piece, piece->next++);
    if (segment->data) {
        piece->iov = (struct iovec) {
            segment->data, segment->count * block_size,
        };
    }
    piece->io.req = (struct store_req) {
        .op = piece->pending->op, .has_fua = true,
        .offset_bytes = segment->start * block_size,
        .length_bytes = segment->count * block_size,
        .iov = &piece->iov, .iov_count = segment->data ? 1 : 0,
        .done = segment_done,
    };
    cache->store->submit(cache->store, &piece->io.req);
}

static void recorded(void *opaque, int error)
{
    struct piece *piece = opaque;

    if (error) {
        piece_over(piece, error);
        return;
    }
    write_next(piece);
}

void piece_write(struct wcache *cache, struct pending *pending,
                 piece_filter *passes, void (*done)(void *opaque, int error),
                 void *opaque)
{
    struct piece *piece = g_new0(struct piece, 1);

    piece->pending = pending;
    piece->done = done;
    piece->opaque = opaque;
    piece->io.cache = cache;
    piece->io.req.op = pending->op;
    piece->io.start = pending->slba;
    piece->io.count = pending->block_count;
    TAILQ_INSERT_TAIL(&cache->at_store, &piece->io, link);
    pending->data_uses++;
    cache->has_piece = true;
    collect_segments(cache, piece, passes, opaque);
    piece->is_recorded = pending->block_count > 1 &&
                         atomicity_covers(&cache->config.atomicity,
                                          pending->slba, pending->block_count);
    if (piece->is_recorded && piece->segments->len) {
        redo_record(cache->config.redo, segment_at(piece, 0),
                    piece->segments->len, recorded, piece);
        return;
    }
    piece->is_recorded = false;
    if (cache->config.redo && redo_has_record(cache->config.redo)) {
        /* Left by an error: it must not outlive newer data. */
        redo_clear(cache->config.redo, recorded, piece);
        return;
    }
    write_next(piece);
}

/* -- As a drain ----------------------------------------------------------- */

static struct pending *oldest_covered(struct wcache *cache,
                                      const struct drain *drain)
{
    struct pending *pending;

    TAILQ_FOREACH(pending, &cache->by_age, by_age) {
        if (pending->layer_blocks && drain_covers(drain, pending) &&
            pending->slba < drain->end &&
            pending->slba + pending->block_count > drain->start) {
            return pending;
        }
    }
    return NULL;
}

struct drained_piece {
    struct wcache *cache;
    struct drain *drain;
    struct pending *pending;
};

static void drained(void *opaque, int error)
{
    struct drained_piece *drained_piece = opaque;
    struct pending *pending = drained_piece->pending;
    struct drain *drain = drained_piece->drain;

    if (error) {
        drain->error = error;
        pending->has_failed = true;
    } else {
        drain->blocks_written += pending->block_count;
        pending->medium_blocks += pending->layer_blocks;
        layers_pop(&drained_piece->cache->layers, pending->slba,
                   pending->block_count, pending->seq);
    }
    drain->in_flight--;
    pending_unref(pending);
    g_free(drained_piece);
}

void piece_drain(struct wcache *cache, struct drain *drain)
{
    struct pending *pending;
    struct drained_piece *drained_piece;

    if (drain->error || drain->in_flight || cache->has_piece) {
        return;
    }
    pending = oldest_covered(cache, drain);
    if (!pending) {
        drain->cursor = drain->end;
        return;
    }
    if (medium_is_busy(cache, pending->slba, pending->block_count)) {
        return;
    }
    drained_piece = g_new(struct drained_piece, 1);
    *drained_piece = (struct drained_piece) { cache, drain, pending };
    pending->refs++;
    drain->in_flight++;
    piece_write(cache, pending, NULL, drained, drained_piece);
}
