/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The power cut of a controller.
 *
 *      frozen ──► waiting ──────────► writing ──────────► dark ──► power on
 *      at once    for the store's     survivors of each
 *                 own requests        namespace
 *
 * From "frozen" on the drive reads as all ones, and touches no guest memory.
 * The steps are taken by lab_run(), never from inside a storage callback.
 */
#include "nvme.h"

bool ctrl_is_dark(const struct lab_ctrl *ctrl)
{
    return ctrl->cut_stage != CUT_NONE;
}

bool lab_is_dark(const struct lab_ctrl *ctrl)
{
    return ctrl_is_dark(ctrl);
}

void ctrl_freeze_caches(struct lab_ctrl *ctrl)
{
    uint32_t nsid;

    for (nsid = 1; nsid <= LAB_NSID_MAX; nsid++) {
        if (ctrl->ns[nsid]) {
            wcache_freeze(ctrl->ns[nsid]->cache);
        }
    }
}

void ctrl_freeze(struct lab_ctrl *ctrl)
{
    ctrl->cut_stage = CUT_FROZEN;
    ctrl_freeze_caches(ctrl);
    ctrl->ops->timer_set(ctrl->opaque, LAB_TIME_NEVER);
}

void lab_power_cut(struct lab_ctrl *ctrl, struct lab_cut cut,
                   void (*done)(void *opaque))
{
    if (ctrl->cut_stage == CUT_NONE) {
        ctrl_freeze(ctrl);
    }
    g_assert(ctrl->cut_stage == CUT_FROZEN);
    ctrl->cut = cut;
    ctrl->cut_done = done;
    ctrl->cut_stage = CUT_WAITING;
    ctrl_kick(ctrl);
}

/* The commands that never get an answer are written down, then forgotten. */
static void forget_commands(struct lab_ctrl *ctrl)
{
    struct req *req;

    req_report_posted(ctrl);
    queue_free_all(ctrl, LAB_TRACE_BY_CUT);
    while ((req = TAILQ_FIRST(&ctrl->orphans))) {
        req_free(req);
    }
    fanout_forget(ctrl);
    hold_end_rules(ctrl);
}

struct survivor_report {
    struct lab_ctrl *ctrl;
    uint32_t nsid;
};

static void report_survivor(void *opaque,
                            const struct wcache_survivor *survivor)
{
    const struct survivor_report *report = opaque;

    trace_survivor(report->ctrl, report->nsid, survivor);
}

static void part_done(void *opaque, int error)
{
    struct lab_ctrl *ctrl = opaque;

    if (error) {
        ctrl_log(ctrl, LAB_LOG_ERR, "power cut: survivors not written: %s",
                 g_strerror(-error));
    }
    ctrl->cut_parts_left--;
    ctrl_kick(ctrl);
}

static void write_survivors(struct lab_ctrl *ctrl)
{
    struct powercut powercut = { .seed = ctrl->cut.seed };
    uint32_t nsid;

    switch (ctrl->cut.policy) {
    case LAB_POLICY_DROP_ALL:
        powercut.policy = POWERCUT_DROP_ALL;
        break;
    case LAB_POLICY_KEEP_ALL:
        powercut.policy = POWERCUT_KEEP_ALL;
        break;
    case LAB_POLICY_RANDOM:
        powercut.policy = POWERCUT_RANDOM;
        break;
    }
    trace_event(ctrl, LAB_TRACE_CUT, ctrl->cut.policy, ctrl->cut.seed);
    for (nsid = 1; nsid <= LAB_NSID_MAX; nsid++) {
        struct survivor_report report = { ctrl, nsid };

        if (ctrl->ns[nsid]) {
            ctrl->cut_parts_left++;
            wcache_cut(ctrl->ns[nsid]->cache, &powercut, report_survivor,
                       &report, part_done, ctrl);
        }
    }
}

void cut_step(struct lab_ctrl *ctrl)
{
    if (ctrl->cut_stage == CUT_WAITING && lab_is_idle(ctrl)) {
        ctrl->cut_stage = CUT_WRITING;
        write_survivors(ctrl);
        /* Not earlier: the caches know a write in flight by its request. */
        forget_commands(ctrl);
    }
    if (ctrl->cut_stage == CUT_WRITING && !ctrl->cut_parts_left) {
        ctrl->cut_stage = CUT_DARK;
        ctrl->stat.power_cuts++;
        ctrl->cut_done(ctrl->opaque);
    }
}

void lab_power_on(struct lab_ctrl *ctrl)
{
    g_assert(ctrl->cut_stage == CUT_DARK);
    ctrl->cut_stage = CUT_NONE;
    lab_reset(ctrl);
    feature_reset(ctrl);
    trace_event(ctrl, LAB_TRACE_POWER_ON, 0, 0);
}
