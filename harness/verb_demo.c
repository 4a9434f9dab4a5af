/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * verb_demo.c: nvmelab demo: the flush and durability cases on both drives,
 * as two tables that can be read in a minute.
 *
 * It judges exactly as "run" does; only the output differs.
 */
#include "verb.h"

#include <stdio.h>

#include "demo.h"
#include "failure.h"
#include "run.h"

#define DEMO_SEEDS 1

static struct {
    char *kernel;
    char *results;
    char *lie;
    int seeds;
} given = { .seeds = DEMO_SEEDS };

static const GOptionEntry options[] = {
    { "kernel", 'k', 0, G_OPTION_ARG_STRING, &given.kernel,
      "series, exact version, newest, bzImage or kernel tree (the kernel "
      "tree around you, or 6.12)",
      "KERNEL" },
    { "results", 0, 0, G_OPTION_ARG_FILENAME, &given.results,
      "results directory (a new one in build/results)", "DIR" },
    { "lie", 0, 0, G_OPTION_ARG_STRING, &given.lie,
      "make the drive lie: flush, flush-early, fua, fua-barrier", "LIE" },
    { "seeds", 0, 0, G_OPTION_ARG_INT, &given.seeds,
      "number of random power cuts (1)", "N" },
    G_OPTION_ENTRY_NULL
};

static int run(int argc, char **argv)
{
    g_autoptr(GError) cause = NULL;
    g_autofree char *fallback = kernel_default();
    char *kernels[] = { given.kernel ? given.kernel : fallback, NULL };
    char *drives[] = { (char *)"vwc", (char *)"no-vwc", NULL };
    struct run_request request = {
        .kernels = kernels, .drives = drives, .results = given.results,
        .plan = { .seed = PLAN_SEED_DEFAULT, .seeds = (unsigned)given.seeds,
                  .lie = given.lie, .timeout_s = PLAN_TIMEOUT_DEFAULT_S },
    };
    struct run_result *result;
    int code;

    if (argc > 1) {
        return verb_refuse(&verb_demo, argv[1]);
    }
    if (given.seeds < 0 || given.seeds > 100000) {
        g_printerr("nvmelab: --seeds %d: out of range\n", given.seeds);
        return EXIT_USAGE;
    }
    result = run_all(&request, NULL, &cause);
    if (!result) {
        return failure_report(cause);
    }
    demo_print(result, stdout);
    code = run_result_exit(result, false);
    run_result_free(result);
    return code;
}

const struct verb verb_demo = {
    "demo", "", "flush and durability on two drives, as tables to read",
    options, run
};
