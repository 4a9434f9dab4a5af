/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The life of a request.
 *
 *      submitted ─► fetched ─► executed ─► finished ─► due ─► posted ─► traced
 *      doorbell     SQE        admin, io   status      heap   CQE       irq
 *
 * A request is in exactly one of these places, or parked between two of them
 * (hold.c). req_finish() is the only door
 * from execution to completion, whoever calls it and whenever; what became of
 * the data is settled before, in the caches.
 */
#include "nvme.h"

static void command_to_host_order(struct nvme_command *cmd)
{
    cmd->cid = le16toh(cmd->cid);
    cmd->nsid = le32toh(cmd->nsid);
    cmd->cdw2 = le32toh(cmd->cdw2);
    cmd->cdw3 = le32toh(cmd->cdw3);
    cmd->mptr = le64toh(cmd->mptr);
    cmd->prp1 = le64toh(cmd->prp1);
    cmd->prp2 = le64toh(cmd->prp2);
    cmd->cdw10 = le32toh(cmd->cdw10);
    cmd->cdw11 = le32toh(cmd->cdw11);
    cmd->cdw12 = le32toh(cmd->cdw12);
    cmd->cdw13 = le32toh(cmd->cdw13);
    cmd->cdw14 = le32toh(cmd->cdw14);
    cmd->cdw15 = le32toh(cmd->cdw15);
}

static struct req *req_new(struct sq *sq, const struct nvme_command *cmd)
{
    struct lab_ctrl *ctrl = sq->ctrl;
    struct req *req = g_new0(struct req, 1);

    req->ctrl = ctrl;
    req->sq = sq;
    req->cmd = *cmd;
    req->number = ++ctrl->commands;
    req->submitted = sq->doorbells[sq->doorbell_first].rung;
    TAILQ_INSERT_TAIL(&sq->reqs, req, link);
    sq->in_flight++;
    return req;
}

static void advance_head(struct sq *sq)
{
    struct doorbell *doorbell = &sq->doorbells[sq->doorbell_first];

    sq->head = (sq->head + 1) % sq->size;
    if (sq->head == doorbell->tail) {
        sq->doorbell_first = (sq->doorbell_first + 1) % sq->size;
        sq->doorbell_count--;
    }
}

static void req_execute(struct req *req)
{
    if (NVME_FUSE(req->cmd.flags) || NVME_PSDT(req->cmd.flags)) {
        req_finish(req, NVME_INVALID_FIELD | NVME_DNR);
        return;
    }
    if (req->sq->id == 0) {
        admin_execute(req);
    } else {
        req->ctrl->stat.commands_submitted++;
        io_execute(req);
    }
}

/* The command at the head of the queue; NULL: it cannot be read. */
static struct req *peek(struct lab_ctrl *ctrl, struct sq *sq)
{
    struct nvme_command cmd;

    if (ctrl->ops->dma_read(ctrl->opaque,
                            sq->address + sq->head * (uint64_t)sizeof(cmd),
                            &cmd, sizeof(cmd))) {
        ctrl_fatal(ctrl, "SQE cannot be read");
        return NULL;
    }
    command_to_host_order(&cmd);
    return req_new(sq, &cmd);
}

void req_fetch(struct lab_ctrl *ctrl, struct sq *sq)
{
    struct req *req = sq->peeked ? sq->peeked : peek(ctrl, sq);

    if (!req) {
        return;
    }
    if (hold_parks(req, LAB_HOLD_FETCH)) {
        sq->peeked = req;
        return;
    }
    sq->peeked = NULL;
    req->fetched_ns = ctrl_now_ns(ctrl);
    advance_head(sq);
    req_execute(req);
}

static uint64_t deadline_of(const struct req *req)
{
    /*
     * A command that the controller refuses is answered as late as others, but
     * one that was aborted before the Abort is.
     */
    if (req->sq->id == 0 ||
        (req->status & NVME_STATUS_MASK) == NVME_ABORT_REQUESTED) {
        return 0;
    }
    return req->submitted.ns + req->ctrl->config.floor_latency_ns;
}

static bool is_promised(const struct req *req)
{
    return req->dsm ? dsm_is_promised(req) : wcache_is_promised(&req->op);
}

static void writes_completed(struct req *req, uint64_t stamp)
{
    if (req->ns) {
        wcache_completed(req->ns->cache, &req->op, stamp);
        dsm_completed(req, stamp);
    }
}

static bool withdraw_writes(struct req *req)
{
    return req->dsm ? dsm_withdraw(req)
                    : wcache_withdraw(req->ns->cache, &req->op);
}

void req_finish(struct req *req, uint16_t status)
{
    req->is_at_media = false;
    req->status = status;
    if (!req->sq) {
        req_free(req);
        return;
    }
    if (status & NVME_STATUS_MASK) {
        log_error(req);
    }
    if (!req->durable_ns && is_promised(req)) {
        req->durable_ns = ctrl_now_ns(req->ctrl);
    }
    if (!hold_parks(req, LAB_HOLD_CQE)) {
        req_complete(req);
    }
}

void req_complete(struct req *req)
{
    heap_push(&req->ctrl->due, &req->due, deadline_of(req));
    ctrl_kick(req->ctrl);
}

void req_abort(struct req *req)
{
    writes_completed(req, 0);
    req->stage_next = LAB_HOLD_STAGES;
    req_finish(req, NVME_ABORT_REQUESTED);
}

static void req_completed(struct req *req)
{
    struct lab_ctrl *ctrl = req->ctrl;

    req->completed = moment_take(&ctrl->moments);
    writes_completed(req, req->completed.stamp);
    if (req->ns) {
        req->unpromised_bytes = wcache_unpromised_bytes(req->ns->cache);
    }
    if (req->sq->id) {
        ctrl->stat.commands_completed++;
    }
    TAILQ_INSERT_TAIL(&ctrl->posted, req, wait_link);
}

void req_post_due(struct lab_ctrl *ctrl)
{
    struct heap_node *node;
    uint64_t now = ctrl_now_ns(ctrl);

    while (!(ctrl->csts & NVME_CSTS_CFS) && (node = heap_first(&ctrl->due)) &&
           node->deadline_ns <= now) {
        struct req *req = (struct req *)((char *)node -
                                         offsetof(struct req, due));

        heap_remove(&ctrl->due, node);
        if (req->parked || req->wait) {
            hold_due(req);
        } else if (cq_post(ctrl, req)) {
            req_completed(req);
        }
    }
}

/* The interrupts go out next: the record, and the end of the request. */
static void report(struct req *req, uint64_t irq_ns)
{
    struct cq *cq = req->ctrl->cq[req->sq->cqid];

    cq->must_raise |= irq_ns != 0;
    req->irq_ns = cq->has_irq ? irq_ns : 0;
    trace_command(req, true);
    req_free(req);
}

void req_interrupt(struct req *req, bool is_lost)
{
    report(req, is_lost ? 0 : ctrl_now_ns(req->ctrl));
}

void req_report_posted(struct lab_ctrl *ctrl)
{
    uint64_t now = ctrl_now_ns(ctrl);
    struct req *req;

    while ((req = TAILQ_FIRST(&ctrl->posted))) {
        TAILQ_REMOVE(&ctrl->posted, req, wait_link);
        if (!hold_parks(req, LAB_HOLD_IRQ)) {
            report(req, now);
        }
    }
}

static void withdraw(struct req *req)
{
    struct lab_ctrl *ctrl = req->ctrl;

    if (heap_has(&req->due)) {
        heap_remove(&ctrl->due, &req->due);
    } else if (req->is_aer) {
        TAILQ_REMOVE(&ctrl->aer, req, wait_link);
        ctrl->aer_count--;
    } else if (!req->is_at_media && req != req->sq->peeked) {
        TAILQ_REMOVE(&ctrl->cq[req->sq->cqid]->waiting, req, wait_link);
    }
}

/* Its queue goes away: nobody will see this command's completion. */
void req_orphan(struct req *req, enum lab_trace_resumed how)
{
    struct sq *sq = req->sq;

    if (req->parked) {
        hold_drop(req, how);
    } else if (req->wait) {
        hold_wait_drop(req);
    } else if (req->is_at_media && req->ns && withdraw_writes(req)) {
        req->is_at_media = false;       /* it never becomes visible */
    } else {
        withdraw(req);
    }
    if (!req->is_aer) {
        /* Held before its interrupt it has been answered. */
        trace_command(req, req->completed.stamp != 0);
    }
    if (!req->is_at_media) {
        req_free(req);
        return;
    }
    TAILQ_REMOVE(&sq->reqs, req, link);
    sq->in_flight--;
    req->sq = NULL;
    TAILQ_INSERT_TAIL(&req->ctrl->orphans, req, link);
}

void req_free(struct req *req)
{
    struct lab_ctrl *ctrl = req->ctrl;

    writes_completed(req, 0);
    if (req->sq) {
        TAILQ_REMOVE(&req->sq->reqs, req, link);
        req->sq->in_flight--;
    } else {
        TAILQ_REMOVE(&ctrl->orphans, req, link);
    }
    req_drop_data(req);
    g_free(req->dsm);
    g_free(req);
}

void req_drop_data(struct req *req)
{
    req->ctrl->data_bytes -= req->data_bytes;
    req->data_bytes = 0;
    g_free(req->data);
    req->data = NULL;
}
