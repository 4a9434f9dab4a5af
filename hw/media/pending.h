/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A pending write: what the cache knows of one write command, from the moment
 * its data became visible until nobody asks for it any more.
 *
 *      visible ──► completed ──► promised          (the promise)
 *      cached ─────────────────► destaged          (the data)
 *
 * The two lines are independent (P7): data can reach the medium long before
 * anything is promised about it. The data lives while a layer or a request at
 * the store uses it; the record lives longer, while the write is unpromised.
 */
#ifndef LAB_PENDING_H
#define LAB_PENDING_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "store.h"

struct pending {
    TAILQ_ENTRY(pending) by_age;        /* while it has data */
    TAILQ_ENTRY(pending) by_completion; /* in flight; then while unpromised */
    uint64_t slba;
    uint32_t block_count;
    uint32_t medium_blocks;             /* blocks of it that were destaged */
    uint32_t layer_blocks;              /* blocks that some layer still holds */
    enum store_op op;                   /* that brings it to the medium */
    uint8_t *data;                      /* STORE_WRITE, while it is cached */
    uint64_t size_bytes;
    uint64_t cached_bytes;              /* what it costs the cache */
    uint64_t counted_bytes;             /* of these, as unpromised: answered */
    uint64_t id;
    uint32_t part;
    uint64_t seq;                       /* order of visibility */
    uint64_t submitted_stamp;
    uint64_t visible_stamp;
    uint64_t completed_stamp;           /* 0: not yet */
    uint32_t data_uses;                 /* layers and requests at the store */
    uint32_t refs;
    bool is_promised;
    bool is_unpromised_listed;
    bool has_failed;                    /* destaging it: some may be there */
    bool is_forgotten;                  /* in flight at a cut that is over */
};

/* All of it left the cache; the record remains. */
static inline bool pending_is_ghost(const struct pending *pending)
{
    return pending->data_uses == 0;
}

TAILQ_HEAD(pending_list, pending);

#endif
