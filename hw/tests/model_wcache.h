/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A naive model of the write cache: it remembers every write with its stamps
 * and looks at all of them for every question. What it knows of durability are
 * the rules P1-P6 and P8 and nothing else: no layers, no drains, no eviction.
 *
 * The host's own cache is part of it: a medium write counts as durable only
 * with FUA, or after a flush of the medium that was submitted behind it.
 */
#ifndef LAB_MODEL_WCACHE_H
#define LAB_MODEL_WCACHE_H

#include "cache_bench.h"
#include "prop.h"

struct model;

struct model *model_new(const struct wcache_config *config);
void model_free(struct model *model);
struct bench *model_bench(struct model *model);

/*
 * Storage will fail: what of a write within the atomic limit reached the medium
 * before the error may be there without the rest (docs/testing-core.md).
 */
void model_forgive_tears(struct model *model);

/* Submit through the bench, and remember. */
void model_write(struct model *model, uint64_t slba, uint32_t count,
                 bool has_fua);
/* Zeroes, which many writes and the empty medium have in common: what is
 * judged is that some of them explain what is seen. */
void model_zeroes(struct model *model, uint64_t slba, uint32_t count,
                  enum wcache_content content, bool has_fua);
void model_read(struct model *model, uint64_t slba, uint32_t count,
                bool has_fua);
void model_flush(struct model *model);
void model_settle(struct model *model);
void model_switch(struct model *model, bool is_enabled);
/* Post the CQE of the choice-th operation that is done; false: none is. */
bool model_complete(struct model *model, uint32_t choice);

/* After every step: what became visible, done, promised; aborts if wrong. */
void model_look(struct model *model);
/* Operations without a posted CQE. */
uint32_t model_outstanding(const struct model *model);
/* Cut, judge every block and every survivor record, and go on from there. */
void model_cut(struct model *model, enum powercut_policy policy, uint64_t seed);

/*
 * Judge what the death of the process would leave now, after the next one has
 * read its redo record. Nothing happens to the model's own cache.
 */
void model_die(struct model *model, struct prop_rng *rng);

#endif
