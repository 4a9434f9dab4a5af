/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See model_medium.h. Each block's content is known by its tag. */
#include "model_medium.h"

#include <glib.h>
#include <string.h>

#include "driver.h"

struct block_state {
    uint64_t tag;
    uint64_t version;           /* of the write that brought it */
};

struct model_medium {
    struct store store;
    struct store_ram *ram;
    struct store *inner;
    uint32_t blocks;
    uint32_t block_size_bytes;
    uint64_t version;
    struct block_state *current;
    struct block_state *durable;
};

struct shadow {
    struct store_req req;
    struct store_req *outer;
    struct model_medium *medium;
    struct block_state *snapshot; /* flushes: what was there when submitted */
};

static void note_write(struct model_medium *medium, const struct store_req *req)
{
    uint64_t start = req->offset_bytes / medium->block_size_bytes;
    uint64_t count = req->length_bytes / medium->block_size_bytes;
    uint64_t block;

    medium->version++;
    for (block = start; block < start + count; block++) {
        medium->current[block] = (struct block_state) {
            tag_of(store_ram_bytes(medium->ram) +
                   block * medium->block_size_bytes, medium->block_size_bytes),
            medium->version,
        };
        if (req->has_fua) {
            medium->durable[block] = medium->current[block];
        }
    }
}

static void note_flush(struct model_medium *medium,
                       const struct block_state *snapshot)
{
    uint32_t block;

    for (block = 0; block < medium->blocks; block++) {
        if (snapshot[block].version > medium->durable[block].version) {
            medium->durable[block] = snapshot[block];
        }
    }
}

static void shadow_done(struct store_req *req, int error)
{
    struct shadow *shadow = (struct shadow *)req;
    struct store_req *outer = shadow->outer;

    if (!error && store_op_writes(req->op)) {
        note_write(shadow->medium, req);
    } else if (!error && req->op == STORE_FLUSH) {
        note_flush(shadow->medium, shadow->snapshot);
    }
    g_free(shadow->snapshot);
    g_free(shadow);
    outer->done(outer, error);
}

static void shadow_submit(struct store *store, struct store_req *outer)
{
    struct model_medium *medium = (struct model_medium *)store;
    struct shadow *shadow = g_new0(struct shadow, 1);

    shadow->req = *outer;
    shadow->req.done = shadow_done;
    shadow->outer = outer;
    shadow->medium = medium;
    if (outer->op == STORE_FLUSH) {
        shadow->snapshot = g_memdup2(medium->current, medium->blocks *
                                     sizeof(*medium->current));
    }
    medium->inner->submit(medium->inner, &shadow->req);
}

struct model_medium *model_medium_new(struct store_ram *ram,
                                      struct store *inner, uint32_t blocks,
                                      uint32_t block_size_bytes)
{
    struct model_medium *medium = g_new0(struct model_medium, 1);

    medium->store.submit = shadow_submit;
    medium->ram = ram;
    medium->inner = inner;
    medium->blocks = blocks;
    medium->block_size_bytes = block_size_bytes;
    medium->current = g_new0(struct block_state, blocks);
    medium->durable = g_new0(struct block_state, blocks);
    return medium;
}

void model_medium_free(struct model_medium *medium)
{
    g_free(medium->current);
    g_free(medium->durable);
    g_free(medium);
}

struct store *model_medium_store(struct model_medium *medium)
{
    return &medium->store;
}

uint64_t model_medium_durable_tag(const struct model_medium *medium,
                                  uint64_t block)
{
    return medium->durable[block].tag;
}

void model_medium_sync(struct model_medium *medium)
{
    memcpy(medium->durable, medium->current,
           medium->blocks * sizeof(*medium->current));
}
