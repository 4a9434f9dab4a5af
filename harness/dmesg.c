/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dmesg.c: patterns of kernel splats.
 *
 * Substrings of one console line. They are what the kernel prints from
 * lib/bug.c, kernel/panic.c, kernel/locking/lockdep.c, mm/kasan/report.c,
 * kernel/hung_task.c and kernel/watchdog.c, and what fs/xfs and fs/ext4 print
 * when they find their metadata damaged.
 */
#include "dmesg.h"

#include <string.h>

static const struct {
    const char *text;
    enum dmesg_class dmesg_class;
} patterns[] = {
    { "Kernel panic - not syncing", DMESG_PANIC },
    { "kernel BUG at", DMESG_BROKEN },
    { "WARNING: ", DMESG_SPLAT },
    { "BUG: ", DMESG_BROKEN },
    { "Oops: ", DMESG_BROKEN },
    { "general protection fault", DMESG_BROKEN },
    { "possible recursive locking", DMESG_SPLAT },
    { "circular locking", DMESG_SPLAT },
    { "suspicious RCU", DMESG_SPLAT },
    { "Internal error", DMESG_SPLAT },
    { "UBSAN: ", DMESG_SPLAT },
    { "blocked for more than", DMESG_SPLAT },
    { "rcu: INFO: ", DMESG_SPLAT },
    { "completion polled", DMESG_SPLAT },
    { "Corruption of in-memory data", DMESG_SPLAT },
    { "Metadata corruption detected", DMESG_SPLAT },
    { "EXT4-fs error", DMESG_SPLAT },
};

enum dmesg_class dmesg_classify(const char *line)
{
    for (gsize i = 0; i < G_N_ELEMENTS(patterns); i++) {
        if (strstr(line, patterns[i].text)) {
            return patterns[i].dmesg_class;
        }
    }
    return DMESG_QUIET;
}
