/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * quick.h: the group quick: what to run after every make.
 */
#ifndef HARNESS_QUICK_H
#define HARNESS_QUICK_H

#include <glib.h>

#define QUICK_GROUP "quick"

struct quick_entry {
    const char *name;           /* of the case */
    const char *why;            /* the code that it is here for */
};

extern const struct quick_entry quick_entries[];
extern const gsize quick_count;

/* The number of its entry; quick_count: it has none. */
gsize quick_place(const char *name);
/* Why a case is in the group; NULL: it is not. */
const char *quick_why(const char *name);

#endif
