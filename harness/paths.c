/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * paths.c: where things are.
 *
 * The repository is recognised by its expectation file, so that a build
 * directory of any name and depth inside it works.
 */
#include "paths.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "failure.h"

#define ROOT_LANDMARK "harness/expect/flush.expect"

static char *executable_path(void)
{
    g_autofree char *link = g_file_read_link("/proc/self/exe", NULL);

    return link ? g_steal_pointer(&link) : g_get_current_dir();
}

static char *root_find(void)
{
    g_autofree char *directory = executable_path();

    for (;;) {
        g_autofree char *landmark = NULL;
        char *parent = g_path_get_dirname(directory);

        if (g_str_equal(parent, directory)) {
            g_free(parent);
            return g_get_current_dir();
        }
        g_free(directory);
        directory = parent;
        landmark = g_build_filename(directory, ROOT_LANDMARK, NULL);
        if (g_file_test(landmark, G_FILE_TEST_EXISTS)) {
            return g_steal_pointer(&directory);
        }
    }
}

const char *paths_root(void)
{
    static char *root;

    if (!root) {
        const char *given = g_getenv("NVMELAB_ROOT");

        root = given && *given ? g_canonicalize_filename(given, NULL)
                               : root_find();
    }
    return root;
}

const char *paths_cache(void)
{
    static char *cache;

    if (!cache) {
        const char *given = g_getenv("NVMELAB_CACHE");

        cache = given && *given
                ? g_canonicalize_filename(given, NULL)
                : g_build_filename(g_get_user_cache_dir(), "nvmelab", NULL);
    }
    return cache;
}

char *paths_in_root(const char *relative)
{
    return g_build_filename(paths_root(), relative, NULL);
}

char *paths_qemu(GError **error)
{
    g_autofree char *link = paths_in_root("build/qemu-system-x86_64");
    char *resolved = realpath(link, NULL);

    if (!resolved || access(resolved, X_OK) < 0) {
        g_set_error(error, FAILURE, FAILURE_INFRA,
                    "%s: %s; build it with: scripts/setup", link,
                    g_strerror(errno));
        free(resolved);
        return NULL;
    }
    return resolved;
}

char **paths_firmware(void)
{
    static const char *const candidates[] = {
        "/usr/share/qemu", "/usr/share/seabios", "/usr/lib/ipxe/qemu", NULL
    };
    GStrvBuilder *builder = g_strv_builder_new();
    char **found;

    for (const char *const *path = candidates; *path; path++) {
        if (g_file_test(*path, G_FILE_TEST_IS_DIR)) {
            g_strv_builder_add(builder, *path);
        }
    }
    found = g_strv_builder_end(builder);
    g_strv_builder_unref(builder);
    return found;
}

gboolean paths_make(const char *directory, GError **error)
{
    if (g_mkdir_with_parents(directory, 0755) < 0) {
        g_set_error(error, FAILURE, FAILURE_INFRA, "%s: %s", directory,
                    g_strerror(errno));
        return FALSE;
    }
    return TRUE;
}

char *paths_results_new(GError **error)
{
    g_autoptr(GDateTime) now = g_date_time_new_now_local();
    g_autofree char *stamp = g_date_time_format(now, "%Y%m%d-%H%M%S");
    g_autofree char *name = g_strdup_printf("%s-%d", stamp, (int)getpid());
    g_autofree char *results = paths_in_root("build/results");
    g_autofree char *directory = g_build_filename(results, name, NULL);
    g_autofree char *latest = g_build_filename(results, "latest", NULL);

    if (!paths_make(directory, error)) {
        return NULL;
    }
    g_unlink(latest);
    if (symlink(name, latest) < 0 && errno != EEXIST) {
        g_set_error(error, FAILURE, FAILURE_INFRA, "%s: %s", latest,
                    g_strerror(errno));
        return NULL;
    }
    return g_steal_pointer(&directory);
}

char *paths_slug(const char *text)
{
    return g_strcanon(g_strdup(text),
                      G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "._+-", '-');
}
