/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One operation on the caches of one namespace or of all: Flush with its
 * broadcast (NVM Command Set 3.2.1: NSID FFFFFFFFh), settling at a shutdown,
 * switching the volatile cache.
 */
#include "nvme.h"

struct part {
    struct wcache_op op;
    struct fanout *fanout;
};

struct fanout {
    TAILQ_ENTRY(fanout) link;
    struct lab_ctrl *ctrl;
    fanout_done *done;
    void *opaque;
    uint32_t left;
    int error;
    struct part parts[];
};

static void part_over(struct fanout *fanout, int error)
{
    struct lab_ctrl *ctrl = fanout->ctrl;

    if (error) {
        fanout->error = error;
    }
    if (--fanout->left) {
        return;
    }
    TAILQ_REMOVE(&ctrl->fanouts, fanout, link);
    fanout->done(ctrl, fanout->opaque, fanout->error);
    g_free(fanout);
}

static void part_done(struct wcache_op *op, int error)
{
    struct part *part = (struct part *)op;

    part_over(part->fanout, error);
}

static void part_start(struct part *part, enum fanout_kind kind, struct ns *ns)
{
    switch (kind) {
    case FANOUT_FLUSH:
        wcache_flush(ns->cache, &part->op);
        break;
    case FANOUT_SETTLE:
        wcache_settle(ns->cache, &part->op);
        break;
    case FANOUT_VWC_ON:
    case FANOUT_VWC_OFF:
        wcache_set_enabled(ns->cache, kind == FANOUT_VWC_ON, &part->op);
        break;
    }
}

void fanout_start(struct lab_ctrl *ctrl, enum fanout_kind kind, uint32_t nsid,
                  uint64_t submitted_stamp, fanout_done *done, void *opaque)
{
    uint32_t first = nsid == NVME_NSID_ALL ? 1 : nsid;
    uint32_t last = nsid == NVME_NSID_ALL ? LAB_NSID_MAX : nsid;
    struct fanout *fanout = g_malloc0(sizeof(*fanout) + (last - first + 1) *
                                                        sizeof(struct part));
    uint32_t i;

    fanout->ctrl = ctrl;
    fanout->done = done;
    fanout->opaque = opaque;
    fanout->left = 1;
    TAILQ_INSERT_TAIL(&ctrl->fanouts, fanout, link);
    for (i = 0; i <= last - first; i++) {
        struct ns *ns = ctrl_ns(ctrl, first + i);
        struct part *part = &fanout->parts[i];

        if (!ns || (kind == FANOUT_VWC_ON && !ns->has_vwc)) {
            continue;
        }
        part->fanout = fanout;
        part->op.submitted_stamp = submitted_stamp;
        part->op.done = part_done;
        fanout->left++;
        part_start(part, kind, ns);
    }
    part_over(fanout, 0);
}

void fanout_forget(struct lab_ctrl *ctrl)
{
    struct fanout *fanout;

    while ((fanout = TAILQ_FIRST(&ctrl->fanouts))) {
        TAILQ_REMOVE(&ctrl->fanouts, fanout, link);
        g_free(fanout);
    }
}
