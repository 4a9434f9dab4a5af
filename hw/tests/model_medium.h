/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A medium with a volatile cache of the host's own: remembers which content of
 * each block a loss of power at the host would leave. FUA makes a write
 * durable when it is done; a flush makes durable what was done before the
 * flush was submitted.
 */
#ifndef LAB_MODEL_MEDIUM_H
#define LAB_MODEL_MEDIUM_H

#include "store_ram.h"

struct model_medium;

struct model_medium *model_medium_new(struct store_ram *ram,
                                      struct store *inner, uint32_t blocks,
                                      uint32_t block_size_bytes);
void model_medium_free(struct model_medium *medium);
struct store *model_medium_store(struct model_medium *medium);
uint64_t model_medium_durable_tag(const struct model_medium *medium,
                                  uint64_t block);
/* Call all of it durable: a new beginning. */
void model_medium_sync(struct model_medium *medium);

#endif
