/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * report.c: KTAP version 1 (Documentation/dev-tools/ktap.rst, Linux 6.12).
 *
 * Suites are tests whose subtests are the cases. Diagnostics stand before the
 * result they belong to and are indented like it. Names never hold "#", which
 * begins the directive; in reasons it is replaced.
 */
#include "report.h"

#include <string.h>

#include "failure.h"

static const struct {
    const char *word;
    enum report_format format;
    char *(*make)(const struct run_result *run);
} formats[] = {
    { "ktap", REPORT_KTAP, report_ktap },
    { "ktap-flat", REPORT_KTAP_FLAT, report_ktap_flat },
    { "junit", REPORT_JUNIT, report_junit },
    { "json", REPORT_JSON, report_json },
};

gboolean report_format_parse(const char *word, enum report_format *format,
                             GError **error)
{
    g_autoptr(GString) known = g_string_new(NULL);

    for (gsize i = 0; i < G_N_ELEMENTS(formats); i++) {
        if (g_str_equal(formats[i].word, word)) {
            *format = formats[i].format;
            return TRUE;
        }
        g_string_append_printf(known, " %s", formats[i].word);
    }
    g_set_error(error, FAILURE, FAILURE_USAGE,
                "no format is called '%s'; there are:%s", word, known->str);
    return FALSE;
}

char *report_make(enum report_format format, const struct run_result *run)
{
    return formats[format].make(run);
}

static void add_result(GString *text, const char *indent, enum verdict verdict,
                       guint number, const char *name, const char *reason)
{
    const char *directive = verdict_directive(verdict);

    g_string_append_printf(text, "%s%s %u %s", indent,
                           verdict_is_ok(verdict) ? "ok" : "not ok", number,
                           name);
    if (directive) {
        g_autofree char *clean = g_strdup(reason ? reason : "");

        g_strdelimit(clean, "#\n\r", ' ');
        g_string_append_printf(text, " # %s%s%s", directive,
                               *clean ? " " : "", clean);
    }
    g_string_append_c(text, '\n');
}

/* One line what, the details, one line how to have it again. */
static void add_case(GString *text, const char *indent,
                     const struct case_result *result, guint number,
                     const char *name)
{
    bool is_ok = verdict_is_ok(result->verdict);

    if (!is_ok && result->reason) {
        g_string_append_printf(text, "%s# %s\n", indent, result->reason);
    }
    for (guint i = 0; !is_ok && i < result->notes->len; i++) {
        g_string_append_printf(text, "%s# %s\n", indent,
                               (char *)result->notes->pdata[i]);
    }
    if (!is_ok && result->rerun) {
        g_string_append_printf(text, "%s# rerun: %s\n", indent,
                               result->rerun);
    }
    add_result(text, indent, result->verdict, number, name, result->reason);
}

static void add_about(GString *text, const char *indent,
                      const struct suite_result *suite)
{
    g_string_append_printf(text, "%s# kernel %s, QEMU %s, %s\n", indent,
                           suite->kernel_release ? suite->kernel_release
                                                 : "did not boot",
                           suite->qemu_version ? suite->qemu_version
                                               : "unknown",
                           suite->accel);
    g_string_append_printf(text, "%s# drive %s\n", indent,
                           suite->drive_properties);
    if (suite->unwatched) {
        g_string_append_printf(text, "%s# never-events not watched: %s\n",
                               indent, suite->unwatched);
    }
    g_string_append_printf(text, "%s# results %s\n", indent,
                           suite->directory);
}

char *report_ktap_header(guint suite_count)
{
    return g_strdup_printf("KTAP version 1\n1..%u\n", suite_count);
}

char *report_ktap_suite(const struct suite_result *suite, guint number)
{
    GString *text = g_string_new(NULL);

    if (suite->cases->len) {
        g_string_append_printf(text, "  KTAP version 1\n  1..%u\n",
                               suite->cases->len);
    }
    for (guint i = 0; i < suite->cases->len; i++) {
        const struct case_result *result = suite->cases->pdata[i];

        add_case(text, "  ", result, i + 1, result->name);
    }
    add_about(text, "", suite);
    if (suite->problem) {
        g_string_append_printf(text, "# %s\n", suite->problem);
        add_result(text, "", VERDICT_ERROR, number, suite->name,
                   suite->problem);
    } else {
        enum verdict verdict = suite_result_verdict(suite);

        /* What is wrong with a case stands at the case. */
        if (!verdict_is_ok(verdict)) {
            verdict = VERDICT_FAIL;
        }
        add_result(text, "", verdict, number, suite->name,
                   verdict == VERDICT_SKIP ? "all cases were skipped" : NULL);
    }
    return g_string_free(text, FALSE);
}

char *report_ktap(const struct run_result *run)
{
    g_autofree char *header = report_ktap_header(run->suites->len);
    GString *text = g_string_new(header);

    for (guint i = 0; i < run->suites->len; i++) {
        g_autofree char *suite = report_ktap_suite(run->suites->pdata[i],
                                                   i + 1);

        g_string_append(text, suite);
    }
    return g_string_free(text, FALSE);
}

/* A suite with a problem is one more test, so that the problem has a line. */
static guint flat_count(const struct run_result *run)
{
    guint count = 0;

    for (guint i = 0; i < run->suites->len; i++) {
        const struct suite_result *suite = run->suites->pdata[i];

        count += suite->cases->len + (suite->problem != NULL);
    }
    return count;
}

char *report_ktap_flat(const struct run_result *run)
{
    g_autofree char *header = report_ktap_header(flat_count(run));
    GString *text = g_string_new(header);
    guint number = 0;

    for (guint i = 0; i < run->suites->len; i++) {
        const struct suite_result *suite = run->suites->pdata[i];

        add_about(text, "", suite);
        for (guint j = 0; j < suite->cases->len; j++) {
            const struct case_result *result = suite->cases->pdata[j];
            g_autofree char *name = g_strdup_printf("%s.%s", suite->name,
                                                    result->name);

            add_case(text, "", result, ++number, name);
        }
        if (suite->problem) {
            g_string_append_printf(text, "# %s\n", suite->problem);
            add_result(text, "", VERDICT_ERROR, ++number, suite->name,
                       suite->problem);
        }
    }
    return g_string_free(text, FALSE);
}
