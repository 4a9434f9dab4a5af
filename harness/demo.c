/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * demo.c: a run as tables for people: which kernels, what they did, what a
 * power cut left, and what is wrong.
 */
#include "demo.h"

#include <unistd.h>

#include "flushes.h"
#include "table.h"

static void about(const struct run_result *run, GString *text)
{
    struct table *table = table_new();

    for (guint i = 0; i < run->suites->len; i++) {
        const struct suite_result *suite = run->suites->pdata[i];

        table_row(table);
        table_cell(table, PLAIN, "%s", suite->name);
        table_cell(table, PLAIN, "Linux %s", suite->kernel_release
                   ? suite->kernel_release : "none");
        table_cell(table, PLAIN, "%s, QEMU %s, %s, %.0f s",
                   suite->drive_properties,
                   suite->qemu_version ? suite->qemu_version : "unknown",
                   suite->accel, suite->seconds);
    }
    table_append(table, text, "", false);
    table_free(table);
}

/* Why a kernel sends what nobody needs: one line per source. */
static void known_redundancies(const struct run_result *run, GString *text,
                               bool has_colour)
{
    g_autoptr(GHashTable) done =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

    heading_append(text, has_colour,
                 "Known to be redundant, and who sends it");
    for (guint i = 0; i < run->suites->len; i++) {
        const struct suite_result *suite = run->suites->pdata[i];

        for (guint j = 0; j < suite->cases->len; j++) {
            const struct case_result *result = suite->cases->pdata[j];
            struct flushes_name name = { 0 };
            g_autofree char *line = NULL;

            if (!result->redundant_listed || !result->commands_source ||
                !flushes_name_parse(result->name, &name)) {
                continue;
            }
            line = g_strdup_printf("%-5s %s\n", name.target,
                                   result->commands_source);
            flushes_name_clear(&name);
            if (!g_hash_table_contains(done, line)) {
                g_string_append(text, line);
                g_hash_table_add(done, g_steal_pointer(&line));
            }
        }
    }
}

static unsigned append_failures(const struct suite_result *suite,
                                GString *text, bool has_colour)
{
    unsigned count = 0;

    if (suite->problem) {
        colour_append(text, has_colour, RED, suite->name);
        g_string_append_printf(text, ": %s\n", suite->problem);
        count++;
    }
    for (guint i = 0; i < suite->cases->len; i++) {
        const struct case_result *result = suite->cases->pdata[i];

        if (verdict_is_ok(result->verdict)) {
            continue;
        }
        colour_append(text, has_colour, RED, result->name);
        g_string_append_printf(text, " on %s: %s\n  again: %s\n", suite->name,
                               result->reason ? result->reason : "",
                               result->rerun ? result->rerun : "");
        count++;
    }
    return count;
}

/* Failures are few or the demo is not worth reading; all are listed. */
static void findings(const struct run_result *run, GString *text,
                     bool has_colour)
{
    unsigned count = 0;

    heading_append(text, has_colour, "Findings");
    for (guint i = 0; i < run->suites->len; i++) {
        count += append_failures(run->suites->pdata[i], text, has_colour);
    }
    if (!count) {
        g_string_append(text, "none: every I/O completed where its kernel's "
                        "source says, no flush was missing,\nnone redundant "
                        "that is not known, nothing promised was lost\n");
    }
}

void demo_print(const struct run_result *run, FILE *out)
{
    const char *no_color = g_getenv("NO_COLOR");
    bool has_colour = isatty(fileno(out)) && !(no_color && *no_color);
    g_autoptr(GString) text = g_string_new(NULL);

    if (!run->suites->len) {
        return;
    }
    about(run, text);
    demo_cells(run, text, has_colour);
    demo_cuts(run, text, has_colour);
    known_redundancies(run, text, has_colour);
    findings(run, text, has_colour);
    g_string_append_printf(text, "results: %s\n", run->directory);
    fputs(text->str, out);
}
