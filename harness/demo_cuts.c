/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * demo_cuts.c: what was kept of each durability case, and what the power cuts
 * took.
 */
#include "demo.h"

#include <stdio.h>
#include <string.h>

#include "table.h"

/*
 * A case that holds keeps the words of its first cut, the one that drops all
 * (guest-tests/durability/claim.c): they say what was found, in blocks.
 */
static char *found_after_cut(const struct case_result *result)
{
    const char *counts = strstr(result->reason ? result->reason : "",
                                "promised and kept ");
    unsigned promised = 0, kept = 0, lost = 0;
    GString *text = g_string_new(NULL);

    if (!counts || sscanf(counts, "promised and kept %u, unpromised kept %u "
                          "lost %u", &promised, &kept, &lost) != 3) {
        g_string_append(text, "held");
    }
    if (promised) {
        g_string_append_printf(text, "synced %u: kept", promised);
    }
    if (kept + lost) {
        g_string_append_printf(text, "%sunsynced %u: lost %u",
                               text->len ? ", " : "", kept + lost, lost);
    }
    return g_string_free(text, FALSE);
}

static void add_cell(struct table *table, const struct case_result *result)
{
    g_autofree char *found = NULL;

    if (!result) {
        table_cell(table, YELLOW, "not run");
    } else if (result->verdict == VERDICT_PASS) {
        found = found_after_cut(result);
        table_cell(table, GREEN, "%s", found);
    } else if (result->verdict == VERDICT_SKIP) {
        table_cell(table, YELLOW, "skipped: %s", result->reason);
    } else {
        table_cell(table, RED, "%s: %s", verdict_name(result->verdict),
                   result->failed_policy ? result->failed_policy
                                         : result->reason);
    }
}

static void add_claims(const struct run_result *run, struct table *table)
{
    const struct suite_result *first = run->suites->pdata[0];

    for (guint i = 0; i < first->cases->len; i++) {
        const struct case_result *result = first->cases->pdata[i];

        if (!g_str_has_prefix(result->name, "durability.")) {
            continue;
        }
        table_row(table);
        table_cell(table, PLAIN, "%s", result->name + strlen("durability."));
        for (guint j = 0; j < run->suites->len; j++) {
            add_cell(table, suite_result_case(run->suites->pdata[j],
                                              result->name));
        }
    }
}

static void add_cuts(const struct run_result *run, struct table *table)
{
    for (guint i = 0; i < run->suites->len; i++) {
        const struct suite_result *suite = run->suites->pdata[i];

        for (guint j = 0; j < suite->cuts->len; j++) {
            const struct cut_result *cut = suite->cuts->pdata[j];

            table_row(table);
            table_cell(table, PLAIN, "%s", suite->name);
            table_cell(table, PLAIN, "%s", cut->policy);
            table_cell(table, PLAIN, "took %4u, kept %4u, tore %4u",
                       cut->dropped, cut->kept, cut->torn);
        }
    }
}

void demo_cuts(const struct run_result *run, GString *text, bool has_colour)
{
    struct table *claims = table_new();
    struct table *cuts = table_new();

    heading_append(text, has_colour, "What a power cut took and what was kept "
                 "(logical blocks; the cut that drops all)");
    add_claims(run, claims);
    table_append(claims, text, "", has_colour);
    heading_append(text, has_colour, "Each cut: writes that had no promise "
                 "(tore: kept some blocks)");
    add_cuts(run, cuts);
    table_append(cuts, text, "", has_colour);
    table_free(claims);
    table_free(cuts);
}
