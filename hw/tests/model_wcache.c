/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The naive model; see model_wcache.h. */
#include "driver.h"
#include "model_impl.h"
#include "model_medium.h"

static uint64_t last_stamp(const struct model *model)
{
    return model->bench->moments.stamp_last;
}

/* -- Life ----------------------------------------------------------------- */

static struct store *wrap(struct bench *bench, void *opaque)
{
    struct model *model = opaque;

    model->medium = model_medium_new(bench->ram,
                                     tear_store_store(bench->ram_tear),
                                     BENCH_BLOCKS, BENCH_BLOCK);
    return model_medium_store(model->medium);
}

struct model *model_new(const struct wcache_config *config)
{
    struct model *model = g_new0(struct model, 1);

    model->config = *config;
    model->entries = g_ptr_array_new_with_free_func(g_free);
    model->bench = bench_new_wrapped(config, wrap, model);
    return model;
}

void model_free(struct model *model)
{
    bench_free(model->bench);
    model_medium_free(model->medium);
    g_ptr_array_free(model->entries, TRUE);
    g_free(model);
}

void model_forgive_tears(struct model *model)
{
    model->forgives_tears = true;
}

struct bench *model_bench(struct model *model)
{
    return model->bench;
}

/* -- Operations ----------------------------------------------------------- */

static struct entry *entry_new(struct model *model, enum kind kind)
{
    struct entry *entry = g_new0(struct entry, 1);

    entry->kind = kind;
    entry->started = last_stamp(model);
    g_ptr_array_add(model->entries, entry);
    return entry;
}

static void entry_submitted(struct entry *entry, struct job *job)
{
    entry->job = job;
    entry->submitted = job->op.submitted_stamp;
}

void model_write(struct model *model, uint64_t slba, uint32_t count,
                 bool has_fua)
{
    struct entry *entry = entry_new(model, KIND_WRITE);

    entry->slba = slba;
    entry->count = count;
    entry->has_fua = has_fua;
    entry_submitted(entry, job_write(model->bench, slba, count,
                                     model->bench->id_last + 1, has_fua));
}

void model_zeroes(struct model *model, uint64_t slba, uint32_t count,
                  enum wcache_content content, bool has_fua)
{
    struct entry *entry = entry_new(model, KIND_WRITE);

    entry->slba = slba;
    entry->count = count;
    entry->has_fua = has_fua;
    entry_submitted(entry, job_zeroes(model->bench, slba, count, content,
                                      has_fua));
}

static uint64_t newest_tag(const struct model *model, uint64_t block,
                           uint64_t *newest_visible)
{
    uint64_t tag = model->base[block];
    uint64_t visible = 0;
    uint32_t i;

    for (i = 0; i < model->entries->len; i++) {
        const struct entry *entry = entry_at(model, i);

        if (entry->kind == KIND_WRITE && covers(entry, block) &&
            entry->visible > visible) {
            visible = entry->visible;
            tag = entry->job->tag;
        }
    }
    *newest_visible = visible;
    return tag;
}

void model_read(struct model *model, uint64_t slba, uint32_t count,
                bool has_fua)
{
    struct entry *entry = entry_new(model, KIND_READ);
    uint32_t i;

    g_assert_cmpuint(count, <=, READ_BLOCKS_MAX);
    entry->slba = slba;
    entry->count = count;
    entry->has_fua = has_fua;
    for (i = 0; i < count; i++) {
        entry->newest[i] = newest_tag(model, slba + i,
                                      &entry->newest_visible[i]);
    }
    entry_submitted(entry, job_read(model->bench, slba, count, has_fua));
}

void model_flush(struct model *model)
{
    struct entry *entry = entry_new(model, KIND_FLUSH);

    entry_submitted(entry, job_flush(model->bench));
}

void model_settle(struct model *model)
{
    struct entry *entry = entry_new(model, KIND_SETTLE);

    entry_submitted(entry, job_settle(model->bench));
}

void model_switch(struct model *model, bool is_enabled)
{
    struct entry *entry = entry_new(model, is_enabled ? KIND_READ
                                                      : KIND_SETTLE);

    entry_submitted(entry, job_switch(model->bench, is_enabled));
}

uint32_t model_outstanding(const struct model *model)
{
    uint32_t count = 0;
    uint32_t i;

    for (i = 0; i < model->entries->len; i++) {
        count += !entry_at(model, i)->job->is_completed;
    }
    return count;
}

const struct entry *model_writer(const struct model *model, uint64_t tag,
                                 uint64_t block, uint32_t *at)
{
    while (*at < model->entries->len) {
        const struct entry *entry = entry_at(model, (*at)++);

        if (entry->kind == KIND_WRITE && entry->job->tag == tag &&
            covers(entry, block)) {
            return entry;
        }
    }
    return NULL;
}

uint64_t model_visible(const struct model *model, uint64_t tag, uint64_t block)
{
    const struct entry *entry;
    uint64_t visible = 0;
    uint32_t at = 0;

    while ((entry = model_writer(model, tag, block, &at))) {
        visible = MAX(visible, entry->visible);
    }
    return visible;
}

/* -- Promises ------------------------------------------------------------- */

/* What is promised must be behind the host's own cache, too. */
static void raise_floor(struct model *model, uint64_t block, uint64_t visible)
{
    uint64_t tag = model_medium_durable_tag(model->medium, block);

    g_assert_cmpuint(model_visible(model, tag, block), >=, visible);
    model->floor[block] = MAX(model->floor[block], visible);
}

static void promise(struct model *model, struct entry *entry)
{
    uint32_t i;

    if (entry->is_promised) {
        return;
    }
    entry->is_promised = true;
    for (i = 0; i < entry->count; i++) {
        raise_floor(model, entry->slba + i, entry->visible);
    }
}

/* P1 */
static void flush_done(struct model *model, const struct entry *flush)
{
    uint32_t i;

    for (i = 0; i < model->entries->len; i++) {
        struct entry *entry = entry_at(model, i);

        if (entry->kind == KIND_WRITE && entry->job->is_completed &&
            !entry->job->error &&
            entry->job->completed_stamp < flush->submitted) {
            promise(model, entry);
        }
    }
}

/* P3, P8: all that could be seen when it began, as far as it is completed. */
static void settle_done(struct model *model, const struct entry *settle)
{
    uint32_t i;

    for (i = 0; i < model->entries->len; i++) {
        struct entry *entry = entry_at(model, i);

        if (entry->kind == KIND_WRITE && entry->job->is_completed &&
            !entry->job->error && entry->visible &&
            entry->visible <= settle->submitted) {
            promise(model, entry);
        }
    }
}

/* Settled before its CQE was posted. */
static void complete_settled(struct model *model, struct entry *write)
{
    uint32_t i;

    if (write->kind != KIND_WRITE || write->job->error) {
        return;
    }
    for (i = 0; i < model->entries->len; i++) {
        const struct entry *entry = entry_at(model, i);

        if (entry->kind == KIND_SETTLE && entry->is_seen_done &&
            !entry->job->error && write->visible <= entry->submitted) {
            promise(model, write);
        }
    }
}

/* P2: FUA, or P3: the cache was off. */
static void write_done(struct model *model, struct entry *entry)
{
    g_assert_cmpuint(entry->visible, !=, 0);
    if (entry->has_fua || entry->was_off) {
        g_assert_true(wcache_is_promised(&entry->job->op));
        promise(model, entry);
    }
}

/* The block was read as this write left it, or as a later one did. */
static bool is_read_behind(const struct model *model,
                           const struct entry *read, uint64_t block,
                           const struct entry *write)
{
    uint64_t tag = job_tag(read->job, block - read->slba);

    return tag == write->job->tag ||
           model_visible(model, tag, block) >= write->visible;
}

/* Normal operation (AWUN): of a write that a read shows it shows all. */
static void judge_one_moment(const struct model *model,
                             const struct entry *read,
                             const struct entry *write)
{
    uint64_t start = MAX(read->slba, write->slba);
    uint64_t end = MIN(read->slba + read->count, write->slba + write->count);
    uint64_t block;
    bool is_shown = false;

    for (block = start; write->job->tag && block < end; block++) {
        is_shown |= job_tag(read->job, block - read->slba) == write->job->tag;
    }
    for (block = start; is_shown && block < end; block++) {
        if (!is_read_behind(model, read, block, write)) {
            g_error("read [%u,+%u)%s shows write %" G_GUINT64_FORMAT
                    " [%u,+%u), but not in block %" G_GUINT64_FORMAT,
                    (unsigned)read->slba, read->count,
                    read->has_fua ? " fua" : "", write->job->op.id,
                    (unsigned)write->slba, write->count, block);
        }
    }
}

static void read_done(struct model *model, struct entry *entry)
{
    uint32_t i;

    for (i = 0; i < model->entries->len; i++) {
        if (entry_at(model, i)->kind == KIND_WRITE) {
            judge_one_moment(model, entry, entry_at(model, i));
        }
    }
    for (i = 0; i < entry->count; i++) {
        uint64_t block = entry->slba + i;
        uint64_t tag = job_tag(entry->job, i);

        if (tag != entry->newest[i] &&
            model_visible(model, tag, block) <= entry->started) {
            g_error("read of block %" G_GUINT64_FORMAT ": tag %"
                    G_GUINT64_FORMAT ", newest was %" G_GUINT64_FORMAT, block,
                    tag, entry->newest[i]);
        }
        if (entry->has_fua) {
            raise_floor(model, block, entry->newest_visible[i]);
        }
    }
}

static void look_at(struct model *model, struct entry *entry)
{
    if (entry->kind == KIND_WRITE && !entry->visible &&
        entry->job->op.visible.stamp) {
        entry->visible = entry->job->op.visible.stamp;
        entry->was_off = !wcache_is_enabled(model->bench->cache);
    }
}

static void judge_done(struct model *model, struct entry *entry)
{
    if (!entry->job->is_done || entry->is_seen_done) {
        return;
    }
    entry->is_seen_done = true;
    if (entry->job->error) {
        return;
    }
    switch (entry->kind) {
    case KIND_WRITE:
        write_done(model, entry);
        break;
    case KIND_READ:
        read_done(model, entry);
        break;
    case KIND_FLUSH:
        flush_done(model, entry);
        break;
    case KIND_SETTLE:
        settle_done(model, entry);
        break;
    }
}

static uint64_t unpromised_bytes(const struct model *model)
{
    uint64_t bytes = 0;
    uint32_t i;

    for (i = 0; i < model->entries->len; i++) {
        const struct entry *entry = entry_at(model, i);

        if (entry->kind == KIND_WRITE && entry->job->is_completed &&
            !entry->job->error && !entry->is_promised) {
            bytes += (uint64_t)entry->count * BENCH_BLOCK;
        }
    }
    return bytes;
}

bool model_complete(struct model *model, uint32_t choice)
{
    uint32_t done = 0;
    uint32_t i;

    for (i = 0; i < model->entries->len; i++) {
        const struct job *job = entry_at(model, i)->job;

        done += job->is_done && !job->is_completed;
    }
    if (!done) {
        return false;
    }
    choice %= done;
    for (i = 0; i < model->entries->len; i++) {
        struct entry *entry = entry_at(model, i);

        if (entry->job->is_done && !entry->job->is_completed && !choice--) {
            job_complete(model->bench, entry->job);
            complete_settled(model, entry);
            break;
        }
    }
    return true;
}

/* For whoever reads a failure. */
static void dump(const struct model *model)
{
    static const char *const names[] = { "write", "read", "flush", "settle" };
    uint32_t i;

    for (i = 0; i < model->entries->len; i++) {
        const struct entry *entry = entry_at(model, i);
        const struct job *job = entry->job;

        g_printerr("# %-6s id %3u [%2u,+%u)%s%s submitted %u visible %u "
                   "completed %u error %d%s%s\n", names[entry->kind],
                   (unsigned)job->op.id, (unsigned)entry->slba, entry->count,
                   entry->has_fua ? " fua" : "", entry->was_off ? " off" : "",
                   (unsigned)entry->submitted, (unsigned)entry->visible,
                   (unsigned)job->completed_stamp, job->error,
                   job->is_done ? " done" : "",
                   entry->is_promised ? " promised" : "");
    }
    g_printerr("# stamp now %u, cache %s\n", (unsigned)last_stamp(model),
               wcache_is_enabled(model->bench->cache) ? "on" : "off");
}

void model_look(struct model *model)
{
    uint32_t i;

    for (i = 0; i < model->entries->len; i++) {
        look_at(model, entry_at(model, i));
    }
    for (i = 0; i < model->entries->len; i++) {
        judge_done(model, entry_at(model, i));
    }
    if (wcache_unpromised_bytes(model->bench->cache) !=
        unpromised_bytes(model)) {
        dump(model);
    }
    g_assert_cmpuint(wcache_unpromised_bytes(model->bench->cache), ==,
                     unpromised_bytes(model));
}
