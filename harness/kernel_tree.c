/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * kernel_tree.c: a kernel that its developer has built.
 *
 * The bzImage is what make ends with, so it decides. kbuild makes it from
 * vmlinux, and again whenever vmlinux is new: a vmlinux that is not newer is
 * the same kernel, and boots without unpacking itself if it has the PVH entry;
 * one that is newer means that make has not come to its end.
 */
#include "kernel_tree.h"

#include <string.h>
#include <sys/stat.h>

#include "failure.h"
#include "paths.h"

#define IMAGE "arch/x86/boot/bzImage"
#define FRAGMENT "images/kernel.config.d/nvmelab.config"
#define MODULE_MARK "# module:"

static bool has(const char *directory, const char *name, GFileTest test)
{
    g_autofree char *path = g_build_filename(directory, name, NULL);

    return g_file_test(path, test);
}

static bool is_source(const char *directory)
{
    return has(directory, "Makefile", G_FILE_TEST_IS_REGULAR) &&
           has(directory, "Kconfig", G_FILE_TEST_IS_REGULAR) &&
           has(directory, "arch/x86", G_FILE_TEST_IS_DIR);
}

char *kernel_tree_around(const char *directory)
{
    char *at = g_canonicalize_filename(directory, NULL);

    while (!is_source(at)) {
        char *parent = g_path_get_dirname(at);
        bool is_root = g_str_equal(parent, at);

        g_free(at);
        at = parent;
        if (is_root) {
            g_clear_pointer(&at, g_free);
            break;
        }
    }
    return at;
}

/* As make at the top of the tree takes it: relative to the tree. */
static char *output_of(const char *directory)
{
    const char *given = g_getenv("O");

    if (!given || !*given) {
        given = g_getenv("KBUILD_OUTPUT");
    }
    if (!given || !*given || !is_source(directory)) {
        return g_canonicalize_filename(directory, NULL);
    }
    return g_canonicalize_filename(given, directory);
}

/* The value of an option in a configuration or fragment; NULL: not set. */
static char *option_value(char **lines, const char *option)
{
    gsize length = strlen(option);

    for (char **line = lines; *line; line++) {
        if (g_str_has_prefix(*line, option) && (*line)[length] == '=') {
            return g_strstrip(g_strdup(*line + length + 1));
        }
    }
    return NULL;
}

static bool may_be_module(char **fragment, const char *option)
{
    for (char **line = fragment; *line; line++) {
        if (g_str_has_prefix(*line, MODULE_MARK)) {
            g_auto(GStrv) words = g_strsplit(*line + strlen(MODULE_MARK),
                                             " ", -1);

            if (g_strv_contains((const char *const *)words, option)) {
                return true;
            }
        }
    }
    return false;
}

char *kernel_tree_lacks(const char *fragment, const char *config,
                        bool has_modules)
{
    g_auto(GStrv) wanted = g_strsplit(fragment, "\n", -1);
    g_auto(GStrv) given = g_strsplit(config, "\n", -1);
    g_autoptr(GPtrArray) missing = g_ptr_array_new();

    for (char **line = wanted; *line; line++) {
        g_autofree char *option = g_strndup(*line, strcspn(*line, "="));
        g_autofree char *value = NULL;

        if (!g_str_has_prefix(*line, "CONFIG_")) {
            continue;
        }
        value = option_value(given, option);
        if (g_strcmp0(value, "y") != 0 &&
            !(g_strcmp0(value, "m") == 0 && has_modules &&
              may_be_module(wanted, option))) {
            g_ptr_array_add(missing, g_strstrip(*line));
        }
    }
    g_ptr_array_add(missing, NULL);
    return missing->len > 1 ? g_strjoinv(" ", (char **)missing->pdata) : NULL;
}

static gboolean read_config(const struct kernel_tree *tree, char **config,
                            GError **error)
{
    g_autofree char *path = g_build_filename(tree->output, ".config", NULL);
    g_autoptr(GError) cause = NULL;

    if (!g_file_get_contents(path, config, NULL, &cause)) {
        g_set_error(error, FAILURE, FAILURE_USAGE, "%s", cause->message);
        return FALSE;
    }
    return TRUE;
}

static gboolean check_config(const struct kernel_tree *tree,
                             const char *config, GError **error)
{
    g_autofree char *path = paths_in_root(FRAGMENT);
    g_autofree char *fragment = NULL;
    g_autofree char *lacks = NULL;

    if (!g_file_get_contents(path, &fragment, NULL, error)) {
        return FALSE;
    }
    lacks = kernel_tree_lacks(fragment, config, tree->modules != NULL);
    if (lacks) {
        g_set_error(error, FAILURE, FAILURE_USAGE,
                    "%s/.config lacks %s; see " FRAGMENT, tree->output,
                    lacks);
        return FALSE;
    }
    return TRUE;
}

static bool is_newer(const struct stat *a, const struct stat *b)
{
    return a->st_mtim.tv_sec != b->st_mtim.tv_sec
           ? a->st_mtim.tv_sec > b->st_mtim.tv_sec
           : a->st_mtim.tv_nsec > b->st_mtim.tv_nsec;
}

static gboolean find_images(struct kernel_tree *tree, GError **error)
{
    g_autofree char *vmlinux = g_build_filename(tree->output, "vmlinux", NULL);
    struct stat packed, unpacked;

    tree->image = g_build_filename(tree->output, IMAGE, NULL);
    if (stat(tree->image, &packed) < 0 || !S_ISREG(packed.st_mode)) {
        g_set_error(error, FAILURE, FAILURE_USAGE,
                    "%s: no " IMAGE " in it: make bzImage, or name a kernel "
                    "with -k", tree->output);
        return FALSE;
    }
    if (stat(vmlinux, &unpacked) < 0 || !S_ISREG(unpacked.st_mode)) {
        return TRUE;
    }
    if (is_newer(&unpacked, &packed)) {
        g_set_error(error, FAILURE, FAILURE_USAGE,
                    "%s: vmlinux is newer than " IMAGE ": make bzImage",
                    tree->output);
        return FALSE;
    }
    tree->vmlinux = g_steal_pointer(&vmlinux);
    return TRUE;
}

static bool has_pvh(const char *config)
{
    g_auto(GStrv) lines = g_strsplit(config, "\n", -1);
    g_autofree char *value = option_value(lines, "CONFIG_PVH");

    return g_strcmp0(value, "y") == 0;
}

static gboolean tree_fill(struct kernel_tree *tree, GError **error)
{
    g_autofree char *config = NULL;

    if (!find_images(tree, error) || !read_config(tree, &config, error)) {
        return FALSE;
    }
    if (has(tree->output, "modules.order", G_FILE_TEST_IS_REGULAR)) {
        tree->modules = g_strdup(tree->output);
    }
    if (!has_pvh(config)) {
        g_clear_pointer(&tree->vmlinux, g_free);
    }
    return check_config(tree, config, error);
}

gboolean kernel_tree_open(const char *directory, struct kernel_tree *tree,
                          GError **error)
{
    *tree = (struct kernel_tree){ .output = output_of(directory) };
    if (!tree_fill(tree, error)) {
        kernel_tree_clear(tree);
        return FALSE;
    }
    return TRUE;
}

void kernel_tree_clear(struct kernel_tree *tree)
{
    g_clear_pointer(&tree->output, g_free);
    g_clear_pointer(&tree->image, g_free);
    g_clear_pointer(&tree->vmlinux, g_free);
    g_clear_pointer(&tree->modules, g_free);
}
