/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * exclusion_table.c: other operations against parked writes.
 *
 *   6.12.vwc, xfs  overwrite  overwrite
 *                             aio
 *   write          i_rwsem    + collides
 */
#include "exclusion_table.h"

#include <string.h>

#include "exclusion.h"
#include "table.h"

static const char *const targets[] = { "raw", "xfs", "ext4" };

struct block {
    const struct suite_result *suite;
    const char *target;
    GPtrArray *holders;         /* words, in the order of the cases */
    GPtrArray *others;
};

static void add_word(GPtrArray *words, const char *word)
{
    if (!g_ptr_array_find_with_equal_func(words, word, g_str_equal, NULL)) {
        g_ptr_array_add(words, g_strdup(word));
    }
}

static struct block block_new(const struct suite_result *suite,
                              const char *target)
{
    struct block block = {
        .suite = suite, .target = target,
        .holders = g_ptr_array_new_with_free_func(g_free),
        .others = g_ptr_array_new_with_free_func(g_free),
    };

    for (guint i = 0; i < suite->cases->len; i++) {
        const struct case_result *result = suite->cases->pdata[i];
        g_auto(GStrv) words = g_strsplit(result->name, ".", -1);

        if (exclusion_is_case(result->name) && g_strv_length(words) == 4 &&
            g_str_equal(words[1], target)) {
            add_word(block.holders, words[2]);
            add_word(block.others, words[3]);
        }
    }
    return block;
}

static void block_clear(struct block *block)
{
    g_ptr_array_unref(block->holders);
    g_ptr_array_unref(block->others);
}

/* Half of a holder's name a line: a column is as wide as its longer one. */
static void add_head(const struct block *block, struct table *table)
{
    table_row(table);
    table_cell(table, BOLD, "%s, %s", block->suite->name, block->target);
    for (guint i = 0; i < block->holders->len; i++) {
        const char *holder = block->holders->pdata[i];

        table_cell(table, BOLD, "%.*s", (int)strcspn(holder, "-"), holder);
    }
    table_row(table);
    table_cell(table, PLAIN, "%s", "");
    for (guint i = 0; i < block->holders->len; i++) {
        const char *rest = strchr(block->holders->pdata[i], '-');

        table_cell(table, BOLD, "%s", rest ? rest + 1 : "");
    }
}

static void add_answer(const struct block *block, struct table *table,
                       const char *holder, const char *other)
{
    g_autofree char *name = g_strdup_printf("exclusion.%s.%s.%s",
                                            block->target, holder, other);
    const struct case_result *result = suite_result_case(block->suite, name);
    g_autofree char *answer = NULL;

    if (!result || !verdict_is_ok(result->verdict)) {
        table_cell(table, RED, "%s",
                   result ? verdict_name(result->verdict) : "");
        return;
    }
    answer = exclusion_answer(result);
    table_cell(table, *answer == '+' ? GREEN : YELLOW, "%s", answer);
}

static void add_block(const struct block *block, struct table *table)
{
    add_head(block, table);
    for (guint i = 0; i < block->others->len; i++) {
        table_row(table);
        table_cell(table, PLAIN, "%s", (char *)block->others->pdata[i]);
        for (guint j = 0; j < block->holders->len; j++) {
            add_answer(block, table, block->holders->pdata[j],
                       block->others->pdata[i]);
        }
    }
}

char *exclusion_tables(const struct run_result *run, const char *prefix,
                       bool has_colour)
{
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < run->suites->len; i++) {
        for (gsize t = 0; t < G_N_ELEMENTS(targets); t++) {
            struct block block = block_new(run->suites->pdata[i], targets[t]);
            struct table *table = table_new();

            if (block.others->len) {
                add_block(&block, table);
                g_string_append_printf(text, "%s\n", prefix);
                table_append(table, text, prefix, has_colour);
            }
            table_free(table);
            block_clear(&block);
        }
    }
    return g_string_free(text, FALSE);
}
