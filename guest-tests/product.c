/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Operations × targets × issuers; see product.h.
 */
#include <stdio.h>
#include <stdlib.h>

#include "product.h"
#include "target.h"

#define RAW_STRIDE (1 << 20)

static void add_cell(struct product *product, const struct product_op *op,
                     const struct target_type *type,
                     const struct issuer *issuer, product_add_fn *add)
{
    struct guest_case *c = calloc(1, sizeof(*c));
    struct product_cell *cell = calloc(1, sizeof(*cell));
    char *name = NULL;

    if (!c || !cell ||
        asprintf(&name, "%s.%s.%s.%s", product->group, type->name, op->name,
                 issuer->name) < 0) {
        perror("lab-guest: list of cases");
        abort();
    }
    cell->op = op->op;
    cell->issuer = issuer;
    if (!type->mount_point) {
        cell->start = product->raw_start +
                      (off_t)product->raw_count++ * RAW_STRIDE;
    }
    c->name = name;
    c->claim = op->claim;
    c->time_limit_s = product->time_limit_s;
    c->run = product->run;
    c->data = cell;
    add(c);
}

void product_add(struct product *product, const struct product_op *op,
                 product_add_fn *add)
{
    for (size_t t = 0; t < TARGET_TYPE_COUNT; t++) {
        if (op->needs_fs && !target_types[t].mount_point) {
            continue;
        }
        for (size_t i = 0; i < product->issuer_count; i++) {
            add_cell(product, op, &target_types[t], product->issuers[i], add);
        }
    }
}
