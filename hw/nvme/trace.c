/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The command trace: one record per thing that happened, numbered without
 * gaps, handed whole to the carrier (abi/trace_file.h is the format).
 */
#include "nvme.h"

static void emit(struct lab_ctrl *ctrl, struct lab_trace_record *record,
                 enum lab_trace_type type, size_t size)
{
    if (!ctrl->ops->trace) {
        return;
    }
    record->type = htole16(type);
    record->size_bytes = htole16(size);
    record->number = htole64(ctrl->trace_number);
    record->time_ns = htole64(ctrl_now_ns(ctrl));
    ctrl->trace_number++;
    if (!ctrl->ops->trace(ctrl->opaque, record, size)) {
        ctrl->stat.trace_records_lost++;
    }
}

static uint8_t command_flags(const struct req *req, bool has_cqe,
                             bool is_visible)
{
    const struct cq *cq = req->ctrl->cq[req->sq->cqid];

    return (req->has_fua ? LAB_TRACE_FUA : 0) |
           (req->sq->id == 0 ? LAB_TRACE_ADMIN : 0) |
           (has_cqe ? 0 : LAB_TRACE_NO_CQE) |
           (cq->has_irq ? 0 : LAB_TRACE_POLLED) |
           (req->durable_ns ? LAB_TRACE_DURABLE : 0) |
           (is_visible ? LAB_TRACE_DATA_VISIBLE : 0);
}

static uint64_t unpromised_bytes(const struct req *req)
{
    if (req->completed.stamp) {
        return req->unpromised_bytes;
    }
    return req->ns ? wcache_unpromised_bytes(req->ns->cache) : 0;
}

void trace_command(struct req *req, bool has_cqe)
{
    struct lab_ctrl *ctrl = req->ctrl;
    /* A write can be visible long before it is done (FUA, a full cache). */
    struct moment visible = req->visible.stamp ? req->visible
                            : req->dsm ? dsm_visible(req) : req->op.visible;
    struct lab_trace_command command = {
        .sqid = htole16(req->sq->id),
        .cqid = htole16(req->sq->cqid),
        .cid = htole16(req->cmd.cid),
        .opcode = req->cmd.opcode,
        .flags = command_flags(req, has_cqe, visible.stamp),
        .nsid = htole32(req->cmd.nsid),
        .status = htole16(req->status & NVME_STATUS_MASK),
        .status_flags = htole16((req->status & NVME_DNR ? LAB_TRACE_DNR : 0) |
                                (dsm_has_ranges(req) ? LAB_TRACE_RANGES : 0)),
        .slba = htole64(req->slba),
        .block_count = htole32(req->block_count),
        .block_size_bytes = htole32(req->ns ? req->ns->block_size_bytes : 0),
        .command_id = htole64(req->number),
        .submitted_stamp = htole64(req->submitted.stamp),
        .visible_stamp = htole64(visible.stamp),
        .completed_stamp = htole64(req->completed.stamp),
        .submitted_ns = htole64(req->submitted.ns),
        .fetched_ns = htole64(req->fetched_ns),
        .visible_ns = htole64(visible.ns),
        .durable_ns = htole64(req->durable_ns),
        .completed_ns = htole64(req->completed.ns),
        .irq_ns = htole64(req->irq_ns),
        .unpromised_bytes = htole64(unpromised_bytes(req)),
    };

    emit(ctrl, &command.record, LAB_TRACE_COMMAND, sizeof(command));
}

void trace_mark(struct req *req, const char *text)
{
    struct {
        struct lab_trace_mark mark;
        char text[LAB_MARK_TEXT_MAX + 8];
    } record = { 0 };
    const struct nvme_command *cmd = &req->cmd;
    size_t bytes = (strlen(text) + 1 + 7) / 8 * 8;

    record.mark.id = htole64((uint64_t)cmd->cdw13 << 32 | cmd->cdw12);
    record.mark.guest_ns = htole64((uint64_t)cmd->cdw15 << 32 | cmd->cdw14);
    record.mark.submitted_stamp = htole64(req->submitted.stamp);
    record.mark.submitted_ns = htole64(req->submitted.ns);
    record.mark.kind = htole32(cmd->cdw11);
    record.mark.text_bytes = htole32(bytes);
    memcpy(record.text, text, strlen(text));
    emit(req->ctrl, &record.mark.record, LAB_TRACE_MARK,
         sizeof(record.mark) + bytes);
}

void trace_event(struct lab_ctrl *ctrl, enum lab_trace_event_kind kind,
                 uint64_t value, uint64_t value2)
{
    struct lab_trace_event event = {
        .kind = htole32(kind),
        .stamp = htole64(moment_take(&ctrl->moments).stamp),
        .value = htole64(value),
        .value2 = htole64(value2),
    };

    emit(ctrl, &event.record, LAB_TRACE_EVENT, sizeof(event));
}

void trace_survivor(struct lab_ctrl *ctrl, uint32_t nsid,
                    const struct wcache_survivor *survivor)
{
    static const uint32_t outcomes[] = {
        [POWERCUT_DROPPED] = LAB_TRACE_DROPPED,
        [POWERCUT_KEPT] = LAB_TRACE_KEPT,
        [POWERCUT_TORN] = LAB_TRACE_TORN,
    };
    struct lab_trace_survivor record = {
        .command_id = htole64(survivor->id),
        .slba = htole64(survivor->slba),
        .nsid = htole32(nsid),
        .block_count = htole32(survivor->block_count),
        .blocks_kept = htole32(survivor->blocks_kept),
        .outcome = htole32(outcomes[survivor->outcome]),
    };

    emit(ctrl, &record.record, LAB_TRACE_SURVIVOR, sizeof(record));
}
