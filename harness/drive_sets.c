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
    { .name = "vwc", .has_vwc = true, .properties = "vwc=on," FLOOR_LATENCY,
      .summary = "volatile write cache, hence Flush and FUA" },
    { .name = "no-vwc", .properties = "vwc=off," FLOOR_LATENCY,
      .summary = "no volatile write cache: completed is durable" },
    /* The same unit for all: Linux 6.16 refuses a namespace that differs
     * (nvme_update_ns_info_block, drivers/nvme/host/core.c). */
    { .name = "atomic", .has_vwc = true, .properties = "vwc=on," FLOOR_LATENCY,
      .ns_properties = "nawupf=31,nabspf=63", .has_meta = true,
      .summary = "as vwc; writes of up to 16 KiB within 32 KiB are atomic" },
    { .name = "4k", .has_vwc = true, .properties = "vwc=on," FLOOR_LATENCY,
      .ns_properties = "logical_block_size=4096",
      .summary = "volatile write cache, logical blocks of 4096 bytes" },
    { .name = "ns-no-vwc", .properties = "vwc=on," FLOOR_LATENCY,
      .ns_properties = "vwc-not-present=on",
      .summary = "volatile write cache, but none of the namespaces has it" },
    { .name = "registers", .has_vwc = true,
      .properties = "vwc=on,shadow-doorbells=off," FLOOR_LATENCY,
      .summary = "volatile write cache, doorbells in registers only" },
    { .name = NULL }
};

/* enum lab_lie, hw/include/nvmelab.h */
static const char *const lies[] = {
    "none", "flush", "flush-early", "fua", "fua-barrier", "atomic", NULL
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
