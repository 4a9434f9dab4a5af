/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * verb_demo.c: nvmelab demo: kernels side by side, as tables that can be read
 * in a minute.
 *
 * It judges exactly as "run" does; only the output differs.
 */
#include "verb.h"

#include <stdio.h>

#include "demo.h"
#include "failure.h"
#include "run.h"

#define DEMO_SEEDS 0
/* A guest waits for its drive half of the time: another one fits beside it. */
#define SUITES_PER_PROCESSOR 2
/* A repeat in which the drive was faster than its submitter says nothing. */
#define DEMO_REPEATS 2

static struct {
    char **kernels;
    char **drives;
    char *results;
    char *lie;
    int seeds;
    int repeats;
} given = { .seeds = DEMO_SEEDS, .repeats = DEMO_REPEATS };

static const GOptionEntry options[] = {
    { "kernel", 'k', 0, G_OPTION_ARG_STRING_ARRAY, &given.kernels,
      "series, exact version, newest, bzImage or kernel tree (the kernel "
      "tree around you, then 6.1,6.12,newest)",
      "KERNEL[,…]" },
    { "drive", 'd', 0, G_OPTION_ARG_STRING_ARRAY, &given.drives,
      "named sets of drive properties (vwc)", "DRIVE[,…]" },
    { "results", 0, 0, G_OPTION_ARG_FILENAME, &given.results,
      "results directory (a new one in build/results)", "DIR" },
    { "lie", 0, 0, G_OPTION_ARG_STRING, &given.lie,
      "make the drive lie: flush, flush-early, fua, fua-barrier, atomic",
      "LIE" },
    { "seeds", 0, 0, G_OPTION_ARG_INT, &given.seeds,
      "number of random power cuts after the one that drops all (0)", "N" },
    { "repeats", 0, 0, G_OPTION_ARG_INT, &given.repeats,
      "how often each operation is done (2)", "N" },
    G_OPTION_ENTRY_NULL
};

/* A case without a completion of its own (fsync) shows its commands alone. */
static char *cases[] = {
    (char *)"context.*", (char *)"flush.*sync-clean.*",
    (char *)"flush.*sync-dirty.*", (char *)"durability.*", NULL
};

/* The words given, or those of the fallback list; free with g_strfreev(). */
static char **words_or(char **given_words, const char *const *fallback)
{
    char **words = plan_split(given_words);

    if (*words) {
        return words;
    }
    g_strfreev(words);
    return g_strdupv((char **)fallback);
}

static gboolean check_numbers(GError **error)
{
    if (given.seeds < 0 || given.seeds > 100000) {
        g_set_error(error, FAILURE, FAILURE_USAGE, "--seeds %d: out of range",
                    given.seeds);
        return FALSE;
    }
    if (given.repeats < 1 || given.repeats > PLAN_REPEATS_MAX) {
        g_set_error(error, FAILURE, FAILURE_USAGE,
                    "--repeats %d: not from 1 to %d", given.repeats,
                    PLAN_REPEATS_MAX);
        return FALSE;
    }
    return TRUE;
}

static int show(const struct run_request *request, GError **error)
{
    struct run_result *result = run_all(request, NULL, error);
    int code;

    if (!result) {
        return EXIT_INFRA;
    }
    demo_print(result, stdout);
    code = run_result_exit(result, false);
    run_result_free(result);
    return code;
}

static int run(int argc, char **argv)
{
    g_autoptr(GError) cause = NULL;
    g_autofree char *tree = kernel_tree_here();
    const char *const own[] = { tree, "6.1", KERNEL_DEFAULT, "newest", NULL };
    const char *const drives[] = { "vwc", NULL };
    struct run_request request = {
        .kernels = words_or(given.kernels, tree ? own : own + 1),
        .drives = words_or(given.drives, drives), .results = given.results,
        .jobs = SUITES_PER_PROCESSOR * g_get_num_processors(),
        .plan = { .cases = cases, .seed = PLAN_SEED_DEFAULT,
                  .seeds = (unsigned)given.seeds,
                  .repeats = (unsigned)given.repeats, .lie = given.lie,
                  .timeout_s = PLAN_TIMEOUT_DEFAULT_S },
    };
    int code = EXIT_USAGE;

    if (argc > 1) {
        code = verb_refuse(&verb_demo, argv[1]);
    } else if (check_numbers(&cause)) {
        code = show(&request, &cause);
    }
    if (cause) {
        code = failure_report(cause);
    }
    g_strfreev(request.kernels);
    g_strfreev(request.drives);
    return code;
}

const struct verb verb_demo = {
    "demo", "", "kernels side by side: contexts, commands, power cuts",
    options, run
};
