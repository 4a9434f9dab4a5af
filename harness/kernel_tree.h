/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * kernel_tree.h: a kernel that its developer has built: where its parts lie,
 * and whether it has what a guest needs.
 */
#ifndef HARNESS_KERNEL_TREE_H
#define HARNESS_KERNEL_TREE_H

#include <glib.h>
#include <stdbool.h>

struct kernel_tree {
    char *output;               /* where make puts what it makes */
    char *image;                /* the bzImage */
    char *vmlinux;              /* the same kernel, unpacked; NULL: none */
    char *modules;              /* directory with modules.order; NULL: none */
};

/* The source tree that directory is in; NULL: none. Free with g_free(). */
char *kernel_tree_around(const char *directory);

/*
 * directory is a source tree (its output may be elsewhere: O or KBUILD_OUTPUT
 * in the environment) or an output directory. FALSE and an error of the user's
 * when there is no finished image or an option is missing.
 */
gboolean kernel_tree_open(const char *directory, struct kernel_tree *tree,
                          GError **error);
void kernel_tree_clear(struct kernel_tree *tree);

/*
 * The options of fragment that config lacks, "CONFIG_A=y CONFIG_B=y", or NULL.
 * "# module: NAME…" in the fragment names those that may be modules, where
 * there are any.
 */
char *kernel_tree_lacks(const char *fragment, const char *config,
                        bool has_modules);

#endif
