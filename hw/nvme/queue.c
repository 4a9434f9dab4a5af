/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Queues: memory that driver and controller share, and the doorbells.
 *
 *      driver writes SQEs, rings tail ──► doorbells wait here, in order,
 *                                         each with its moment
 *      controller writes CQEs ──► phase flips at every lap; driver rings head
 *
 * Invariant: doorbells of one submission queue expose at most size - 1
 * entries; a doorbell that claims more is the driver's error and changes
 * nothing (Base 5.2, "Invalid Doorbell Write Value").
 *
 * Commands are fetched in the order in which their doorbells were rung, across
 * queues, so that a mark's place in the trace is where the driver put it.
 */
#include "nvme.h"

struct sq *sq_new(struct lab_ctrl *ctrl, uint16_t id, uint16_t cqid,
                  uint32_t size, uint64_t address)
{
    struct sq *sq = g_new0(struct sq, 1);

    sq->ctrl = ctrl;
    sq->id = id;
    sq->cqid = cqid;
    sq->size = size;
    sq->address = address;
    sq->doorbells = g_new0(struct doorbell, size);
    TAILQ_INIT(&sq->reqs);
    ctrl->cq[cqid]->sq_count++;
    ctrl->sq[id] = sq;
    ctrl->queues = MAX(ctrl->queues, id + 1u);
    shadow_sq_new(ctrl, sq);
    return sq;
}

struct cq *cq_new(struct lab_ctrl *ctrl, uint16_t id, uint32_t size,
                  uint64_t address, bool has_irq, uint16_t vector)
{
    struct cq *cq = g_new0(struct cq, 1);

    cq->id = id;
    cq->size = size;
    cq->address = address;
    cq->has_irq = has_irq;
    cq->vector = vector;
    cq->phase = true;
    TAILQ_INIT(&cq->waiting);
    ctrl->cq[id] = cq;
    ctrl->queues = MAX(ctrl->queues, id + 1u);
    shadow_cq_new(ctrl, cq);
    return cq;
}

void sq_free(struct lab_ctrl *ctrl, struct sq *sq, enum lab_trace_resumed how)
{
    struct req *req;

    while ((req = TAILQ_FIRST(&sq->reqs))) {
        req_orphan(req, how);
    }
    ctrl->cq[sq->cqid]->sq_count--;
    ctrl->sq[sq->id] = NULL;
    g_free(sq->doorbells);
    g_free(sq);
}

void cq_free(struct lab_ctrl *ctrl, struct cq *cq)
{
    ctrl->cq[cq->id] = NULL;
    g_free(cq);
}

void queue_free_all(struct lab_ctrl *ctrl, enum lab_trace_resumed how)
{
    uint32_t id;

    for (id = 0; id < ctrl->queues; id++) {
        if (ctrl->sq[id]) {
            sq_free(ctrl, ctrl->sq[id], how);
        }
    }
    for (id = 0; id < ctrl->queues; id++) {
        if (ctrl->cq[id]) {
            cq_free(ctrl, ctrl->cq[id]);
        }
    }
    ctrl->queues = 0;
}

static uint32_t ring_distance(uint32_t from, uint32_t to, uint32_t size)
{
    return to >= from ? to - from : to + size - from;
}

static bool is_tail_in_range(struct lab_ctrl *ctrl, const struct sq *sq,
                             uint32_t tail)
{
    if (tail < sq->size) {
        return true;
    }
    ctrl_log(ctrl, LAB_LOG_GUEST, "SQ %u: tail %u of %u entries", sq->id, tail,
             sq->size);
    aer_raise(ctrl, NVME_AER_INVALID_DOORBELL_VALUE);
    return false;
}

void sq_doorbell(struct lab_ctrl *ctrl, uint32_t id, uint32_t tail)
{
    struct sq *sq = id <= ctrl->config.io_queue_pairs_max ? ctrl->sq[id] : NULL;
    bool is_bell_only;

    ctrl->stat.doorbell_writes++;
    if (!sq) {
        ctrl_log(ctrl, LAB_LOG_GUEST, "doorbell of absent SQ %u", id);
        aer_raise(ctrl, NVME_AER_INVALID_DOORBELL_REGISTER);
        return;
    }
    is_bell_only = shadow_sq_rung(ctrl, sq);
    shadow_look(ctrl);
    if (is_bell_only) {
        is_tail_in_range(ctrl, sq, tail);
    } else {
        sq_set_tail(ctrl, sq, tail);
    }
}

void sq_set_tail(struct lab_ctrl *ctrl, struct sq *sq, uint32_t tail)
{
    struct doorbell *doorbell;
    uint32_t waiting;

    if (!is_tail_in_range(ctrl, sq, tail) || tail == sq->tail) {
        return;
    }
    waiting = ring_distance(sq->head, sq->tail, sq->size);
    if (waiting + ring_distance(sq->tail, tail, sq->size) >= sq->size) {
        ctrl_log(ctrl, LAB_LOG_GUEST, "SQ %u: tail %u runs past head %u",
                 sq->id, tail, sq->head);
        aer_raise(ctrl, NVME_AER_INVALID_DOORBELL_VALUE);
        return;
    }
    doorbell = &sq->doorbells[(sq->doorbell_first + sq->doorbell_count) %
                              sq->size];
    doorbell->tail = tail;
    doorbell->rung = moment_take(&ctrl->moments);
    sq->doorbell_count++;
    sq->tail = tail;
    ctrl_kick(ctrl);
}

void cq_doorbell(struct lab_ctrl *ctrl, uint32_t id, uint32_t head)
{
    struct cq *cq = id <= ctrl->config.io_queue_pairs_max ? ctrl->cq[id] : NULL;

    ctrl->stat.doorbell_writes++;
    if (!cq) {
        ctrl_log(ctrl, LAB_LOG_GUEST, "doorbell of absent CQ %u", id);
        aer_raise(ctrl, NVME_AER_INVALID_DOORBELL_REGISTER);
        return;
    }
    if (shadow_cq_rung(ctrl, cq) && head < cq->size) {
        return;
    }
    cq_set_head(ctrl, cq, head);
}

void cq_set_head(struct lab_ctrl *ctrl, struct cq *cq, uint32_t head)
{
    struct req *req;

    if (head >= cq->size || ring_distance(cq->head, head, cq->size) >
                                ring_distance(cq->head, cq->tail, cq->size)) {
        ctrl_log(ctrl, LAB_LOG_GUEST, "CQ %u: head %u, tail %u of %u entries",
                 cq->id, head, cq->tail, cq->size);
        aer_raise(ctrl, NVME_AER_INVALID_DOORBELL_VALUE);
        return;
    }
    cq->head = head;
    while ((req = TAILQ_FIRST(&cq->waiting))) {
        TAILQ_REMOVE(&cq->waiting, req, wait_link);
        heap_push(&ctrl->due, &req->due, 0);
        ctrl_kick(ctrl);
    }
}

/*
 * The admin queue carries the commands that free data and release others, and
 * those that wait for an event or a parked command.
 */
static bool can_fetch(const struct lab_ctrl *ctrl, const struct sq *sq)
{
    if (!sq->doorbell_count) {
        return false;
    }
    if (sq->id == 0) {
        return sq->in_flight - ctrl->aer_count - ctrl->holds.wait_count <
               sq->size;
    }
    if (sq->peeked) {           /* has its place in the queue already */
        return !sq->peeked->parked && ctrl->data_bytes < LAB_DATA_BYTES_MAX;
    }
    return sq->in_flight < sq->size && ctrl->data_bytes < LAB_DATA_BYTES_MAX;
}

struct sq *sq_next(struct lab_ctrl *ctrl)
{
    struct sq *first = NULL;
    uint64_t first_stamp = UINT64_MAX;
    uint32_t id;

    if (ctrl_is_dark(ctrl) || !(ctrl->csts & NVME_CSTS_RDY) ||
        (ctrl->csts & NVME_CSTS_CFS)) {
        return NULL;
    }
    for (id = 0; id < ctrl->queues; id++) {
        struct sq *sq = ctrl->sq[id];

        if (sq && can_fetch(ctrl, sq)) {
            uint64_t stamp = sq->doorbells[sq->doorbell_first].rung.stamp;

            if (stamp < first_stamp) {
                first = sq;
                first_stamp = stamp;
            }
        }
    }
    return first;
}

bool cq_is_full(const struct cq *cq)
{
    return (cq->tail + 1) % cq->size == cq->head;
}

bool cq_post(struct lab_ctrl *ctrl, struct req *req)
{
    struct sq *sq = req->sq;
    struct cq *cq = ctrl->cq[sq->cqid];
    uint64_t address = cq->address +
        (uint64_t)cq->tail * sizeof(struct nvme_completion);
    struct nvme_completion cqe = {
        .dw0 = htole32(req->result),
        .sq_head = htole16(sq->head),
        .sq_id = htole16(sq->id),
        .cid = htole16(req->cmd.cid),
        .status = htole16(req->status << 1 | cq->phase),
    };

    if (cq_is_full(cq)) {
        shadow_cq_needed(ctrl, cq);
    }
    if (cq_is_full(cq)) {
        TAILQ_INSERT_TAIL(&cq->waiting, req, wait_link);
        return false;
    }
    if (ctrl->ops->dma_write(ctrl->opaque, address, &cqe, sizeof(cqe))) {
        ctrl_fatal(ctrl, "CQE cannot be written");
        TAILQ_INSERT_TAIL(&cq->waiting, req, wait_link);
        return false;
    }
    cq->tail = (cq->tail + 1) % cq->size;
    if (cq->tail == 0) {
        cq->phase = !cq->phase;
    }
    return true;
}

void cq_raise_all(struct lab_ctrl *ctrl)
{
    uint32_t id;

    for (id = 0; id < ctrl->queues; id++) {
        struct cq *cq = ctrl->cq[id];

        if (cq && cq->must_raise) {
            cq->must_raise = false;
            if (cq->has_irq) {
                ctrl->ops->irq(ctrl->opaque, cq->vector);
            }
        }
    }
}
