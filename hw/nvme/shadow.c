/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Shadow doorbells (Base 5.8, Doorbell Buffer Config, and Annex B.5): two pages
 * of guest memory laid out like the doorbell registers. The driver writes its
 * doorbells to the one; in the other the drive says which of those writes it
 * wants to hear of by a register, too.
 *
 *      driver   entry = new; full barrier; event = EventIdx
 *               rings the register only if the step old -> new passes event
 *      drive    EventIdx = seen; full barrier; reads the entry once more
 *
 * Each side writes, then reads what the other writes: one of the two notices.
 *
 * A submission queue is
 *      armed    EventIdx is the value seen last, so that any change rings. The
 *               drive need not look.
 *      rung     its register was written. Until the drive arms it again the
 *               driver is silent, and the drive looks by itself: before it
 *               stamps any doorbell, at the start of each run, and when it
 *               arms the queue, at the end of that run. What it finds then
 *               starts another run, through the carrier: a driver that never
 *               stops cannot hold the main loop.
 * CQEs are posted in between, never before the first look: a tail that was
 * written in silence is in front of every completion that it was in front of
 * for the driver, as if it had been rung.
 *
 * A completion queue's head matters only when the queue looks full. So its
 * EventIdx lies a lap ahead, one behind the head; the entry is read when an
 * entry is needed, and only if there is none the next change is asked for.
 *
 * Rules, as hw/tests/test_shadow.c cites them
 *   S1  A doorbell write is a change of the entry since it was seen last. What
 *       stands there when page or queue come is where it starts, whatever it
 *       is.
 *   S2  With an entry, an I/O queue's register only rings: its value is checked
 *       against the queue's size and then forgotten. The register may be late.
 *   S3  No tail that was written in silence is missed.
 *   S4  It is stamped before any doorbell and any completion that follow.
 *   S5  A completion queue rings once a lap, or when it is full.
 *   S6  The admin queues have entries, too, but Linux and SPDK write only their
 *       registers: there both count.
 *   S7  Values are the guest's, and are judged like those of registers.
 *   S8  A page that cannot be reached: Invalid Field when it is offered, fatal
 *       like other queue memory (CSTS.CFS) when it was taken.
 *   S9  Disable, reset and power cut end it all. Deleting a queue ends its
 *       entry, creating one starts it.
 *   S10 A page holds 512 pairs: a drive with more does not offer the command.
 */
#include "nvme.h"

#include <stdatomic.h>

#define ENTRIES (LAB_PAGE_BYTES / sizeof(uint32_t))

bool shadow_is_offered(const struct lab_ctrl *ctrl)
{
    return ctrl->config.has_shadow_doorbells &&
           (ctrl->config.io_queue_pairs_max + 1u) * 2 <= ENTRIES;
}

static uint32_t sq_index(uint32_t id)
{
    return id * 2;
}

static uint32_t cq_index(uint32_t id)
{
    return id * 2 + 1;
}

static bool is_usable(const struct lab_ctrl *ctrl)
{
    return ctrl->shadow.is_on && !ctrl_is_dark(ctrl) &&
           !(ctrl->csts & NVME_CSTS_CFS);
}

/* -- The pages ------------------------------------------------------------ */

static bool read_entry(struct lab_ctrl *ctrl, uint32_t index, uint32_t *value)
{
    uint64_t address = ctrl->shadow.doorbells + index * sizeof(*value);

    if (ctrl->ops->dma_read(ctrl->opaque, address, value, sizeof(*value))) {
        ctrl_fatal(ctrl, "shadow doorbell cannot be read");
        return false;
    }
    /* What the driver wrote before the entry is read after it. */
    atomic_thread_fence(memory_order_acquire);
    *value = le32toh(*value);
    return true;
}

static void write_event(struct lab_ctrl *ctrl, uint32_t index, uint32_t value)
{
    uint64_t address = ctrl->shadow.events + index * sizeof(value);

    value = htole32(value);
    if (ctrl->ops->dma_write(ctrl->opaque, address, &value, sizeof(value))) {
        ctrl_fatal(ctrl, "EventIdx cannot be written");
        return;
    }
    /* The driver's store and load are the other way round. */
    atomic_thread_fence(memory_order_seq_cst);
}

/* Passed by the driver only after a whole lap. */
static uint32_t one_behind(uint32_t value, uint32_t size)
{
    return value < size ? (value + size - 1) % size : value;
}

/* -- Submission queues ---------------------------------------------------- */

/* True: the entry has changed. */
static bool look_at_sq(struct lab_ctrl *ctrl, struct sq *sq)
{
    uint32_t value;

    if (!read_entry(ctrl, sq_index(sq->id), &value) ||
        value == sq->entry.seen) {
        return false;
    }
    sq->entry.seen = value;
    ctrl->stat.shadow_doorbells++;
    sq_set_tail(ctrl, sq, value);
    return true;
}

void shadow_look(struct lab_ctrl *ctrl)
{
    uint32_t id;

    for (id = 0; id < ctrl->queues; id++) {
        struct sq *sq = ctrl->sq[id];

        if (sq && !sq->entry.is_armed && is_usable(ctrl)) {
            look_at_sq(ctrl, sq);
        }
    }
}

void shadow_arm(struct lab_ctrl *ctrl)
{
    uint32_t id;

    for (id = 0; id < ctrl->queues; id++) {
        struct sq *sq = ctrl->sq[id];

        if (sq && !sq->entry.is_armed && is_usable(ctrl)) {
            write_event(ctrl, sq_index(id), sq->entry.seen);
            sq->entry.is_armed = true;
            if (is_usable(ctrl) && look_at_sq(ctrl, sq)) {
                sq->entry.is_armed = false;
                ctrl_kick(ctrl);
            }
        }
    }
}

bool shadow_sq_rung(struct lab_ctrl *ctrl, struct sq *sq)
{
    if (!is_usable(ctrl)) {
        return false;
    }
    sq->entry.is_armed = false;
    ctrl_kick(ctrl);
    return sq->id != 0;
}

void shadow_sq_new(struct lab_ctrl *ctrl, struct sq *sq)
{
    if (is_usable(ctrl)) {
        read_entry(ctrl, sq_index(sq->id), &sq->entry.seen);
    }
}

/* -- Completion queues ---------------------------------------------------- */

static void look_at_cq(struct lab_ctrl *ctrl, struct cq *cq)
{
    uint32_t value;

    if (!read_entry(ctrl, cq_index(cq->id), &value) ||
        value == cq->entry.seen) {
        return;
    }
    cq->entry.seen = value;
    ctrl->stat.shadow_doorbells++;
    cq_set_head(ctrl, cq, value);
}

static void put_off(struct lab_ctrl *ctrl, struct cq *cq)
{
    if (is_usable(ctrl)) {
        write_event(ctrl, cq_index(cq->id),
                    one_behind(cq->entry.seen, cq->size));
    }
}

void shadow_cq_needed(struct lab_ctrl *ctrl, struct cq *cq)
{
    if (!is_usable(ctrl)) {
        return;
    }
    look_at_cq(ctrl, cq);
    if (cq_is_full(cq) && is_usable(ctrl)) {
        write_event(ctrl, cq_index(cq->id), cq->entry.seen);
        look_at_cq(ctrl, cq);
    }
    if (!cq_is_full(cq)) {
        put_off(ctrl, cq);
    }
}

bool shadow_cq_rung(struct lab_ctrl *ctrl, struct cq *cq)
{
    shadow_cq_needed(ctrl, cq);
    return ctrl->shadow.is_on && cq->id != 0;
}

void shadow_cq_new(struct lab_ctrl *ctrl, struct cq *cq)
{
    if (is_usable(ctrl)) {
        read_entry(ctrl, cq_index(cq->id), &cq->entry.seen);
        put_off(ctrl, cq);
    }
}

/* -- On and off ----------------------------------------------------------- */

/* What the entries are now is where all queues start. */
static void attach_all(struct lab_ctrl *ctrl, const uint32_t *entries,
                       uint32_t *events)
{
    uint32_t id;

    for (id = 0; id < ctrl->queues; id++) {
        struct sq *sq = ctrl->sq[id];
        struct cq *cq = ctrl->cq[id];

        if (sq) {
            sq->entry.seen = le32toh(entries[sq_index(id)]);
            sq->entry.is_armed = false;
            events[sq_index(id)] = htole32(sq->entry.seen);
        }
        if (cq) {
            cq->entry.seen = le32toh(entries[cq_index(id)]);
            events[cq_index(id)] = htole32(one_behind(cq->entry.seen,
                                                      cq->size));
        }
    }
}

/* Of the queues that wait for one already. */
static void ask_for_heads(struct lab_ctrl *ctrl)
{
    uint32_t id;

    for (id = 0; id < ctrl->queues; id++) {
        if (ctrl->cq[id] && cq_is_full(ctrl->cq[id])) {
            shadow_cq_needed(ctrl, ctrl->cq[id]);
        }
    }
}

uint16_t exec_doorbell_buffers(struct req *req)
{
    struct lab_ctrl *ctrl = req->ctrl;
    uint32_t entries[ENTRIES];
    uint32_t events[ENTRIES] = { 0 };

    if (!shadow_is_offered(ctrl)) {
        return NVME_INVALID_OPCODE | NVME_DNR;
    }
    if (req->cmd.prp1 % LAB_PAGE_BYTES || req->cmd.prp2 % LAB_PAGE_BYTES ||
        ctrl->ops->dma_read(ctrl->opaque, req->cmd.prp1, entries,
                            sizeof(entries)) ||
        ctrl->ops->dma_write(ctrl->opaque, req->cmd.prp2, events,
                             sizeof(events))) {
        return NVME_INVALID_FIELD | NVME_DNR;
    }
    attach_all(ctrl, entries, events);
    ctrl->shadow.doorbells = req->cmd.prp1;
    ctrl->shadow.events = req->cmd.prp2;
    ctrl->shadow.is_on = true;
    if (ctrl->ops->dma_write(ctrl->opaque, req->cmd.prp2, events,
                             sizeof(events))) {
        ctrl_fatal(ctrl, "EventIdx cannot be written");
    }
    ask_for_heads(ctrl);
    return NVME_SUCCESS;
}

void shadow_off(struct lab_ctrl *ctrl)
{
    ctrl->shadow.is_on = false;
}
