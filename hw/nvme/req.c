/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The life of a request.
 *
 *      submitted ─► fetched ─► executed ─► finished ─► due ─► posted ─► traced
 *      doorbell     SQE        admin, io   status      heap   CQE       irq
 *
 * A request is in exactly one of these places. req_finish() is the only door
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
    req->fetched_ns = ctrl_now_ns(ctrl);
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

void req_fetch(struct lab_ctrl *ctrl, struct sq *sq)
{
    struct nvme_command cmd;
    struct req *req;

    if (ctrl->ops->dma_read(ctrl->opaque,
                            sq->address + sq->head * (uint64_t)sizeof(cmd),
                            &cmd, sizeof(cmd))) {
        ctrl_fatal(ctrl, "SQE cannot be read");
        return;
    }
    command_to_host_order(&cmd);
    req = req_new(sq, &cmd);
    advance_head(sq);
    req_execute(req);
}

static uint64_t deadline_of(const struct req *req)
{
    /* A command that the controller refuses is answered as late as others. */
    if (req->sq->id == 0) {
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
    heap_push(&req->ctrl->due, &req->due, deadline_of(req));
    ctrl_kick(req->ctrl);
}

static void req_completed(struct req *req)
{
    struct lab_ctrl *ctrl = req->ctrl;

    req->completed = moment_take(&ctrl->moments);
    writes_completed(req, req->completed.stamp);
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
        if (cq_post(ctrl, req)) {
            req_completed(req);
        }
    }
}

/* The interrupts go out next: the records, and the end of the requests. */
void req_report_posted(struct lab_ctrl *ctrl)
{
    uint64_t now = ctrl_now_ns(ctrl);
    struct req *req;

    while ((req = TAILQ_FIRST(&ctrl->posted))) {
        TAILQ_REMOVE(&ctrl->posted, req, wait_link);
        req->irq_ns = ctrl->cq[req->sq->cqid]->has_irq ? now : 0;
        trace_command(req, true);
        req_free(req);
    }
}

static void withdraw(struct req *req)
{
    struct lab_ctrl *ctrl = req->ctrl;

    if (heap_has(&req->due)) {
        heap_remove(&ctrl->due, &req->due);
    } else if (req->is_parked) {
        TAILQ_REMOVE(&ctrl->aer, req, wait_link);
        ctrl->aer_count--;
    } else if (!req->is_at_media) {
        TAILQ_REMOVE(&ctrl->cq[req->sq->cqid]->waiting, req, wait_link);
    }
}

/* Its queue goes away: nobody will see this command's completion. */
void req_orphan(struct req *req)
{
    struct sq *sq = req->sq;

    if (req->is_at_media && req->ns && withdraw_writes(req)) {
        req->is_at_media = false;       /* it never becomes visible */
    } else {
        withdraw(req);
    }
    if (!req->is_parked) {
        trace_command(req, false);
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
    ctrl->data_bytes -= req->data_bytes;
    g_free(req->data);
    g_free(req->dsm);
    g_free(req);
}
