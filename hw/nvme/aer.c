/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Asynchronous events (Base 5.2): requests wait here until there is something
 * to tell.
 *
 * An event that has been reported stays masked until its log page is read; the
 * same event twice in between is told once. Only errors are raised so far.
 */
#include "nvme.h"

static void deliver(struct lab_ctrl *ctrl)
{
    uint32_t ready = ctrl->aer_pending & ~ctrl->aer_masked;
    struct req *req = TAILQ_FIRST(&ctrl->aer);
    uint32_t info;

    if (!ready || !req) {
        return;
    }
    info = __builtin_ctz(ready);
    ctrl->aer_pending &= ~(1u << info);
    /* The mask is by event type, and errors are one type. */
    ctrl->aer_masked = UINT32_MAX;
    TAILQ_REMOVE(&ctrl->aer, req, wait_link);
    ctrl->aer_count--;
    req->is_aer = false;
    req->result = NVME_AER_DW0(NVME_AER_ERROR, info, NVME_LOG_ERROR);
    req_finish(req, NVME_SUCCESS);
}

void aer_park(struct req *req)
{
    struct lab_ctrl *ctrl = req->ctrl;

    if (ctrl->aer_count == LAB_AER_MAX) {
        req_finish(req, NVME_AER_LIMIT | NVME_DNR);
        return;
    }
    req->is_aer = true;
    ctrl->aer_count++;
    TAILQ_INSERT_TAIL(&ctrl->aer, req, wait_link);
    deliver(ctrl);
}

void aer_raise(struct lab_ctrl *ctrl, uint8_t info)
{
    ctrl->aer_pending |= 1u << info;
    deliver(ctrl);
}

void aer_log_read(struct lab_ctrl *ctrl)
{
    ctrl->aer_masked = 0;
    deliver(ctrl);
}
