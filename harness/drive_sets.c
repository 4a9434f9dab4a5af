/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * drive_sets.c: the table of drives.
 *
 * The floor latency of 3 ms keeps a completion from running inline in its
 * submitter under TCG (kernel-behaviour, section 1, point 6).
 */
#include "drive_sets.h"

#include "failure.h"

#define FLOOR_LATENCY "floor-latency=3000000"

const struct drive_set drive_sets[] = {
    { "vwc", true, "vwc=on," FLOOR_LATENCY,
      "volatile write cache, hence Flush and FUA", NULL },
    { "no-vwc", false, "vwc=off," FLOOR_LATENCY,
      "no volatile write cache: completed is durable", NULL },
    { "4k", true, "vwc=on," FLOOR_LATENCY,
      "volatile write cache, logical blocks of 4096 bytes",
      "logical_block_size=4096" },
    { "ns-no-vwc", false, "vwc=on," FLOOR_LATENCY,
      "volatile write cache, but none of the namespaces has it",
      "vwc-not-present=on" },
    { "registers", true, "vwc=on,shadow-doorbells=off," FLOOR_LATENCY,
      "volatile write cache, doorbells in registers only", NULL },
    { NULL, false, NULL, NULL, NULL }
};

/* enum lab_lie, hw/include/nvmelab.h */
static const char *const lies[] = {
    "none", "flush", "flush-early", "fua", "fua-barrier", NULL
};

const struct drive_set *drive_sets_find(const char *name, GError **error)
{
    g_autoptr(GString) known = g_string_new(NULL);

    for (const struct drive_set *set = drive_sets; set->name; set++) {
        if (g_str_equal(set->name, name)) {
            return set;
        }
        g_string_append_printf(known, " %s", set->name);
    }
    g_set_error(error, FAILURE, FAILURE_USAGE,
                "no drive is called '%s'; there are:%s", name, known->str);
    return NULL;
}

gboolean drive_sets_check_lie(const char *lie, GError **error)
{
    g_autofree char *known = NULL;

    if (g_strv_contains(lies, lie)) {
        return TRUE;
    }
    known = g_strjoinv(" ", (char **)lies);
    g_set_error(error, FAILURE, FAILURE_USAGE,
                "no lie is called '%s'; there are: %s", lie, known);
    return FALSE;
}
