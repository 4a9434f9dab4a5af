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

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "failure.h"
#include "kernel_config.h"

#define IMAGE "arch/x86/boot/bzImage"

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

static gboolean read_config(struct kernel_tree *tree, GError **error)
{
    g_autofree char *path = g_build_filename(tree->output, ".config", NULL);
    g_autoptr(GError) cause = NULL;

    if (!g_file_get_contents(path, &tree->config, NULL, &cause)) {
        g_set_error(error, FAILURE, FAILURE_USAGE, "%s", cause->message);
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

static gboolean tree_fill(struct kernel_tree *tree, GError **error)
{
    if (!find_images(tree, error) || !read_config(tree, error)) {
        return FALSE;
    }
    if (has(tree->output, "modules.order", G_FILE_TEST_IS_REGULAR)) {
        tree->modules = g_strdup(tree->output);
    }
    if (!kernel_config_is_yes(tree->config, "PVH")) {
        g_clear_pointer(&tree->vmlinux, g_free);
    }
    return TRUE;
}

static gboolean tree_open(struct kernel_tree *tree, GError **error)
{
    if (!tree_fill(tree, error)) {
        kernel_tree_clear(tree);
        return FALSE;
    }
    return TRUE;
}

gboolean kernel_tree_open(const char *directory, struct kernel_tree *tree,
                          GError **error)
{
    *tree = (struct kernel_tree){ .output = output_of(directory) };
    return tree_open(tree, error);
}

char *kernel_tree_of_image(const char *image)
{
    g_autofree char *real = realpath(image, NULL);
    g_autofree char *output = NULL;

    if (!real || !g_str_has_suffix(real, "/" IMAGE)) {
        return NULL;
    }
    output = g_strndup(real, strlen(real) - strlen("/" IMAGE));
    return has(output, ".config", G_FILE_TEST_IS_REGULAR)
           ? g_steal_pointer(&output) : NULL;
}

gboolean kernel_tree_open_output(const char *directory,
                                 struct kernel_tree *tree, GError **error)
{
    *tree = (struct kernel_tree){
        .output = g_canonicalize_filename(directory, NULL),
    };
    return tree_open(tree, error);
}

void kernel_tree_clear(struct kernel_tree *tree)
{
    g_clear_pointer(&tree->output, g_free);
    g_clear_pointer(&tree->image, g_free);
    g_clear_pointer(&tree->vmlinux, g_free);
    g_clear_pointer(&tree->modules, g_free);
    g_clear_pointer(&tree->config, g_free);
}
