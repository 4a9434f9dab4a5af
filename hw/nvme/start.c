/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Start: before the first command, every namespace with metadata reads its
 * redo record and finishes what the last process left (media/redo.h). Holds of
 * the configuration are armed, once in the life of the process.
 */
#include <errno.h>

#include "nvme.h"

static void ns_started(void *opaque, int error, const char *why)
{
    struct ns *ns = opaque;
    struct lab_ctrl *ctrl = ns->ctrl;

    if (error) {
        ctrl_log(ctrl, LAB_LOG_ERR, "namespace %u: metadata: %s", ns->nsid,
                 why ? why : g_strerror(-error));
        ctrl->start_error = error;
    }
    ctrl->start_nsid++;
    ctrl->is_ns_starting = false;
    ctrl_kick(ctrl);
}

/* One namespace after the other; is_ns_starting: one is reading. */
void start_step(struct lab_ctrl *ctrl)
{
    void (*done)(void *opaque, int error) = ctrl->start_done;

    if (!done || ctrl->is_ns_starting) {
        return;
    }
    while (ctrl->start_nsid <= LAB_NSID_MAX && !ctrl->start_error) {
        struct ns *ns = ctrl->ns[ctrl->start_nsid];

        if (ns && ns->redo) {
            ctrl->is_ns_starting = true;
            redo_start(ns->redo, ns_started, ns);
            return;
        }
        ctrl->start_nsid++;
    }
    ctrl->start_done = NULL;
    done(ctrl->opaque, ctrl->start_error);
}

void lab_start(struct lab_ctrl *ctrl, void (*done)(void *opaque, int error))
{
    char *unused;               /* the rules were looked at when it was made */

    ctrl->start_nsid = 1;
    ctrl->start_error = 0;
    ctrl->start_done = done;
    if (ctrl->config.holds) {
        lab_hold(ctrl, ctrl->config.holds, &unused);
    }
    ctrl_kick(ctrl);
}
