/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See patience.h; queue_io_timeout_store, block/blk-sysfs.c, 6.1. */
#include <inttypes.h>
#include <string.h>

#include "patience.h"

#define ATTRIBUTE "io_timeout"

static struct drive_ns changed;
static uint64_t before_ms;

static void restore(void)
{
    drive_set_queue_number(&changed, ATTRIBUTE, before_ms);
}

void patience_set(struct run *run, const struct drive_ns *ns, unsigned ms)
{
    int error;

    if (!drive_queue_number(ns, ATTRIBUTE, &before_ms)) {
        run_error(run, "%s has no queue/" ATTRIBUTE, ns->name);
    }
    error = drive_set_queue_number(ns, ATTRIBUTE, ms);
    if (error) {
        run_error(run, "queue/" ATTRIBUTE " of %s to %u ms: %s", ns->name, ms,
                  strerror(-error));
    }
    changed = *ns;
    run_at_end(restore);
}
