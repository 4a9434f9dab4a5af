/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * diff.c: the kernels of a run side by side.
 *
 * Two kernels agree on a case when verdict, context and commands are the same.
 * Only the same drive is compared: on another one another sequence is right. A
 * case that one of them has not run (its guest was lost, say) is a difference,
 * too: nothing is known to be the same. The order is that of the run.
 */
#include "diff.h"

#include <string.h>

#include "table.h"

#define NOT_RUN "not run"

/* One drive: a column per kernel, a row per case that any of them has run. */
struct side_by_side {
    const char *drive;
    GPtrArray *suites;          /* const struct suite_result */
    GPtrArray *names;           /* const char, of cases */
};

static void add_suite(struct side_by_side *sides, struct suite_result *suite)
{
    g_ptr_array_add(sides->suites, suite);
    for (guint i = 0; i < suite->cases->len; i++) {
        struct case_result *result = suite->cases->pdata[i];

        if (!g_ptr_array_find_with_equal_func(sides->names, result->name,
                                              g_str_equal, NULL)) {
            g_ptr_array_add(sides->names, result->name);
        }
    }
}

/* What a kernel says about a case: what is compared is what is printed. */
static char *cell(const struct suite_result *suite, const char *name)
{
    const struct case_result *result = suite_result_case(suite, name);

    if (!result) {
        return g_strdup(NOT_RUN);
    }
    if (!result->commands) {
        return g_strdup(verdict_name(result->verdict));
    }
    return g_strdup_printf("%s: %s%s%s", verdict_name(result->verdict),
                           result->context ? result->context : "",
                           result->context ? ": " : "", result->commands);
}

/* Cells of a case, or NULL when all are the same. */
static char **row_of_difference(const struct side_by_side *sides,
                                const char *name)
{
    char **row = g_new0(char *, sides->suites->len + 2);
    bool differs = false;

    row[0] = g_strdup(name);
    for (guint i = 0; i < sides->suites->len; i++) {
        row[i + 1] = cell(sides->suites->pdata[i], name);
        differs = differs || !g_str_equal(row[i + 1], row[1]);
    }
    if (!differs) {
        g_clear_pointer(&row, g_strfreev);
    }
    return row;
}

/* KERNEL of KERNEL.DRIVE: a slug, where the word given may be a path. */
static char *kernel_name(const struct suite_result *suite)
{
    g_autofree char *tail = g_strconcat(".", suite->drive, NULL);
    gsize length = strlen(suite->name);

    if (g_str_has_suffix(suite->name, tail)) {
        length -= strlen(tail);
    }
    return g_strndup(suite->name, length);
}

static char **head_row(const struct side_by_side *sides)
{
    char **row = g_new0(char *, sides->suites->len + 2);

    row[0] = g_strdup("case");
    for (guint i = 0; i < sides->suites->len; i++) {
        row[i + 1] = kernel_name(sides->suites->pdata[i]);
    }
    return row;
}

static void add_table(GString *text, const char *prefix,
                      const GPtrArray *rows)
{
    struct table *table = table_new();

    for (guint i = 0; i < rows->len; i++) {
        char **row = rows->pdata[i];

        table_row(table);
        for (guint j = 0; row[j]; j++) {
            table_cell(table, PLAIN, "%s", row[j]);
        }
    }
    table_append(table, text, prefix, false);
    table_free(table);
}

static void add_drive(GString *text, const char *prefix,
                      const struct side_by_side *sides)
{
    g_autoptr(GPtrArray) rows =
        g_ptr_array_new_with_free_func((GDestroyNotify)g_strfreev);

    g_ptr_array_add(rows, head_row(sides));
    for (guint i = 0; i < sides->names->len; i++) {
        char **row = row_of_difference(sides, sides->names->pdata[i]);

        if (row) {
            g_ptr_array_add(rows, row);
        }
    }
    g_string_append_printf(text, "%skernels on %s: %u of %u cases differ\n",
                           prefix, sides->drive, rows->len - 1,
                           sides->names->len);
    if (rows->len > 1) {
        add_table(text, prefix, rows);
    }
}

static bool is_first_of_drive(const struct run_result *run, guint number)
{
    const struct suite_result *suite = run->suites->pdata[number];

    for (guint i = 0; i < number; i++) {
        const struct suite_result *other = run->suites->pdata[i];

        if (g_str_equal(other->drive, suite->drive)) {
            return false;
        }
    }
    return true;
}

char *diff_kernels(const struct run_result *run, const char *prefix)
{
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < run->suites->len; i++) {
        const struct suite_result *first = run->suites->pdata[i];
        struct side_by_side sides = { .drive = first->drive };

        if (!is_first_of_drive(run, i)) {
            continue;
        }
        sides.suites = g_ptr_array_new();
        sides.names = g_ptr_array_new();
        for (guint j = i; j < run->suites->len; j++) {
            struct suite_result *suite = run->suites->pdata[j];

            if (g_str_equal(suite->drive, first->drive)) {
                add_suite(&sides, suite);
            }
        }
        add_drive(text, prefix, &sides);
        g_ptr_array_unref(sides.suites);
        g_ptr_array_unref(sides.names);
    }
    return g_string_free(text, FALSE);
}
