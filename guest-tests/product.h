/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * product.h: cases that are a product: an operation on every target through
 * every issuer, named GROUP.TARGET.OPERATION.ISSUER. On the bare namespace
 * each has a MiB of its own.
 */
#ifndef PRODUCT_H
#define PRODUCT_H

#include <stdbool.h>
#include <sys/types.h>

#include "guest.h"
#include "issue.h"

/* The data of a guest_case that product_add() has made. */
struct product_cell {
    const void *op;             /* of the group */
    const struct issuer *issuer;
    off_t start;                /* raw: its bytes of the device; else 0 */
};

struct product {
    const char *group;
    const struct issuer *const *issuers;
    size_t issuer_count;
    void (*run)(struct run *run);
    unsigned time_limit_s;      /* as in guest_case */
    off_t raw_start;            /* apart from those of other groups */
    unsigned raw_count;         /* 0 at first */
};

struct product_op {
    const char *name;
    const char *claim;
    bool needs_fs;
    const void *op;
};

typedef void product_add_fn(const struct guest_case *guest_case);

void product_add(struct product *product, const struct product_op *op,
                 product_add_fn *add);

#endif
