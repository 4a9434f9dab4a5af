/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * WAIT: an admin command that is answered when enough commands are parked.
 *
 *      WAIT ──► enough? ── yes ─────────────────────────► DW0, the list
 *                 │ no                                         ▲
 *                 └──► waits ── parked ── enough? ── yes ──────┤
 *                        ├── the limit (heap) ── WAIT OVER ────┘
 *                        └── its rule ends ───── NO RULE
 *
 * Invariant: a waiting request has a deadline in the heap, so none waits for
 * ever. Waiting requests do not count as in flight (queue.c, can_fetch), so any
 * number of them leaves room for the RELEASE.
 */
#include "nvme.h"

static uint64_t held_by(struct lab_ctrl *ctrl, uint32_t rule)
{
    return rule ? hold_find(ctrl, rule)->held : ctrl->stat.commands_held;
}

static void describe(const struct parked *parked, struct lab_held *held)
{
    const struct req *req = parked->req;
    uint64_t slba;
    uint32_t block_count;

    hold_range(req, &slba, &block_count);
    *held = (struct lab_held) {
        .command_id = htole64(req->number),
        .slba = htole64(slba),
        .parked_ns = htole64(parked->since_ns),
        .block_count = htole32(block_count),
        .nsid = htole32(req->cmd.nsid),
        .rule = htole32(parked->rule),
        .sqid = htole16(req->sq->id),
        .cid = htole16(req->cmd.cid),
        .opcode = req->cmd.opcode,
        .stage = parked->stage,
        .has_fua = req->has_fua,
    };
}

static uint16_t answer(struct req *req, uint32_t rule, uint32_t room)
{
    struct lab_ctrl *ctrl = req->ctrl;
    struct lab_held list[LAB_WAIT_ROOM_MAX] = { 0 };
    const struct parked *parked;
    uint32_t count = 0;

    req->result = held_by(ctrl, rule);
    TAILQ_FOREACH(parked, &ctrl->holds.parked, link) {
        if ((!rule || parked->rule == rule) &&
            (count + 1) * sizeof(list[0]) <= room) {
            describe(parked, &list[count++]);
        }
    }
    return room ? dptr_to_guest(req, list, room) : NVME_SUCCESS;
}

/* Out of the list; the heap is the caller's business. */
static struct wait wait_end(struct req *req)
{
    struct wait wait = *req->wait;

    TAILQ_REMOVE(&req->ctrl->holds.waits, req->wait, link);
    req->ctrl->holds.wait_count--;
    g_free(req->wait);
    req->wait = NULL;
    return wait;
}

static void wait_finish(struct req *req, uint16_t status)
{
    struct wait wait = wait_end(req);
    uint16_t data_status = NVME_SUCCESS;

    if (status != (LAB_STATUS_NO_RULE | NVME_DNR)) {
        data_status = answer(req, wait.rule, wait.room);
    }
    req_finish(req, data_status ? data_status : status);
}

void hold_wait_look(struct lab_ctrl *ctrl, uint32_t rule, bool is_over)
{
    struct wait *wait;
    struct wait *next;

    for (wait = TAILQ_FIRST(&ctrl->holds.waits); wait; wait = next) {
        struct req *req = wait->req;
        bool is_mine = wait->rule == rule;

        next = TAILQ_NEXT(wait, link);
        if (is_over ? !is_mine
                    : (wait->rule && !is_mine) ||
                      held_by(ctrl, wait->rule) < wait->count) {
            continue;
        }
        heap_remove(&ctrl->due, &req->due);
        wait_finish(req, is_over ? LAB_STATUS_NO_RULE | NVME_DNR
                                 : NVME_SUCCESS);
    }
}

void hold_wait_due(struct req *req)
{
    wait_finish(req, LAB_STATUS_WAIT_OVER | NVME_DNR);
}

void hold_wait_drop(struct req *req)
{
    heap_remove(&req->ctrl->due, &req->due);
    wait_end(req);
}

bool hold_wait_abort(struct lab_ctrl *ctrl, uint16_t cid)
{
    struct wait *wait;

    TAILQ_FOREACH(wait, &ctrl->holds.waits, link) {
        struct req *req = wait->req;

        if (req->cmd.cid == cid) {
            hold_wait_drop(req);
            req_finish(req, NVME_ABORT_REQUESTED);
            return true;
        }
    }
    return false;
}

static uint16_t check(const struct req *req)
{
    const struct nvme_command *cmd = &req->cmd;

    if (cmd->cdw10 > LAB_WAIT_ROOM_MAX * sizeof(struct lab_held) / 4 ||
        !cmd->cdw12 || !cmd->cdw13 || cmd->cdw13 > LAB_WAIT_MS_MAX) {
        return NVME_INVALID_FIELD | NVME_DNR;
    }
    if (cmd->cdw11 && !hold_find(req->ctrl, cmd->cdw11)) {
        return LAB_STATUS_NO_RULE | NVME_DNR;
    }
    return NVME_SUCCESS;
}

void hold_exec_wait(struct req *req)
{
    struct lab_ctrl *ctrl = req->ctrl;
    uint32_t rule = req->cmd.cdw11;
    uint32_t room = req->cmd.cdw10 * 4;
    uint16_t status = check(req);

    if (status) {
        req_finish(req, status);
        return;
    }
    if (held_by(ctrl, rule) >= req->cmd.cdw12) {
        req_finish(req, answer(req, rule, room));
        return;
    }
    if (ctrl->holds.wait_count == HOLD_WAITS_MAX) {
        req_finish(req, LAB_STATUS_HOLDS_FULL | NVME_DNR);
        return;
    }
    req->wait = g_new0(struct wait, 1);
    *req->wait = (struct wait) {
        .req = req, .rule = rule, .count = req->cmd.cdw12, .room = room,
    };
    TAILQ_INSERT_TAIL(&ctrl->holds.waits, req->wait, link);
    ctrl->holds.wait_count++;
    heap_push(&ctrl->due, &req->due,
              ctrl_now_ns(ctrl) + req->cmd.cdw13 * 1000000ull);
}
