/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * verb_kernel.c: nvmelab kernel list|get: stock kernels in the cache.
 */
#include "verb.h"

#include <stdio.h>

#include "failure.h"
#include "kernel.h"
#include "paths.h"

static const GOptionEntry options[] = { G_OPTION_ENTRY_NULL };

static int list(void)
{
    g_autoptr(GPtrArray) kernels = kernel_cached();

    for (guint i = 0; i < kernels->len; i++) {
        const struct kernel *kernel = kernels->pdata[i];

        printf("%-8s %-40s %s\n", kernel->series ? kernel->series : "?",
               kernel->version, kernel->directory);
    }
    return EXIT_PASS;
}

/* The script's own exit code: 2 unknown series, 3 nothing to be had. */
static int get(const char *series)
{
    g_autofree char *script = paths_in_root("scripts/fetch-kernel");
    const char *argv[] = { script, series, NULL };
    g_autoptr(GError) cause = NULL;
    int status;

    if (!g_spawn_sync(NULL, (char **)argv, NULL,
                      G_SPAWN_CHILD_INHERITS_STDIN, NULL, NULL, NULL, NULL,
                      &status, &cause)) {
        return failure_report(cause);
    }
    if (g_spawn_check_wait_status(status, &cause)) {
        return EXIT_PASS;
    }
    return cause->domain == G_SPAWN_EXIT_ERROR && cause->code == EXIT_USAGE
           ? EXIT_USAGE : EXIT_INFRA;
}

static int run(int argc, char **argv)
{
    if (argc == 2 && g_str_equal(argv[1], "list")) {
        return list();
    }
    if (argc == 3 && g_str_equal(argv[1], "get")) {
        return get(argv[2]);
    }
    if (argc < 2 || g_str_equal(argv[1], "get")) {
        g_printerr("nvmelab: kernel: what? list, or get SERIES\n");
        return EXIT_USAGE;
    }
    return verb_refuse(&verb_kernel, argv[argc > 2 ? 2 : 1]);
}

const struct verb verb_kernel = {
    "kernel", "list | get SERIES", "stock kernels by series", options, run
};
