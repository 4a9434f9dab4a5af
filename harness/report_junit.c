/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * report_junit.c: results as JUnit XML, the dialect that CI servers read: one
 * testsuite per kernel and drive, one testcase per case, with <failure>,
 * <error> or <skipped> inside.
 */
#include <string.h>

#include "report.h"

/* Control characters are not allowed in XML 1.0, not even escaped. */
static char *escape(const char *text)
{
    g_autofree char *valid = g_utf8_make_valid(text ? text : "", -1);

    for (char *at = valid; *at; at++) {
        if ((unsigned char)*at < 0x20 && !strchr("\t\n", *at)) {
            *at = '?';
        }
    }
    return g_markup_escape_text(valid, -1);
}

static const char *element(enum verdict verdict)
{
    switch (verdict) {
    case VERDICT_SKIP:
        return "skipped";
    case VERDICT_FAIL:
        return "failure";
    case VERDICT_TIMEOUT:
    case VERDICT_ERROR:
        return "error";
    default:
        return NULL;
    }
}

static void add_details(GString *text, const struct case_result *result)
{
    for (guint i = 0; i < result->notes->len; i++) {
        g_autofree char *note = escape(result->notes->pdata[i]);

        g_string_append_printf(text, "%s\n", note);
    }
    if (result->rerun) {
        g_autofree char *rerun = escape(result->rerun);

        g_string_append_printf(text, "rerun: %s\n", rerun);
    }
}

static void add_case(GString *text, const struct suite_result *suite,
                     const struct case_result *result)
{
    g_autofree char *name = escape(result->name);
    g_autofree char *class = escape(suite->name);
    g_autofree char *reason = escape(result->reason);
    const char *inside = element(result->verdict);
    char seconds[G_ASCII_DTOSTR_BUF_SIZE];

    g_ascii_formatd(seconds, sizeof(seconds), "%.3f", result->seconds);
    g_string_append_printf(text, "    <testcase classname=\"%s\" name=\"%s\" "
                           "time=\"%s\"", class, name, seconds);
    if (!inside) {
        g_string_append(text, "/>\n");
        return;
    }
    g_string_append_printf(text, ">\n      <%s message=\"%s\"", inside,
                           reason);
    if (result->verdict == VERDICT_SKIP) {
        g_string_append(text, "/>\n");
    } else {
        g_string_append_printf(text, " type=\"%s\">",
                               verdict_name(result->verdict));
        add_details(text, result);
        g_string_append_printf(text, "</%s>\n", inside);
    }
    g_string_append(text, "    </testcase>\n");
}

static guint count(const struct suite_result *suite, const char *wanted)
{
    guint found = 0;

    for (guint i = 0; i < suite->cases->len; i++) {
        const struct case_result *result = suite->cases->pdata[i];

        found += g_strcmp0(element(result->verdict), wanted) == 0;
    }
    return found;
}

static void add_suite(GString *text, const struct suite_result *suite)
{
    g_autofree char *name = escape(suite->name);
    char seconds[G_ASCII_DTOSTR_BUF_SIZE];
    guint has_problem = suite->problem != NULL;

    g_ascii_formatd(seconds, sizeof(seconds), "%.3f", suite->seconds);
    g_string_append_printf(text, "  <testsuite name=\"%s\" tests=\"%u\" "
                           "failures=\"%u\" errors=\"%u\" skipped=\"%u\" "
                           "time=\"%s\">\n", name,
                           suite->cases->len + has_problem,
                           count(suite, "failure"),
                           count(suite, "error") + has_problem,
                           count(suite, "skipped"), seconds);
    for (guint i = 0; i < suite->cases->len; i++) {
        add_case(text, suite, suite->cases->pdata[i]);
    }
    if (suite->problem) {
        g_autofree char *problem = escape(suite->problem);

        g_string_append_printf(text, "    <testcase classname=\"%s\" "
                               "name=\"suite\">\n      <error message=\"%s\"/>"
                               "\n    </testcase>\n", name, problem);
    }
    g_string_append(text, "  </testsuite>\n");
}

char *report_junit(const struct run_result *run)
{
    GString *text = g_string_new("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                                 "<testsuites name=\"nvmelab\">\n");

    for (guint i = 0; i < run->suites->len; i++) {
        add_suite(text, run->suites->pdata[i]);
    }
    g_string_append(text, "</testsuites>\n");
    return g_string_free(text, FALSE);
}
