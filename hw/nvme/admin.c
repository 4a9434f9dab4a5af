/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The admin command set (Base 5): dispatch, and the queue commands. */
#include "nvme.h"

#define QUEUE_CONTIGUOUS (1u << 0)
#define QUEUE_INTERRUPT (1u << 1)

static uint32_t queue_id(const struct req *req)
{
    return req->cmd.cdw10 & 0xFFFF;
}

static bool is_io_queue_id(const struct lab_ctrl *ctrl, uint32_t id)
{
    return id >= 1 && id <= ctrl->config.io_queue_pairs_max;
}

/* What Create I/O SQ and CQ check alike; *size in entries. */
static uint16_t parse_create(const struct req *req, bool is_taken,
                             uint32_t *size)
{
    const struct lab_ctrl *ctrl = req->ctrl;
    uint32_t size_0based = req->cmd.cdw10 >> 16;

    if (!is_io_queue_id(ctrl, queue_id(req)) || is_taken) {
        return NVME_INVALID_QUEUE_ID | NVME_DNR;
    }
    if (!size_0based || size_0based >= ctrl->config.queue_entries_max) {
        return NVME_INVALID_QUEUE_SIZE | NVME_DNR;
    }
    if (!(req->cmd.cdw11 & QUEUE_CONTIGUOUS)) {     /* CAP.CQR */
        return NVME_INVALID_FIELD | NVME_DNR;
    }
    if (req->cmd.prp1 % LAB_PAGE_BYTES) {
        return NVME_INVALID_PRP_OFFSET | NVME_DNR;
    }
    *size = size_0based + 1;
    return NVME_SUCCESS;
}

static struct sq *find_sq(const struct lab_ctrl *ctrl, uint32_t id)
{
    return is_io_queue_id(ctrl, id) ? ctrl->sq[id] : NULL;
}

static struct cq *find_cq(const struct lab_ctrl *ctrl, uint32_t id)
{
    return is_io_queue_id(ctrl, id) ? ctrl->cq[id] : NULL;
}

static uint16_t exec_create_cq(struct req *req)
{
    struct lab_ctrl *ctrl = req->ctrl;
    uint16_t vector = req->cmd.cdw11 >> 16;
    bool has_irq = req->cmd.cdw11 & QUEUE_INTERRUPT;
    uint32_t size;
    uint16_t status = parse_create(req, find_cq(ctrl, queue_id(req)), &size);

    if (status) {
        return status;
    }
    if (NVME_CC_IOCQES(ctrl->cc) != 4) {
        return NVME_INVALID_QUEUE_SIZE | NVME_DNR;
    }
    if (has_irq && vector >= ctrl->config.irq_vectors) {
        return NVME_INVALID_VECTOR | NVME_DNR;
    }
    cq_new(ctrl, queue_id(req), size, req->cmd.prp1, has_irq, vector);
    return NVME_SUCCESS;
}

static uint16_t exec_create_sq(struct req *req)
{
    struct lab_ctrl *ctrl = req->ctrl;
    uint32_t cqid = req->cmd.cdw11 >> 16;
    uint32_t size;
    uint16_t status = parse_create(req, find_sq(ctrl, queue_id(req)), &size);

    if (status) {
        return status;
    }
    if (NVME_CC_IOSQES(ctrl->cc) != 6) {
        return NVME_INVALID_QUEUE_SIZE | NVME_DNR;
    }
    if (!find_cq(ctrl, cqid)) {
        return NVME_INVALID_CQ | NVME_DNR;
    }
    sq_new(ctrl, queue_id(req), cqid, size, req->cmd.prp1);
    return NVME_SUCCESS;
}

static uint16_t exec_delete_sq(struct req *req)
{
    struct sq *sq = find_sq(req->ctrl, queue_id(req));

    if (!sq) {
        return NVME_INVALID_QUEUE_ID | NVME_DNR;
    }
    sq_free(req->ctrl, sq, LAB_TRACE_DELETED);
    return NVME_SUCCESS;
}

static uint16_t exec_delete_cq(struct req *req)
{
    struct cq *cq = find_cq(req->ctrl, queue_id(req));

    if (!cq) {
        return NVME_INVALID_QUEUE_ID | NVME_DNR;
    }
    if (cq->sq_count) {
        return NVME_INVALID_QUEUE_DELETION | NVME_DNR;
    }
    cq_free(req->ctrl, cq);
    return NVME_SUCCESS;
}

/*
 * Base 5.1. Bit 0 of DW0: the command was not aborted. Only what waits for an
 * event, for other commands, or for its release can be: everything else is on
 * its way and ends by itself.
 */
static uint16_t exec_abort(struct req *req)
{
    struct lab_ctrl *ctrl = req->ctrl;
    uint16_t sqid = req->cmd.cdw10 & 0xFFFF;
    uint16_t cid = req->cmd.cdw10 >> 16;
    struct req *other;

    req->result = 1;
    if (sqid > ctrl->config.io_queue_pairs_max || !ctrl->sq[sqid]) {
        return NVME_INVALID_FIELD | NVME_DNR;
    }
    if (hold_abort(ctrl, sqid, cid)) {
        req->result = 0;
        return NVME_SUCCESS;
    }
    TAILQ_FOREACH(other, &ctrl->aer, wait_link) {
        if (sqid == 0 && other->cmd.cid == cid) {
            TAILQ_REMOVE(&ctrl->aer, other, wait_link);
            ctrl->aer_count--;
            other->is_aer = false;
            req_finish(other, NVME_ABORT_REQUESTED);
            req->result = 0;
            break;
        }
    }
    return NVME_SUCCESS;
}

/* Answered at once by their status, unlike the four of admin_execute(). */
static uint16_t (*const immediate[256])(struct req *req) = {
    [NVME_ADMIN_DELETE_SQ] = exec_delete_sq,
    [NVME_ADMIN_CREATE_SQ] = exec_create_sq,
    [NVME_ADMIN_GET_LOG] = exec_get_log,
    [NVME_ADMIN_DELETE_CQ] = exec_delete_cq,
    [NVME_ADMIN_CREATE_CQ] = exec_create_cq,
    [NVME_ADMIN_IDENTIFY] = exec_identify,
    [NVME_ADMIN_ABORT] = exec_abort,
    [NVME_ADMIN_GET_FEATURES] = exec_get_features,
    [NVME_ADMIN_DOORBELL_BUFFERS] = exec_doorbell_buffers,
};

bool admin_is_supported(const struct lab_ctrl *ctrl, uint8_t opcode)
{
    if (opcode == NVME_ADMIN_DOORBELL_BUFFERS) {
        return shadow_is_offered(ctrl);
    }
    return immediate[opcode] || opcode == NVME_ADMIN_SET_FEATURES ||
           opcode == NVME_ADMIN_ASYNC_EVENT || vendor_is_command(ctrl, opcode);
}

void admin_execute(struct req *req)
{
    uint8_t opcode = req->cmd.opcode;

    if (vendor_is_command(req->ctrl, opcode)) {
        vendor_execute(req);
    } else if (opcode == NVME_ADMIN_ASYNC_EVENT) {
        aer_park(req);
    } else if (opcode == NVME_ADMIN_SET_FEATURES) {
        exec_set_features(req);
    } else if (immediate[opcode]) {
        req_finish(req, immediate[opcode](req));
    } else {
        req_finish(req, NVME_INVALID_OPCODE | NVME_DNR);
    }
}
