/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The naive model as a judge: of what a power cut left (P4-P6) and of what the
 * death of the process would leave.
 */
#include <string.h>

#include "driver.h"
#include "model_impl.h"
#include "model_medium.h"

/* -- The cut -------------------------------------------------------------- */

static uint64_t shown_tag(const struct model *model, uint64_t block)
{
    return tag_of(model->image + block * BENCH_BLOCK, BENCH_BLOCK);
}

/* Did a end before b began? */
static bool is_before(const struct entry *a, const struct entry *b)
{
    return a->job->is_completed && a->job->completed_stamp &&
           a->job->completed_stamp < b->submitted;
}

static void judge_block(const struct model *model, uint64_t block)
{
    uint64_t tag = shown_tag(model, block);
    uint64_t visible = model_visible(model, tag, block);

    if (tag == model->base[block] && !model->floor[block]) {
        return;
    }
    g_assert_cmpuint(visible, !=, 0);
    g_assert_cmpuint(visible, >=, model->floor[block]);
}

/* Nothing that ended before this write began may lie over it. */
static void judge_on_top(const struct model *model, const struct entry *entry,
                         uint64_t block)
{
    uint64_t tag = shown_tag(model, block);
    const struct entry *top;
    uint32_t at = 0;

    while ((top = model_writer(model, tag, block, &at))) {
        if (top == entry || !is_before(top, entry)) {
            return;
        }
    }
    g_error("block %" G_GUINT64_FORMAT ": tag %" G_GUINT64_FORMAT
            " lies over the surviving write %" G_GUINT64_FORMAT, block, tag,
            entry->job->op.id);
}

/* Does the block show this write, and could it show no other? */
static bool is_shown(const struct model *model, const struct entry *entry,
                     uint64_t block)
{
    uint64_t tag = entry->job->tag;
    uint32_t at = 0;

    return shown_tag(model, block) == tag && model->base[block] != tag &&
           model_writer(model, tag, block, &at) == entry &&
           !model_writer(model, tag, block, &at);
}

static uint32_t blocks_shown(const struct model *model,
                             const struct entry *entry)
{
    uint32_t count = 0;
    uint32_t i;

    for (i = 0; i < entry->count; i++) {
        count += is_shown(model, entry, entry->slba + i);
    }
    return count;
}

/* P5, as it is written: boundary by boundary. */
static bool is_atomic(const struct model *model, const struct entry *entry)
{
    const struct atomicity *atomicity = &model->config.atomicity;
    uint64_t boundary = atomicity->boundary_offset;

    if (entry->count > atomicity->blocks) {
        return false;
    }
    while (atomicity->boundary_blocks && boundary < BENCH_BLOCKS) {
        if (boundary > entry->slba && boundary < entry->slba + entry->count) {
            return false;
        }
        boundary += atomicity->boundary_blocks;
    }
    return true;
}

static void judge_atomic(const struct model *model, const struct entry *entry)
{
    uint32_t i;

    if (model->forgives_tears || !is_atomic(model, entry) ||
        !blocks_shown(model, entry)) {
        return;
    }
    for (i = 0; i < entry->count; i++) {
        judge_on_top(model, entry, entry->slba + i);
    }
}

static void judge_image(struct model *model, const uint8_t *image)
{
    uint64_t block;
    uint32_t i;

    model->image = image;
    for (block = 0; block < BENCH_BLOCKS; block++) {
        judge_block(model, block);
    }
    for (i = 0; i < model->entries->len; i++) {
        if (entry_at(model, i)->kind == KIND_WRITE) {
            judge_atomic(model, entry_at(model, i));
        }
    }
}

static const struct wcache_survivor *survivor_of(const struct model *model,
                                                 const struct entry *entry)
{
    const struct wcache_survivor *found = NULL;
    uint32_t i;

    for (i = 0; i < model->bench->survivors->len; i++) {
        const struct wcache_survivor *survivor =
            &g_array_index(model->bench->survivors, struct wcache_survivor, i);

        if (survivor->id == entry->job->op.id) {
            g_assert_null(found);
            found = survivor;
        }
    }
    return found;
}

static void judge_survivor(const struct model *model, const struct entry *entry)
{
    const struct wcache_survivor *survivor = survivor_of(model, entry);
    uint32_t shown = blocks_shown(model, entry);
    uint32_t i;

    if (!survivor) {
        /* A failed write owes nothing; a later flush may have taken it. */
        g_assert_true(entry->is_promised || !entry->visible ||
                      entry->job->error || wcache_is_promised(&entry->job->op));
        return;
    }
    g_assert_cmpuint(survivor->slba, ==, entry->slba);
    g_assert_cmpuint(survivor->block_count, ==, entry->count);
    g_assert_cmpuint(shown, <=, survivor->blocks_kept);
    switch (survivor->outcome) {
    case POWERCUT_DROPPED:
        g_assert_cmpuint(survivor->blocks_kept, ==, 0);
        break;
    case POWERCUT_KEPT:
        g_assert_cmpuint(survivor->blocks_kept, ==, entry->count);
        for (i = 0; i < entry->count; i++) {
            judge_on_top(model, entry, entry->slba + i);
        }
        break;
    case POWERCUT_TORN:
        g_assert_false(is_atomic(model, entry));
        break;
    }
}

void model_cut(struct model *model, enum powercut_policy policy, uint64_t seed)
{
    uint64_t block;
    uint32_t i;

    /* What the store still finishes can make writes durable, not promised. */
    bench_cut(model->bench, policy, seed);
    judge_image(model, store_ram_bytes(model->bench->ram));
    for (i = 0; i < model->entries->len; i++) {
        const struct entry *entry = entry_at(model, i);

        if (entry->kind == KIND_WRITE) {
            judge_survivor(model, entry);
        }
    }
    g_ptr_array_set_size(model->entries, 0);
    for (block = 0; block < BENCH_BLOCKS; block++) {
        model->base[block] = shown_tag(model, block);
        model->floor[block] = 0;
    }
    model_medium_sync(model->medium);
}

/* -- The death of the process --------------------------------------------- */

static void recovered(void *opaque, int error, const char *why)
{
    g_assert_null(why);
    g_assert_cmpint(error, ==, 0);
    *(bool *)opaque = true;
}

/* What a new process finds and finishes. */
static void recover(struct store_ram *ram, struct store_ram *meta)
{
    struct redo_config config = {
        .block_size_bytes = BENCH_BLOCK, .block_count = BENCH_BLOCKS,
    };
    struct redo *redo = redo_new(&config, store_ram_store(meta),
                                 store_ram_store(ram));
    bool is_over = false;

    redo_start(redo, recovered, &is_over);
    while (!is_over) {
        store_ram_run(meta);
        store_ram_run(ram);
    }
    redo_free(redo);
}

void model_die(struct model *model, struct prop_rng *rng)
{
    const struct bench *bench = model->bench;
    uint64_t medium_bytes = (uint64_t)BENCH_BLOCKS * BENCH_BLOCK;
    struct store_ram *ram = store_ram_new(medium_bytes);

    tear_store_die(bench->ram_tear, rng, store_ram_bytes(ram), medium_bytes);
    if (bench->redo) {
        uint64_t meta_bytes = redo_size(BENCH_BLOCK);
        struct store_ram *meta = store_ram_new(meta_bytes);

        tear_store_die(bench->meta_tear, rng, store_ram_bytes(meta),
                       meta_bytes);
        recover(ram, meta);
        store_ram_free(meta);
    }
    judge_image(model, store_ram_bytes(ram));
    store_ram_free(ram);
}
