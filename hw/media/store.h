/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A store: the medium under the volatile cache. A flat run of bytes, read and
 * written asynchronously.
 *
 * Contract: done() is called exactly once per submitted request, never before
 * submit() has returned. Requests may be done in any order; the owner (the
 * write cache) never submits a write that overlaps a request in flight.
 */
#ifndef LAB_STORE_H
#define LAB_STORE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

enum store_op {
    STORE_READ,
    STORE_WRITE,
    STORE_ZEROES,               /* a write of zeroes, without bytes */
    STORE_DEALLOCATE,           /* the same, and the space may be given back */
    STORE_FLUSH,
};

static inline bool store_op_writes(enum store_op op)
{
    return op == STORE_WRITE || op == STORE_ZEROES || op == STORE_DEALLOCATE;
}

struct store_req {
    enum store_op op;
    bool has_fua;               /* writes: durable before done */
    uint64_t offset_bytes;
    uint64_t length_bytes;
    const struct iovec *iov;    /* reads and STORE_WRITE */
    int iov_count;
    void (*done)(struct store_req *req, int error); /* 0 or -errno */
};

struct store {
    void (*submit)(struct store *store, struct store_req *req);
};

#endif
