/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A store in front of a medium in memory that can show what a process would
 * leave behind if it died now: what was carried out, and of the requests under
 * way any subset, each cut short after any number of sectors.
 */
#ifndef LAB_TEAR_STORE_H
#define LAB_TEAR_STORE_H

#include "prop.h"
#include "store_ram.h"

struct tear_store;

struct tear_store *tear_store_new(struct store_ram *ram);
void tear_store_free(struct tear_store *tear);
struct store *tear_store_store(struct tear_store *tear);
/* A copy of the medium as the death of the process leaves it. */
void tear_store_die(const struct tear_store *tear, struct prop_rng *rng,
                    uint8_t *bytes, uint64_t size_bytes);

#endif
