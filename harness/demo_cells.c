/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * demo_cells.c: operation and issuer against kernel: where it completed, and
 * what the drive saw.
 *
 *   overwrite-dsync  io_uring,iopoll  workqueue:dio* WF  workqueue:dio* WF …
 *
 * Issuers of which all kernels say the same share a row. The colour is that of
 * the place; what is wrong is red, and says so.
 */
#include "demo.h"

#include <string.h>

#include "flushes.h"
#include "table.h"

#define LEGEND \
    "Where each I/O completed, and what the drive saw (W write, WF write " \
    "with FUA, F flush;\n* io_uring had handed it to io-wq)"

static const struct {
    const char *place;          /* or how its word begins */
    enum colour colour;
} place_colours[] = {
    { "hardirq", GREEN }, { "softirq", GREEN }, { "irq-thread", GREEN },
    { "polled", CYAN }, { "workqueue:", YELLOW }, { "io-wq", MAGENTA },
    { "sqpoll", MAGENTA }, { "task_work", MAGENTA },
    { "submitter", BLUE }, { "waiter", BLUE },
};

static const struct {
    const char *target;
    const char *title;
} targets[] = {
    { "raw", "raw block device" }, { "xfs", "XFS" }, { "ext4", "ext4" },
};

/* The order of rows; an operation that is not here comes last. */
static const char *const op_order[] = {
    "read", "overwrite", "overwrite-cached", "unwritten", "extend",
    "overwrite-dsync", "overwrite-sync", "fdatasync-clean", "fdatasync-dirty",
    "fsync-clean", "fsync-dirty",
};

struct block {
    const struct run_result *run;
    struct table *table;
    GPtrArray *names;           /* cases of the first suite, in our order */
    GHashTable *done;           /* those that have their row */
};

static enum colour place_colour(const char *place)
{
    for (gsize i = 0; i < G_N_ELEMENTS(place_colours); i++) {
        if (g_str_has_prefix(place, place_colours[i].place)) {
            return place_colours[i].colour;
        }
    }
    return PLAIN;
}

static const char *commands_of(const struct case_result *result)
{
    return result->commands && !g_str_equal(result->commands, "-")
           ? result->commands : "";
}

/* "workqueue:dio* WF", of the words ISSUED COMPLETED SYNCED. */
static char *cell_text(const struct case_result *result, enum colour *colour)
{
    g_auto(GStrv) words = NULL;
    bool is_punted;

    *colour = RED;
    if (!result || result->verdict == VERDICT_SKIP) {
        *colour = PLAIN;
        return g_strdup(result ? "skipped" : "not run");
    }
    if (!verdict_is_ok(result->verdict)) {
        return g_strdup_printf("%s %s %s", verdict_name(result->verdict),
                               result->context ? result->context : "-",
                               commands_of(result));
    }
    if (!result->context) {
        *colour = PLAIN;
        return g_strdup(commands_of(result));
    }
    words = g_strsplit(result->context, " ", 3);
    is_punted = g_str_has_prefix(words[0], "io-wq");
    *colour = place_colour(words[1]);
    return g_strchomp(g_strdup_printf("%s%s %s", words[1],
                                      is_punted ? "*" : "",
                                      commands_of(result)));
}

static bool says_the_same(const struct run_result *run, const char *a,
                          const char *b)
{
    for (guint i = 0; i < run->suites->len; i++) {
        const struct suite_result *suite = run->suites->pdata[i];
        enum colour unused;
        g_autofree char *one = cell_text(suite_result_case(suite, a), &unused);
        g_autofree char *two = cell_text(suite_result_case(suite, b), &unused);

        if (!g_str_equal(one, two)) {
            return false;
        }
    }
    return true;
}

/* GROUP.TARGET.OP. and the issuer behind it. */
static gsize stem_length(const char *name)
{
    return (gsize)(strrchr(name, '.') - name) + 1;
}

/* Cases like this one but for the issuer, this one first. */
static GPtrArray *same_row(const struct block *block, const char *name)
{
    GPtrArray *names = g_ptr_array_new();

    for (guint i = 0; i < block->names->len; i++) {
        char *other = block->names->pdata[i];

        if (strncmp(other, name, stem_length(name)) == 0 &&
            says_the_same(block->run, name, other)) {
            g_ptr_array_add(names, other);
        }
    }
    return names;
}

static void add_row(struct block *block, const struct flushes_name *name,
                    const GPtrArray *names)
{
    g_autoptr(GString) issuers = g_string_new(NULL);

    for (guint i = 0; i < names->len; i++) {
        g_string_append_printf(issuers, "%s%s", i ? "," : "",
                               strrchr(names->pdata[i], '.') + 1);
        g_hash_table_add(block->done, names->pdata[i]);
    }
    table_row(block->table);
    table_cell(block->table, PLAIN, "%s", name->op);
    for (guint i = 0; i < block->run->suites->len; i++) {
        enum colour colour;
        g_autofree char *text =
            cell_text(suite_result_case(block->run->suites->pdata[i],
                                        names->pdata[0]), &colour);

        table_cell(block->table, colour, "%s", text);
    }
    table_cell(block->table, PLAIN, "%s", issuers->str);
}

static void add_case(struct block *block, const char *target,
                     const char *case_name)
{
    struct flushes_name name = { 0 };

    if (flushes_name_parse(case_name, &name) &&
        g_str_equal(name.target, target) &&
        !g_hash_table_contains(block->done, case_name)) {
        g_autoptr(GPtrArray) names = same_row(block, case_name);

        add_row(block, &name, names);
    }
    flushes_name_clear(&name);
}

static void add_head(struct block *block, const char *title)
{
    table_row(block->table);
    table_cell(block->table, BOLD, "%s", title);
    for (guint i = 0; i < block->run->suites->len; i++) {
        const struct suite_result *suite = block->run->suites->pdata[i];

        table_cell(block->table, BOLD, "%s", suite->name);
    }
    table_cell(block->table, BOLD, "issued by");
}

static gsize op_rank(const char *case_name)
{
    struct flushes_name name = { 0 };
    gsize rank = 0;

    flushes_name_parse(case_name, &name);
    while (rank < G_N_ELEMENTS(op_order) &&
           g_strcmp0(name.op, op_order[rank]) != 0) {
        rank++;
    }
    flushes_name_clear(&name);
    return rank;
}

static gint by_op(gconstpointer a, gconstpointer b)
{
    const char *one = *(char *const *)a;
    const char *two = *(char *const *)b;
    gsize rank = op_rank(one);
    gsize other = op_rank(two);

    return rank == other ? strcmp(one, two) : rank < other ? -1 : 1;
}

static GPtrArray *sorted_names(const struct suite_result *suite)
{
    GPtrArray *names = g_ptr_array_new();

    for (guint i = 0; i < suite->cases->len; i++) {
        const struct case_result *result = suite->cases->pdata[i];

        g_ptr_array_add(names, result->name);
    }
    g_ptr_array_sort(names, by_op);
    return names;
}

void demo_cells(const struct run_result *run, GString *text, bool has_colour)
{
    struct block block = {
        .run = run, .table = table_new(),
        .names = sorted_names(run->suites->pdata[0]),
        .done = g_hash_table_new(g_str_hash, g_str_equal),
    };

    heading_append(text, has_colour, LEGEND);
    for (gsize i = 0; i < G_N_ELEMENTS(targets); i++) {
        if (i) {
            table_row(block.table);
        }
        add_head(&block, targets[i].title);
        for (guint j = 0; j < block.names->len; j++) {
            add_case(&block, targets[i].target, block.names->pdata[j]);
        }
    }
    table_append(block.table, text, "", has_colour);
    table_free(block.table);
    g_ptr_array_unref(block.names);
    g_hash_table_unref(block.done);
}
