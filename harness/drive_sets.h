/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * drive_sets.h: named sets of drive properties, the DRIVE of "run -d DRIVE".
 */
#ifndef HARNESS_DRIVE_SETS_H
#define HARNESS_DRIVE_SETS_H

#include <glib.h>
#include <stdbool.h>

struct drive_set {
    const char *name;
    bool has_vwc;
    const char *properties;     /* of -device nvmelab, without id and serial */
    const char *ns_properties;  /* of each -device nvmelab-ns; NULL: none */
    bool has_meta;              /* each namespace has a metadata node */
    const char *summary;
};

/* Terminated by a row without a name. */
extern const struct drive_set drive_sets[];

/* NULL and error naming the word when there is none. */
const struct drive_set *drive_sets_find(const char *name, GError **error);
/* Whether the drive knows this word for lie=. */
gboolean drive_sets_check_lie(const char *lie, GError **error);

#endif
