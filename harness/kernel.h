/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * kernel.h: guest kernels: those in the cache by series, and bzImages.
 */
#ifndef HARNESS_KERNEL_H
#define HARNESS_KERNEL_H

#include <glib.h>
#include <stdbool.h>

#define KERNEL_DEFAULT "6.12"

struct kernel {
    char *name;                 /* slug for reports: "6.12" */
    char *given;                /* as on the command line, for reruns */
    char *series;               /* "6.12", or NULL for a bzImage */
    char *version;              /* exact, of the image or of info */
    char *image;                /* path of what QEMU boots */
    char *directory;            /* what images/build-initramfs is given */
    char *unwatchable;          /* why it has no cases of the group context */
};

/*
 * SERIES, "newest", an exact version in the cache, a bzImage, or a kernel
 * tree. NULL and an error that names the word.
 */
struct kernel *kernel_find(const char *word, GError **error);
/*
 * The word when none is given: the kernel tree around the current directory,
 * else KERNEL_DEFAULT. Free with g_free().
 */
char *kernel_default(void);
/* The kernel tree around the current directory, or NULL. */
char *kernel_tree_here(void);
void kernel_free(struct kernel *kernel);
/* FALSE: its configuration is known, and has no room for probes. */
gboolean kernel_check_watchable(const struct kernel *kernel, GError **error);
/* Everything in the cache, oldest version first. */
GPtrArray *kernel_cached(void);
/* Path of the initramfs for this kernel, made when missing. */
char *kernel_initramfs(const struct kernel *kernel, GError **error);

#endif
