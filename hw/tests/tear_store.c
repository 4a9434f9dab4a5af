/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See tear_store.h. */
#include "tear_store.h"

#include <string.h>

#define SECTOR 512u

struct tear_store {
    struct store store;
    struct store_ram *ram;
    GPtrArray *under_way;       /* struct under_way */
};

struct under_way {
    struct store_req req;
    struct store_req *outer;
    struct tear_store *tear;
};

static void under_way_done(struct store_req *req, int error)
{
    struct under_way *under_way = (struct under_way *)req;
    struct store_req *outer = under_way->outer;

    g_ptr_array_remove(under_way->tear->under_way, under_way);
    g_free(under_way);
    outer->done(outer, error);
}

static void tear_submit(struct store *store, struct store_req *outer)
{
    struct tear_store *tear = (struct tear_store *)store;
    struct store *inner = store_ram_store(tear->ram);
    struct under_way *under_way = g_new0(struct under_way, 1);

    under_way->req = *outer;
    under_way->req.done = under_way_done;
    under_way->outer = outer;
    under_way->tear = tear;
    g_ptr_array_add(tear->under_way, under_way);
    inner->submit(inner, &under_way->req);
}

struct tear_store *tear_store_new(struct store_ram *ram)
{
    struct tear_store *tear = g_new0(struct tear_store, 1);

    tear->store.submit = tear_submit;
    tear->ram = ram;
    tear->under_way = g_ptr_array_new();
    return tear;
}

void tear_store_free(struct tear_store *tear)
{
    g_assert_cmpuint(tear->under_way->len, ==, 0);
    g_ptr_array_free(tear->under_way, TRUE);
    g_free(tear);
}

struct store *tear_store_store(struct tear_store *tear)
{
    return &tear->store;
}

static void apply_prefix(const struct store_req *req, uint8_t *bytes,
                         uint64_t length)
{
    uint8_t *at = bytes + req->offset_bytes;
    int i;

    if (req->op != STORE_WRITE) {
        memset(at, 0, length);
    }
    for (i = 0; i < req->iov_count && length; i++) {
        uint64_t part = MIN(req->iov[i].iov_len, length);

        memcpy(at, req->iov[i].iov_base, part);
        at += part;
        length -= part;
    }
}

void tear_store_die(const struct tear_store *tear, struct prop_rng *rng,
                    uint8_t *bytes, uint64_t size_bytes)
{
    uint32_t i;

    memcpy(bytes, store_ram_bytes(tear->ram), size_bytes);
    for (i = 0; i < tear->under_way->len; i++) {
        const struct under_way *under_way = tear->under_way->pdata[i];
        const struct store_req *req = &under_way->req;

        if (store_op_writes(req->op)) {
            uint32_t sectors = req->length_bytes / SECTOR;

            apply_prefix(req, bytes,
                         (uint64_t)prop_below(rng, sectors + 1) * SECTOR);
        }
    }
}
