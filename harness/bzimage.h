/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bzimage.h: is this file an x86 Linux kernel that a boot loader can load?
 */
#ifndef HARNESS_BZIMAGE_H
#define HARNESS_BZIMAGE_H

#include <glib.h>

/*
 * The version string of a bzImage ("6.12.107+deb13-cloud-amd64 (…) #1 …"), or
 * NULL and an error that names the file and what it lacks.
 */
char *bzimage_version(const char *path, GError **error);
/* What it unpacks when it boots, compressed; NULL: it does not say. */
GBytes *bzimage_payload(const char *path);

#endif
