/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * kernel_tree.h: a kernel that its developer has built: where its parts lie.
 */
#ifndef HARNESS_KERNEL_TREE_H
#define HARNESS_KERNEL_TREE_H

#include <glib.h>

struct kernel_tree {
    char *output;               /* where make puts what it makes */
    char *image;                /* the bzImage */
    char *vmlinux;              /* the same kernel, unpacked; NULL: none */
    char *modules;              /* directory with modules.order; NULL: none */
    char *config;               /* text of .config */
};

/* The source tree that directory is in; NULL: none. Free with g_free(). */
char *kernel_tree_around(const char *directory);

/*
 * directory is a source tree (its output may be elsewhere: O or KBUILD_OUTPUT
 * in the environment) or an output directory. FALSE and an error of the user's
 * when there is no finished image or no configuration.
 */
gboolean kernel_tree_open(const char *directory, struct kernel_tree *tree,
                          GError **error);
/* The same of an output directory, whatever the environment says. */
gboolean kernel_tree_open_output(const char *directory,
                                 struct kernel_tree *tree, GError **error);
void kernel_tree_clear(struct kernel_tree *tree);

/*
 * The output directory that image is the bzImage of; NULL: it lies nowhere of
 * the kind. Free with g_free().
 */
char *kernel_tree_of_image(const char *image);

#endif
