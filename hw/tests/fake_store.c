/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The storage of the fake host: requests wait until the test steps them. */
#include "fake_store.h"

#include <string.h>

static bool is_overlapping(const struct lab_store_req *a,
                           const struct lab_store_req *b)
{
    return a->offset_bytes < b->offset_bytes + b->length_bytes &&
           b->offset_bytes < a->offset_bytes + a->length_bytes;
}

/* Of any kind. */
static bool is_write(const struct lab_store_req *req)
{
    return req->op != LAB_STORE_READ && req->op != LAB_STORE_FLUSH;
}

static bool is_zeroing(const struct lab_store_req *req)
{
    return req->op == LAB_STORE_ZEROES || req->op == LAB_STORE_DEALLOCATE;
}

static void check_request(const struct fake_store *store,
                          const struct lab_store_req *req)
{
    uint64_t bytes = 0;
    uint32_t i;

    for (i = 0; i < (uint32_t)req->iov_count; i++) {
        bytes += req->iov[i].iov_len;
    }
    g_assert_cmpuint(bytes, ==, req->op == LAB_STORE_READ ||
                                req->op == LAB_STORE_WRITE
                                    ? req->length_bytes : 0);
    g_assert_cmpuint(req->offset_bytes % store->block_size_bytes, ==, 0);
    g_assert_cmpuint(req->length_bytes % store->block_size_bytes, ==, 0);
    g_assert_cmpuint(req->length_bytes, <=, store->size_bytes);
    g_assert_cmpuint(req->offset_bytes, <=,
                     store->size_bytes - req->length_bytes);
    for (i = 0; i < store->waiting->len; i++) {
        const struct lab_store_req *other = store->waiting->pdata[i];

        g_assert_false((is_write(req) || is_write(other)) &&
                       is_overlapping(req, other));
    }
}

static void store_submit(void *opaque, struct lab_store_req *req)
{
    struct fake_store *store = opaque;

    check_request(store, req);
    g_ptr_array_add(store->waiting, req);
}

const struct lab_store_ops fake_store_ops = { .submit = store_submit };

static void carry_out(struct fake_store *store, const struct lab_store_req *req)
{
    uint8_t *at = store->bytes + req->offset_bytes;
    int i;

    for (i = 0; i < req->iov_count; i++) {
        if (req->op == LAB_STORE_WRITE) {
            memcpy(at, req->iov[i].iov_base, req->iov[i].iov_len);
        } else {
            memcpy(req->iov[i].iov_base, at, req->iov[i].iov_len);
        }
        at += req->iov[i].iov_len;
    }
    if (is_zeroing(req)) {
        memset(at, 0, req->length_bytes);
    }
    store->reads += req->op == LAB_STORE_READ;
    store->writes += req->op == LAB_STORE_WRITE;
    store->zeroes += req->op == LAB_STORE_ZEROES;
    store->deallocations += req->op == LAB_STORE_DEALLOCATE;
    store->writes_fua += is_write(req) && req->has_fua;
    store->flushes += req->op == LAB_STORE_FLUSH;
}

static void step(struct fake_store *store, uint32_t index)
{
    struct lab_store_req *req = g_ptr_array_remove_index(store->waiting, index);
    int error = store->error;

    if (!error) {
        carry_out(store, req);
    }
    lab_store_done(req, error);
}

void fake_step(struct fake_host *host, uint32_t nsid, uint32_t index)
{
    step(&host->stores[nsid - 1], index);
}

void fake_step_any(struct fake_host *host, uint32_t choice)
{
    uint32_t i;

    for (i = 0; i < FAKE_STORES; i++) {
        struct fake_store *store = &host->stores[i];
        uint32_t count = store->bytes ? store->waiting->len : 0;

        if (choice < count) {
            step(store, choice);
            return;
        }
        choice -= count;
    }
    g_assert_not_reached();
}

uint32_t fake_waiting(const struct fake_host *host)
{
    uint32_t count = 0;
    uint32_t i;

    for (i = 0; i < FAKE_STORES; i++) {
        if (host->stores[i].bytes) {
            count += host->stores[i].waiting->len;
        }
    }
    return count;
}

uint8_t *fake_block(struct fake_host *host, uint32_t nsid, uint64_t block)
{
    return host->stores[nsid - 1].bytes +
           block * host->config.block_size_bytes;
}

struct fake_store *fake_store_add(struct fake_host *host, uint32_t index,
                                  uint64_t size_bytes,
                                  uint32_t block_size_bytes)
{
    struct fake_store *store = &host->stores[index];

    store->host = host;
    store->size_bytes = size_bytes;
    store->block_size_bytes = block_size_bytes;
    store->bytes = g_malloc0(size_bytes);
    store->waiting = g_ptr_array_new();
    return store;
}
