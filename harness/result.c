/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * result.c: building results and adding them up; see result.h.
 */
#include "result.h"

#include "failure.h"

static void cut_result_free(struct cut_result *cut)
{
    g_free(cut->policy);
    g_free(cut);
}

struct case_result *case_result_new(const char *name)
{
    struct case_result *result = g_new0(struct case_result, 1);

    result->name = g_strdup(name);
    result->verdict = VERDICT_SKIP;
    result->notes = g_ptr_array_new_with_free_func(g_free);
    return result;
}

void case_result_free(struct case_result *result)
{
    g_free(result->name);
    g_free(result->reason);
    g_free(result->rerun);
    g_free(result->unread);
    g_free(result->context);
    g_free(result->commands);
    g_free(result->context_source);
    g_free(result->commands_source);
    g_free(result->failed_policy);
    g_ptr_array_unref(result->notes);
    g_free(result);
}

/* Reports are line-based: a newline in a reason would forge a result. */
static char *one_line(char *text)
{
    g_strdelimit(text, "\r\n\t", ' ');
    return g_strstrip(text);
}

void case_result_set(struct case_result *result, enum verdict verdict,
                     const char *format, ...)
{
    va_list ap;

    if (verdict_worse(result->verdict, verdict) != verdict ||
        (verdict == result->verdict && result->reason)) {
        return;
    }
    result->verdict = verdict;
    g_clear_pointer(&result->reason, g_free);
    if (!format) {
        return;
    }
    va_start(ap, format);
    result->reason = one_line(g_strdup_vprintf(format, ap));
    va_end(ap);
    if (!*result->reason) {
        g_clear_pointer(&result->reason, g_free);
    }
}

void case_result_settle_unread(struct case_result *result)
{
    if (result->unread && result->verdict == VERDICT_PASS) {
        result->verdict = VERDICT_SKIP;
        g_free(result->reason);
        result->reason = g_strdup(result->unread);
    }
}

void case_result_note(struct case_result *result, const char *format, ...)
{
    va_list ap;

    va_start(ap, format);
    g_ptr_array_add(result->notes, one_line(g_strdup_vprintf(format, ap)));
    va_end(ap);
}

struct suite_result *suite_result_new(const char *kernel, const char *drive)
{
    struct suite_result *suite = g_new0(struct suite_result, 1);

    suite->name = g_strdup_printf("%s.%s", kernel, drive);
    suite->kernel = g_strdup(kernel);
    suite->drive = g_strdup(drive);
    suite->cases =
        g_ptr_array_new_with_free_func((GDestroyNotify)case_result_free);
    suite->cuts =
        g_ptr_array_new_with_free_func((GDestroyNotify)cut_result_free);
    return suite;
}

void suite_result_free(struct suite_result *suite)
{
    g_free(suite->name);
    g_free(suite->kernel);
    g_free(suite->kernel_release);
    g_free(suite->drive);
    g_free(suite->drive_properties);
    g_free(suite->lie);
    g_free(suite->qemu_version);
    g_free(suite->accel);
    g_free(suite->unwatched);
    g_free(suite->directory);
    g_free(suite->problem);
    g_ptr_array_unref(suite->cases);
    g_ptr_array_unref(suite->cuts);
    g_free(suite);
}

enum verdict suite_result_verdict(const struct suite_result *suite)
{
    enum verdict verdict = VERDICT_SKIP;

    if (suite->problem) {
        return VERDICT_ERROR;
    }
    for (guint i = 0; i < suite->cases->len; i++) {
        const struct case_result *one = suite->cases->pdata[i];

        verdict = verdict_worse(verdict, one->verdict);
    }
    return verdict;
}

const struct case_result *suite_result_case(const struct suite_result *suite,
                                            const char *name)
{
    for (guint i = 0; i < suite->cases->len; i++) {
        const struct case_result *result = suite->cases->pdata[i];

        if (g_str_equal(result->name, name)) {
            return result;
        }
    }
    return NULL;
}

struct run_result *run_result_new(void)
{
    struct run_result *run = g_new0(struct run_result, 1);

    run->suites =
        g_ptr_array_new_with_free_func((GDestroyNotify)suite_result_free);
    return run;
}

void run_result_free(struct run_result *run)
{
    g_free(run->directory);
    g_free(run->commit);
    g_ptr_array_unref(run->suites);
    g_free(run);
}

struct tally {
    unsigned failed;
    unsigned infra;
    unsigned skipped;
    unsigned other;
};

static void tally_suite(struct tally *tally, const struct suite_result *suite)
{
    if (suite->problem && suite->is_problem_infra) {
        tally->infra++;
    } else if (suite->problem) {
        tally->failed++;
    }
    for (guint i = 0; i < suite->cases->len; i++) {
        const struct case_result *one = suite->cases->pdata[i];

        if (one->verdict == VERDICT_SKIP) {
            tally->skipped++;
        } else if (verdict_is_ok(one->verdict)) {
            tally->other++;
        } else if (one->is_infra) {
            tally->infra++;
        } else {
            tally->failed++;
        }
    }
}

int run_result_exit(const struct run_result *run, bool strict_skip)
{
    struct tally tally = { 0 };

    for (guint i = 0; i < run->suites->len; i++) {
        tally_suite(&tally, run->suites->pdata[i]);
    }
    if (tally.infra) {
        return EXIT_INFRA;
    }
    if (tally.failed || (strict_skip && tally.skipped)) {
        return EXIT_FAIL;
    }
    if (!tally.other) {
        return EXIT_SKIP;
    }
    return EXIT_PASS;
}
