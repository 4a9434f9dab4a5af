/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * processors.h: the processors that the boot left off.
 */
#ifndef PROCESSORS_H
#define PROCESSORS_H

#include <stddef.h>

/*
 * Starts each processor that is present and off. 0, or -errno with the file
 * that refused in path.
 */
int processors_start(char *path, size_t size);

#endif
