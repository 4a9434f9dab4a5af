/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The write cache against its model: random operations over a medium whose
 * requests are carried out in random order, with cuts, evictions, switching
 * and failing storage. model_wcache.c is the judge.
 */
#include <errno.h>

#include "model_wcache.h"
#include "prop.h"

#define STEPS 160
#define OUTSTANDING_MAX 24
/* Few blocks, so that writes overlap. */
#define BLOCKS_USED 24
#define COUNT_MAX 9

static struct wcache_config draw_config(struct prop_rng *rng, bool is_atomic)
{
    static const uint32_t atomics[] = { 2, 4, 8, 64 };
    struct wcache_config config = bench_config();

    config.limit_bytes = (4 + prop_below(rng, 60)) * BENCH_BLOCK;
    config.is_enabled = !prop_one_in(rng, 6);
    if (is_atomic) {
        config.atomicity.blocks = atomics[prop_below(rng, 4)];
    }
    if (is_atomic && prop_one_in(rng, 2)) {
        config.atomicity.boundary_blocks = config.atomicity.blocks +
                                           prop_below(rng, 6);
        config.atomicity.boundary_offset =
            prop_below(rng, config.atomicity.boundary_blocks);
    }
    return config;
}

static void step_store(struct model *model, struct prop_rng *rng)
{
    struct bench *bench = model_bench(model);
    uint32_t medium = store_ram_waiting(bench->ram);
    uint32_t meta = bench->meta ? store_ram_waiting(bench->meta) : 0;
    uint32_t choice;

    if (!medium && !meta) {
        return;
    }
    choice = prop_below(rng, medium + meta);
    if (choice < medium) {
        store_ram_step(bench->ram, choice);
    } else {
        store_ram_step(bench->meta, choice - medium);
    }
}

static void draw_range(struct prop_rng *rng, uint64_t *slba, uint32_t *count)
{
    *count = 1 + prop_below(rng, COUNT_MAX);
    *slba = prop_below(rng, BLOCKS_USED - *count);
}

static void step_submit(struct model *model, struct prop_rng *rng)
{
    uint64_t slba;
    uint32_t count;

    if (model_outstanding(model) >= OUTSTANDING_MAX) {
        return;
    }
    draw_range(rng, &slba, &count);
    switch (prop_below(rng, 14)) {
    case 0:
    case 1:
        model_flush(model);
        break;
    case 2:
    case 3:
    case 4:
        model_read(model, slba, count, prop_one_in(rng, 3));
        break;
    case 5:
        if (prop_one_in(rng, 3)) {
            model_settle(model);
        } else if (prop_one_in(rng, 2)) {
            model_switch(model, prop_one_in(rng, 2));
        }
        break;
    case 6:
    case 7:
        model_zeroes(model, slba, count,
                     prop_one_in(rng, 2) ? WCACHE_ZEROES : WCACHE_DEALLOCATED,
                     prop_one_in(rng, 4));
        break;
    default:
        model_write(model, slba, count, prop_one_in(rng, 4));
        break;
    }
}

static void fail_stores(struct model *model, int medium, int meta)
{
    struct bench *bench = model_bench(model);

    store_ram_fail(bench->ram, medium);
    if (bench->meta) {
        store_ram_fail(bench->meta, meta);
    }
}

static void cut(struct model *model, struct prop_rng *rng)
{
    fail_stores(model, 0, 0);
    model_cut(model, prop_below(rng, 3), prop_draw(rng));
    model_look(model);
}

static void step(struct model *model, struct prop_rng *rng, bool has_errors)
{
    uint32_t choice = prop_below(rng, 100);

    if (choice < 40) {
        step_submit(model, rng);
    } else if (choice < 70) {
        step_store(model, rng);
    } else if (choice < 98) {
        model_complete(model, prop_below(rng, 1000));
    } else if (choice == 98) {
        cut(model, rng);
    } else if (has_errors) {
        fail_stores(model, prop_one_in(rng, 2) ? -EIO : 0,
                    prop_one_in(rng, 3) ? -EIO : 0);
    }
    model_look(model);
    if (prop_one_in(rng, 8)) {
        model_die(model, rng);
    }
}

/* With storage that works again, everything ends. */
static void finish(struct model *model)
{
    struct bench *bench = model_bench(model);

    fail_stores(model, 0, 0);
    bench_settle(bench);
    model_look(model);
    while (model_complete(model, 0)) {
        model_look(model);
        bench_settle(bench);
    }
    model_look(model);
    g_assert_cmpuint(model_outstanding(model), ==, 0);
}

static void run(struct prop_rng *rng, bool is_atomic, bool has_errors)
{
    struct wcache_config config = draw_config(rng, is_atomic);
    struct model *model = model_new(&config);
    uint32_t i;

    if (has_errors) {
        model_forgive_tears(model);
    }
    for (i = 0; i < STEPS; i++) {
        step(model, rng, has_errors);
    }
    if (prop_one_in(rng, 2)) {
        finish(model);
    }
    cut(model, rng);
    model_free(model);
}

static void prop_promises(struct prop_rng *rng)
{
    run(rng, false, false);
}

static void prop_errors(struct prop_rng *rng)
{
    run(rng, prop_one_in(rng, 2), true);
}

static void prop_atomic(struct prop_rng *rng)
{
    run(rng, true, false);
}

int main(int argc, char **argv)
{
    static const struct prop props[] = {
        { "/prop/wcache/promises-hold-over-any-cut", prop_promises, 6000 },
        { "/prop/wcache/failing-storage-loses-no-promise", prop_errors, 5000 },
        { "/prop/wcache/atomic-writes-stay-whole", prop_atomic, 5000 },
    };

    return prop_main(argc, argv, props, G_N_ELEMENTS(props));
}
