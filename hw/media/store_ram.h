/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A medium in memory whose requests wait until the test lets them go, in the
 * order the test likes.
 */
#ifndef LAB_STORE_RAM_H
#define LAB_STORE_RAM_H

#include "store.h"

struct store_ram;

struct store_ram *store_ram_new(uint64_t size_bytes);
void store_ram_free(struct store_ram *ram);
struct store *store_ram_store(struct store_ram *ram);
/* What is on the medium now. */
uint8_t *store_ram_bytes(struct store_ram *ram);
/* Requests that wait. */
uint32_t store_ram_waiting(const struct store_ram *ram);
/*
 * Carry out the waiting request with this index, 0 being the oldest, and call
 * its done(). A write is carried out here, not at submission.
 */
void store_ram_step(struct store_ram *ram, uint32_t index);
/* Oldest first until none waits, those that come meanwhile included. */
void store_ram_run(struct store_ram *ram);
/* The next requests answer this -errno and change nothing; 0 heals. */
void store_ram_fail(struct store_ram *ram, int error);
/* Requests seen so far: writes with FUA, flushes. */
uint64_t store_ram_fua_writes(const struct store_ram *ram);
uint64_t store_ram_flushes(const struct store_ram *ram);

#endif
