/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * report.h: results as text: KTAP, flat KTAP, JUnit, JSON.
 */
#ifndef HARNESS_REPORT_H
#define HARNESS_REPORT_H

#include <glib.h>

#include "result.h"

enum report_format {
    REPORT_KTAP, REPORT_KTAP_FLAT, REPORT_JUNIT, REPORT_JSON
};

gboolean report_format_parse(const char *word, enum report_format *format,
                             GError **error);
/* The whole report; free with g_free(). */
char *report_make(enum report_format format, const struct run_result *run);

/*
 * KTAP suite by suite, so that it can be printed as it comes: the header,
 * then one piece per suite (number from 1).
 */
char *report_ktap_header(guint suite_count);
char *report_ktap_suite(const struct suite_result *suite, guint number);

char *report_ktap(const struct run_result *run);
char *report_ktap_flat(const struct run_result *run);
char *report_junit(const struct run_result *run);
char *report_json(const struct run_result *run);
/* What case.json says. */
char *report_json_case(const struct run_result *run,
                       const struct suite_result *suite,
                       const struct case_result *result);

#endif
