/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * results.c: the directory that a run leaves behind; see results.h.
 */
#include "results.h"

#include <ftw.h>
#include <stdio.h>
#include <string.h>

#include "failure.h"
#include "paths.h"
#include "report.h"

/* The first line of a git command in the repository, or NULL. */
static char *git(const char *const *arguments)
{
    g_autoptr(GPtrArray) argv = g_ptr_array_new();
    char *output = NULL;
    int status;

    g_ptr_array_add(argv, (char *)"git");
    g_ptr_array_add(argv, (char *)"-C");
    g_ptr_array_add(argv, (char *)paths_root());
    for (const char *const *word = arguments; *word; word++) {
        g_ptr_array_add(argv, (char *)*word);
    }
    g_ptr_array_add(argv, NULL);
    if (!g_spawn_sync(NULL, (char **)argv->pdata, NULL,
                      G_SPAWN_SEARCH_PATH | G_SPAWN_STDERR_TO_DEV_NULL, NULL,
                      NULL, &output, NULL, &status, NULL) ||
        !g_spawn_check_wait_status(status, NULL)) {
        g_free(output);
        return NULL;
    }
    output[strcspn(output, "\n")] = '\0';
    return output;
}

char *results_commit(void)
{
    const char *const describe[] = { "describe", "--always", "--dirty",
                                     "--abbrev=12", "--exclude=*", NULL };
    char *commit = git(describe);

    return commit && *commit ? commit : g_strdup("unknown");
}

static gboolean write_case(const struct run_result *run,
                           const struct suite_result *suite,
                           const struct case_result *result, GError **error)
{
    g_autofree char *slug = paths_slug(result->name);
    g_autofree char *directory = g_build_filename(suite->directory, slug,
                                                  NULL);
    g_autofree char *path = g_build_filename(directory, "case.json", NULL);
    g_autofree char *text = report_json_case(run, suite, result);

    return paths_make(directory, error) &&
           g_file_set_contents(path, text, -1, error);
}

gboolean results_write_suite(const struct run_result *run,
                             const struct suite_result *suite, GError **error)
{
    for (guint i = 0; i < suite->cases->len; i++) {
        if (!write_case(run, suite, suite->cases->pdata[i], error)) {
            return FALSE;
        }
    }
    return TRUE;
}

gboolean results_write_run(const struct run_result *run, GError **error)
{
    g_autofree char *json_path = g_build_filename(run->directory, "run.json",
                                                  NULL);
    g_autofree char *ktap_path = g_build_filename(run->directory,
                                                  "report.ktap", NULL);
    g_autofree char *json = report_json(run);
    g_autofree char *ktap = report_ktap(run);

    return g_file_set_contents(json_path, json, -1, error) &&
           g_file_set_contents(ktap_path, ktap, -1, error);
}

static int remove_one(const char *path, const struct stat *status, int flag,
                      struct FTW *walk)
{
    (void)status;
    (void)flag;
    (void)walk;
    return remove(path);
}

void results_remove(const char *directory)
{
    nftw(directory, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}
