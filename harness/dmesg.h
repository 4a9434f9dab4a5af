/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dmesg.h: what the kernel log says when the kernel is unwell.
 */
#ifndef HARNESS_DMESG_H
#define HARNESS_DMESG_H

#include <glib.h>
#include <stdbool.h>

enum dmesg_class {
    DMESG_QUIET,
    DMESG_SPLAT,                /* fails the case during which it comes */
    DMESG_BROKEN,               /* and the kernel is not to be trusted after */
    DMESG_PANIC,                /* nothing more will come from this guest */
};

enum dmesg_class dmesg_classify(const char *line);

#endif
