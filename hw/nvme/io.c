/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The NVM command set: Read, Compare, Write, Write Zeroes, Flush (NVM Command
 * Set 3.2).
 *
 *      prepare ──► begin ──► (seen) ──► harden ──► req_finish()
 *
 * prepare() settles everything that can be wrong with a command and copies the
 * data of a write from the guest, once, before anybody else can see it; what is
 * handed to the cache cannot be malformed any more. Between the steps a command
 * can be held (hold.c).
 */
#include "nvme.h"

static bool is_transfer_allowed(const struct lab_ctrl *ctrl, uint64_t bytes)
{
    return bytes <= (uint64_t)LAB_PAGE_BYTES << ctrl->config.mdts;
}

/* What the commands with one range have in common; no data. */
static uint16_t parse_range(struct req *req)
{
    const struct nvme_command *cmd = &req->cmd;
    struct ns *ns = ctrl_ns(req->ctrl, cmd->nsid);

    if (!ns) {
        return NVME_INVALID_NAMESPACE | NVME_DNR;
    }
    req->slba = (uint64_t)cmd->cdw11 << 32 | cmd->cdw10;
    req->block_count = (cmd->cdw12 & 0xFFFF) + 1;
    req->has_fua = cmd->cdw12 & NVME_RW_FUA;
    req->ns = ns;
    return NVME_SUCCESS;
}

static uint16_t check_range(struct req *req)
{
    const struct ns *ns = req->ns;

    if (req->slba >= ns->block_count ||
        req->block_count > ns->block_count - req->slba) {
        return NVME_LBA_OUT_OF_RANGE | NVME_DNR;
    }
    return NVME_SUCCESS;
}

static uint16_t parse_rw(struct req *req)
{
    uint16_t status = parse_range(req);
    uint64_t bytes;

    if (status) {
        return status;
    }
    bytes = (uint64_t)req->block_count << req->ns->block_shift;
    if (!is_transfer_allowed(req->ctrl, bytes)) {
        return NVME_INVALID_FIELD | NVME_DNR;
    }
    status = check_range(req);
    if (!status) {
        req->data_bytes = bytes;
        req->ctrl->data_bytes += bytes;
    }
    return status;
}

static struct req *req_of(struct wcache_op *op)
{
    return (struct req *)((char *)op - offsetof(struct req, op));
}

static void fill_op(struct req *req, void (*done)(struct wcache_op *op, int))
{
    req->op.slba = req->slba;
    req->op.block_count = req->block_count;
    req->op.has_fua = req->has_fua;
    req->op.id = req->number;
    req->op.submitted_stamp = req->submitted.stamp;
    req->op.done = done;
    req->is_at_media = true;
}

static void write_done(struct wcache_op *op, int error)
{
    struct req *req = req_of(op);

    req->visible = op->visible;
    req_finish(req, status_from_errno(error, true));
}

static void harden_write(struct req *req)
{
    wcache_harden(req->ns->cache, &req->op);
}

static void write_seen(struct wcache_op *op)
{
    struct req *req = req_of(op);

    if (!hold_parks(req, LAB_HOLD_DURABLE)) {
        harden_write(req);
    }
}

static uint16_t prepare_write(struct req *req)
{
    uint16_t status = parse_rw(req);

    if (status) {
        return status;
    }
    req->data = g_malloc(req->data_bytes);
    return dptr_from_guest(req, req->data, req->data_bytes);
}

static void begin_write(struct req *req)
{
    req->ctrl->stat.writes++;
    req->ctrl->stat.writes_fua += req->has_fua;
    fill_op(req, write_done);
    req->op.seen = write_seen;
    req->op.data = req->data;
    req->data = NULL;
    wcache_write(req->ns->cache, &req->op);
}

/*
 * A write like any other, but for the bytes, which nobody keeps: MDTS does not
 * apply (Base 5.17.2.1, MDTS), and there is no limit of its own (WZSL).
 */
static uint16_t prepare_write_zeroes(struct req *req)
{
    uint16_t status = parse_range(req);

    return status ? status : check_range(req);
}

static void begin_write_zeroes(struct req *req)
{
    req->op.content = req->cmd.cdw12 & NVME_WZ_DEAC ? WCACHE_DEALLOCATED
                                                    : WCACHE_ZEROES;
    begin_write(req);
}

static void read_done(struct wcache_op *op, int error)
{
    struct req *req = req_of(op);
    uint16_t status = status_from_errno(error, false);

    if (req->sq && !status) {
        status = dptr_to_guest(req, req->data, req->data_bytes);
        req->visible = moment_take(&req->ctrl->moments);
    }
    req_finish(req, status);
}

static uint16_t prepare_read(struct req *req)
{
    uint16_t status = parse_rw(req);

    if (!status) {
        req->data = g_malloc(req->data_bytes);
    }
    return status;
}

static void begin_read(struct req *req)
{
    req->ctrl->stat.reads++;
    fill_op(req, read_done);
    req->op.data = req->data;
    wcache_read(req->ns->cache, &req->op);
}

static void compare_done(struct wcache_op *op, int error)
{
    struct req *req = req_of(op);
    uint16_t status = status_from_errno(error, false);
    const uint8_t *guest = (const uint8_t *)req->data + req->data_bytes / 2;

    if (!status && memcmp(req->data, guest, req->data_bytes / 2)) {
        status = NVME_COMPARE_FAILURE | NVME_DNR;
    }
    req_finish(req, status);
}

/* The guest's data is copied first; what it is compared with is a Read's. */
static uint16_t prepare_compare(struct req *req)
{
    uint16_t status = parse_rw(req);
    uint64_t bytes = req->data_bytes;

    if (status) {
        return status;
    }
    req->data_bytes += bytes;
    req->ctrl->data_bytes += bytes;
    req->data = g_malloc(req->data_bytes);
    return dptr_from_guest(req, (uint8_t *)req->data + bytes, bytes);
}

static void begin_compare(struct req *req)
{
    req->ctrl->stat.reads++;
    fill_op(req, compare_done);
    req->op.data = req->data;
    wcache_read(req->ns->cache, &req->op);
}

static void flush_done(struct lab_ctrl *ctrl, void *opaque, int error)
{
    struct req *req = opaque;

    if (!error) {
        req->durable_ns = ctrl_now_ns(ctrl);
    }
    req_finish(req, status_from_errno(error, true));
}

static uint16_t prepare_flush(struct req *req)
{
    uint32_t nsid = req->cmd.nsid;

    req->ns = ctrl_ns(req->ctrl, nsid);
    return req->ns || nsid == NVME_NSID_ALL ? NVME_SUCCESS
                                            : NVME_INVALID_NAMESPACE | NVME_DNR;
}

static void harden_flush(struct req *req)
{
    req->is_at_media = true;
    fanout_start(req->ctrl, FANOUT_FLUSH, req->cmd.nsid, req->submitted.stamp,
                 flush_done, req);
}

/* All that a flush does is a promise. */
static void begin_flush(struct req *req)
{
    req->ctrl->stat.flushes++;
    if (!hold_parks(req, LAB_HOLD_DURABLE)) {
        harden_flush(req);
    }
}

static const struct {
    uint16_t (*prepare)(struct req *req);
    void (*begin)(struct req *req);
    void (*harden)(struct req *req);
    uint32_t effects;
} commands[256] = {
    [NVME_IO_FLUSH] = { prepare_flush, begin_flush, harden_flush,
                        NVME_EFFECT_SUPPORTED },
    [NVME_IO_WRITE] = { prepare_write, begin_write, harden_write,
                        NVME_EFFECT_SUPPORTED | NVME_EFFECT_CONTENT },
    [NVME_IO_READ] = { prepare_read, begin_read, NULL, NVME_EFFECT_SUPPORTED },
    [NVME_IO_COMPARE] = { prepare_compare, begin_compare, NULL,
                          NVME_EFFECT_SUPPORTED },
    [NVME_IO_DSM] = { dsm_prepare, dsm_begin, dsm_harden,
                      NVME_EFFECT_SUPPORTED | NVME_EFFECT_CONTENT },
    [NVME_IO_WRITE_ZEROES] = { prepare_write_zeroes, begin_write_zeroes,
                               harden_write,
                               NVME_EFFECT_SUPPORTED | NVME_EFFECT_CONTENT },
};

uint32_t io_effects(uint8_t opcode)
{
    return commands[opcode].effects;
}

void io_peek(struct req *req)
{
    uint64_t slba;
    uint32_t block_count;

    if (req->cmd.opcode == NVME_IO_DSM || !hold_range(req, &slba,
                                                      &block_count)) {
        return;
    }
    parse_range(req);
}

void io_begin(struct req *req)
{
    commands[req->cmd.opcode].begin(req);
}

void io_harden(struct req *req)
{
    req->is_at_media = true;
    commands[req->cmd.opcode].harden(req);
}

void io_execute(struct req *req)
{
    uint8_t opcode = req->cmd.opcode;
    uint16_t status;

    if (!commands[opcode].prepare) {
        req_finish(req, NVME_INVALID_OPCODE | NVME_DNR);
        return;
    }
    status = commands[opcode].prepare(req);
    if (status) {
        req_finish(req, status);
    } else if (!hold_parks(req, LAB_HOLD_VISIBLE)) {
        io_begin(req);
    }
}
