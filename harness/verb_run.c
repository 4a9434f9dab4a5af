/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * verb_run.c: nvmelab run: boots, runs, judges, reports.
 */
#include "verb.h"

#include <stdio.h>
#include <unistd.h>

#include "diff.h"
#include "exclusion_table.h"
#include "failure.h"
#include "hold_file.h"
#include "progress.h"
#include "report.h"
#include "run.h"
#include "shell.h"

/* Of a number whose default depends on the group. */
#define NOT_GIVEN G_MININT

static struct {
    char **kernels;
    char **drives;
    char **groups;
    char **excludes;
    gboolean is_list;
    gboolean is_dry;
    gboolean keeps;
    char *results;
    char *format;
    gint64 seed;
    int seeds;
    int repeats;
    int jobs;
    char *lie;
    char *hold;
    char *append;
    double timeout_s;
    gboolean is_strict;
    gboolean skips_unread;
    gboolean has_diff;
    gboolean has_table;
    gboolean is_shell;
} given = {
    .seed = PLAN_SEED_DEFAULT, .seeds = NOT_GIVEN, .repeats = NOT_GIVEN,
    .timeout_s = NOT_GIVEN,
};

static const GOptionEntry options[] = {
    { "kernel", 'k', 0, G_OPTION_ARG_STRING_ARRAY, &given.kernels,
      "series, exact version, newest, bzImage or kernel tree (the kernel "
      "tree around you, or 6.12)",
      "KERNEL[,…]" },
    { "drive", 'd', 0, G_OPTION_ARG_STRING_ARRAY, &given.drives,
      "named sets of drive properties (vwc)", "DRIVE[,…]" },
    { "group", 'g', 0, G_OPTION_ARG_STRING_ARRAY, &given.groups,
      "groups of cases (flush,durability,queue)", "GROUP[,…]" },
    { "list", 'l', 0, G_OPTION_ARG_NONE, &given.is_list,
      "list the selected cases and exit", NULL },
    { "exclude", 'x', 0, G_OPTION_ARG_STRING_ARRAY, &given.excludes,
      "leave out cases that match", "PATTERN" },
    { "dry-run", 'n', 0, G_OPTION_ARG_NONE, &given.is_dry,
      "print the QEMU command lines and exit", NULL },
    { "keep", 0, 0, G_OPTION_ARG_NONE, &given.keeps,
      "keep the images", NULL },
    { "results", 0, 0, G_OPTION_ARG_FILENAME, &given.results,
      "results directory (a new one in build/results)", "DIR" },
    { "format", 0, 0, G_OPTION_ARG_STRING, &given.format,
      "ktap, ktap-flat, junit or json (ktap)", "FORMAT" },
    { "seed", 0, 0, G_OPTION_ARG_INT64, &given.seed,
      "seed of the first random power cut (1)", "N" },
    { "seeds", 0, 0, G_OPTION_ARG_INT, &given.seeds,
      "number of random power cuts (20; quick: 0)", "N" },
    { "repeats", 0, 0, G_OPTION_ARG_INT, &given.repeats,
      "how often the operation of a context case is done (20; quick: 2)", "N" },
    { "jobs", 'j', 0, G_OPTION_ARG_INT, &given.jobs,
      "suites at a time (one per processor)", "N" },
    { "lie", 0, 0, G_OPTION_ARG_STRING, &given.lie,
      "make the drive lie: flush, flush-early, fua, fua-barrier, atomic",
      "LIE" },
    { "hold", 0, 0, G_OPTION_ARG_FILENAME, &given.hold,
      "rules that park I/O of the guest, armed at every start", "FILE" },
    { "append", 0, 0, G_OPTION_ARG_STRING, &given.append,
      "more parameters for the kernel's command line", "WORDS" },
    { "timeout", 0, 0, G_OPTION_ARG_DOUBLE, &given.timeout_s,
      "seconds without an answer from the guest (120; quick: 60)", "S" },
    { "strict-skip", 0, 0, G_OPTION_ARG_NONE, &given.is_strict,
      "a skipped case is a failure", NULL },
    { "skip-unread", 0, 0, G_OPTION_ARG_NONE, &given.skips_unread,
      "a kernel series without any expectation row: skip, not an error",
      NULL },
    { "diff", 0, 0, G_OPTION_ARG_NONE, &given.has_diff,
      "afterwards, the cases on which the kernels differ", NULL },
    { "table", 0, 0, G_OPTION_ARG_NONE, &given.has_table,
      "afterwards, the exclusion matrix as it was seen", NULL },
    { "shell", 0, 0, G_OPTION_ARG_NONE, &given.is_shell,
      "boot, and give a shell in the guest instead of running cases", NULL },
    G_OPTION_ENTRY_NULL
};

static enum report_format format;

static void fill_numbers(const struct plan *plan)
{
    bool is_quick = plan_is_quick(plan);

    if (given.seeds == NOT_GIVEN) {
        given.seeds = is_quick ? PLAN_SEEDS_QUICK : PLAN_SEEDS_DEFAULT;
    }
    if (given.repeats == NOT_GIVEN) {
        given.repeats = is_quick ? PLAN_REPEATS_QUICK : PLAN_REPEATS_DEFAULT;
    }
    if (given.timeout_s == NOT_GIVEN) {
        given.timeout_s = is_quick ? PLAN_TIMEOUT_QUICK_S
                                   : PLAN_TIMEOUT_DEFAULT_S;
    }
}

static gboolean check_numbers(struct plan *plan, GError **error)
{
    fill_numbers(plan);
    if (given.seed < 0 || given.seeds < 0 || given.seeds > 100000) {
        g_set_error(error, FAILURE, FAILURE_USAGE,
                    "--seed %" G_GINT64_FORMAT " --seeds %d: out of range",
                    given.seed, given.seeds);
        return FALSE;
    }
    if (given.repeats < 1 || given.repeats > PLAN_REPEATS_MAX) {
        g_set_error(error, FAILURE, FAILURE_USAGE,
                    "--repeats %d: not from 1 to %d", given.repeats,
                    PLAN_REPEATS_MAX);
        return FALSE;
    }
    if (given.jobs < 0 || given.jobs > 256) {
        g_set_error(error, FAILURE, FAILURE_USAGE, "--jobs %d: out of range",
                    given.jobs);
        return FALSE;
    }
    if (!(given.timeout_s > 0 && given.timeout_s < 1e6)) {
        g_set_error(error, FAILURE, FAILURE_USAGE,
                    "--timeout %g: not a number of seconds",
                    given.timeout_s);
        return FALSE;
    }
    plan->seed = (guint64)given.seed;
    plan->seeds = (unsigned)given.seeds;
    plan->repeats = (unsigned)given.repeats;
    plan->timeout_s = given.timeout_s;
    return TRUE;
}

static gboolean check_diff(char **kernels, GError **error)
{
    guint count = g_strv_length(kernels);

    if (given.has_diff && count < 2) {
        g_set_error(error, FAILURE, FAILURE_USAGE,
                    "--diff compares kernels, and -k %s is one", kernels[0]);
        return FALSE;
    }
    return TRUE;
}

/* fallback is one word: a path may have commas. */
static char **split_or(char **lists, const char *fallback)
{
    char **words = plan_split(lists);

    if (!*words) {
        g_strfreev(words);
        words = g_new0(char *, 2);
        words[0] = g_strdup(fallback);
    }
    return words;
}

/* KTAP is printed as it comes; the other formats need the whole. */
static void print_suite(const struct suite_result *suite, guint number)
{
    g_autofree char *text = report_ktap_suite(suite, number);

    progress_clear();
    fputs(text, stdout);
    fflush(stdout);
}

/* Comments in KTAP; beside the other formats, which must stay whole. */
static void print_more(const struct run_result *run)
{
    bool is_ktap = format == REPORT_KTAP || format == REPORT_KTAP_FLAT;
    const char *prefix = is_ktap ? "# " : "";
    FILE *to = is_ktap ? stdout : stderr;

    progress_clear();
    if (given.has_diff) {
        g_autofree char *text = diff_kernels(run, prefix);

        fputs(text, to);
    }
    if (given.has_table) {
        g_autofree char *text = exclusion_tables(run, prefix,
                                                 isatty(fileno(to)));

        fputs(text, to);
    }
}

static int run_and_report(const struct run_request *request, GError **error)
{
    bool is_stream = format == REPORT_KTAP;
    struct run_result *run;
    int code;

    if (is_stream) {
        g_autofree char *header = NULL;

        /* Nothing on stdout when the command line is wrong. */
        if (!run_check(request, error)) {
            return EXIT_USAGE;
        }
        header = report_ktap_header(g_strv_length(request->kernels) *
                                    g_strv_length(request->drives));
        fputs(header, stdout);
        fflush(stdout);
    }
    run = run_all(request, is_stream ? print_suite : NULL, error);
    if (!run) {
        return EXIT_INFRA;
    }
    if (!is_stream) {
        g_autofree char *text = report_make(format, run);

        fputs(text, stdout);
    }
    print_more(run);
    code = run_result_exit(run, given.is_strict);
    run_result_free(run);
    return code;
}

static int act(const struct run_request *request, GError **error)
{
    if (given.is_dry) {
        return shell_print(request, error);
    }
    if (given.is_list) {
        return run_list(request, error) ? EXIT_PASS : EXIT_INFRA;
    }
    if (given.is_shell) {
        return shell_run(request, true, error);
    }
    return run_and_report(request, error);
}

static int run(int argc, char **argv)
{
    g_autoptr(GError) cause = NULL;
    g_autofree char *kernel = kernel_default();
    struct run_request request = {
        .kernels = split_or(given.kernels, kernel),
        .drives = split_or(given.drives, "vwc"),
        .results = given.results, .jobs = (unsigned)given.jobs,
        .plan = {
            .cases = argv + 1, .groups = plan_split(given.groups),
            .excludes = plan_split(given.excludes), .lie = given.lie,
            .append = given.append, .keeps_images = given.keeps,
            .skips_unread = given.skips_unread,
        },
    };
    int code;

    (void)argc;
    if (given.hold) {
        request.plan.hold_file = given.hold;
        request.plan.holds = hold_file_read(given.hold, &cause);
    }
    if (cause || !check_numbers(&request.plan, &cause) ||
        !check_diff(request.kernels, &cause) ||
        !report_format_parse(given.format ? given.format : "ktap", &format,
                             &cause)) {
        code = failure_report(cause);
    } else {
        code = act(&request, &cause);
        if (cause) {
            code = failure_report(cause);
        }
    }
    g_strfreev(request.kernels);
    g_strfreev(request.drives);
    g_strfreev(request.plan.groups);
    g_strfreev(request.plan.excludes);
    g_free(request.plan.holds);
    return code;
}

const struct verb verb_run = {
    "run", "[CASE…]", "boot kernels on drives, run cases, judge", options, run
};
