/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The medium in memory; see store_ram.h. */
#include "store_ram.h"

#include <glib.h>
#include <string.h>

struct store_ram {
    struct store store;
    uint8_t *bytes;
    uint64_t size_bytes;
    GPtrArray *waiting;
    int error;
    uint64_t fua_writes;
    uint64_t flushes;
};

static void ram_submit(struct store *store, struct store_req *req)
{
    struct store_ram *ram = (struct store_ram *)store;

    g_assert(req->offset_bytes + req->length_bytes <= ram->size_bytes);
    g_ptr_array_add(ram->waiting, req);
}

struct store_ram *store_ram_new(uint64_t size_bytes)
{
    struct store_ram *ram = g_new0(struct store_ram, 1);

    ram->store.submit = ram_submit;
    ram->bytes = g_malloc0(size_bytes);
    ram->size_bytes = size_bytes;
    ram->waiting = g_ptr_array_new();
    return ram;
}

void store_ram_free(struct store_ram *ram)
{
    g_ptr_array_free(ram->waiting, TRUE);
    g_free(ram->bytes);
    g_free(ram);
}

struct store *store_ram_store(struct store_ram *ram)
{
    return &ram->store;
}

uint8_t *store_ram_bytes(struct store_ram *ram)
{
    return ram->bytes;
}

uint32_t store_ram_waiting(const struct store_ram *ram)
{
    return ram->waiting->len;
}

static void carry_out(struct store_ram *ram, const struct store_req *req)
{
    uint8_t *at = ram->bytes + req->offset_bytes;
    int i;

    for (i = 0; i < req->iov_count; i++) {
        if (req->op == STORE_WRITE) {
            memcpy(at, req->iov[i].iov_base, req->iov[i].iov_len);
        } else {
            memcpy(req->iov[i].iov_base, at, req->iov[i].iov_len);
        }
        at += req->iov[i].iov_len;
    }
    if (req->op == STORE_ZEROES || req->op == STORE_DEALLOCATE) {
        memset(at, 0, req->length_bytes);
    }
    ram->fua_writes += store_op_writes(req->op) && req->has_fua;
    ram->flushes += req->op == STORE_FLUSH;
}

void store_ram_step(struct store_ram *ram, uint32_t index)
{
    struct store_req *req = g_ptr_array_remove_index(ram->waiting, index);

    if (!ram->error) {
        carry_out(ram, req);
    }
    req->done(req, ram->error);
}

void store_ram_run(struct store_ram *ram)
{
    while (store_ram_waiting(ram)) {
        store_ram_step(ram, 0);
    }
}

void store_ram_fail(struct store_ram *ram, int error)
{
    ram->error = error;
}

uint64_t store_ram_fua_writes(const struct store_ram *ram)
{
    return ram->fua_writes;
}

uint64_t store_ram_flushes(const struct store_ram *ram)
{
    return ram->flushes;
}
