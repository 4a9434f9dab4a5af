/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * paths.h: where things are: the repository, the cache, QEMU, firmware.
 */
#ifndef HARNESS_PATHS_H
#define HARNESS_PATHS_H

#include <glib.h>

/* The repository: NVMELAB_ROOT, or found upwards from the executable. */
const char *paths_root(void);
/* NVMELAB_CACHE, or $XDG_CACHE_HOME/nvmelab. */
const char *paths_cache(void);
/* A path below the repository; free with g_free(). */
char *paths_in_root(const char *relative);
/* build/qemu-system-x86_64, resolved; NULL and error when it is not there. */
char *paths_qemu(GError **error);
/* Directories for QEMU's -L, those that exist; free with g_strfreev(). */
char **paths_firmware(void);
/* A new, empty directory for one run below build/results. */
char *paths_results_new(GError **error);
/* mkdir -p. */
gboolean paths_make(const char *directory, GError **error);
/* Anything but letters, digits, ".", "_", "+" and "-" becomes "-". */
char *paths_slug(const char *text);

#endif
