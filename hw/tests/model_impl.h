/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of the naive model share: model_wcache.c, model_judge.c. */
#ifndef LAB_MODEL_IMPL_H
#define LAB_MODEL_IMPL_H

#include "model_wcache.h"

enum kind { KIND_WRITE, KIND_READ, KIND_FLUSH, KIND_SETTLE };

#define READ_BLOCKS_MAX 16

struct entry {
    enum kind kind;
    struct job *job;
    uint64_t slba;
    uint32_t count;
    bool has_fua;
    uint64_t submitted;
    uint64_t visible;           /* stamp, when seen */
    bool was_off;               /* the cache, when the write became visible */
    bool is_seen_done;
    bool is_promised;
    uint64_t started;           /* last stamp before the operation */
    uint64_t newest[READ_BLOCKS_MAX]; /* reads: tags when it was submitted */
    uint64_t newest_visible[READ_BLOCKS_MAX];
};

struct model {
    struct bench *bench;
    struct model_medium *medium;
    struct wcache_config config;
    GPtrArray *entries;         /* since the last cut */
    uint64_t base[BENCH_BLOCKS]; /* tags at the last cut */
    uint64_t floor[BENCH_BLOCKS]; /* visible stamp of the newest promise */
    bool forgives_tears;
    const uint8_t *image;       /* what is judged */
};

static inline struct entry *entry_at(const struct model *model, uint32_t index)
{
    return model->entries->pdata[index];
}

static inline bool covers(const struct entry *entry, uint64_t block)
{
    return block >= entry->slba && block < entry->slba + entry->count;
}

/* The next write that could have brought this tag to the block. */
const struct entry *model_writer(const struct model *model, uint64_t tag,
                                 uint64_t block, uint32_t *at);
/* When the latest of them became visible; 0: none, from before the last cut. */
uint64_t model_visible(const struct model *model, uint64_t tag, uint64_t block);

#endif
