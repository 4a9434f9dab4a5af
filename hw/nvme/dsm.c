/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Dataset Management (NVM Command Set 3.2.3): deallocation of up to 256 ranges.
 *
 *      command ──► ranges ──► a write of zeroes each ──► one completion
 *
 * Each range goes through the cache like a write of its own, under the promises
 * of a write that completes with the command. All ranges are looked at before
 * the first is touched, and all can be seen before the promise of the first is
 * begun. The other attributes are hints, and this drive takes none.
 */
#include "nvme.h"

struct range {
    struct wcache_op op;
    struct req *req;
    bool is_seen;               /* or has failed: it will not be any more */
    bool must_harden;
};

/* All of a command's ranges. */
struct dsm {
    uint32_t count;
    uint32_t left;              /* not done, and one while they are started */
    uint32_t unseen;            /* likewise */
    bool must_harden;           /* one of them */
    int error;
    struct range ranges[];
};

static void range_over(struct req *req, int error)
{
    struct dsm *dsm = req->dsm;

    if (error) {
        dsm->error = error;
    }
    if (--dsm->left) {
        return;
    }
    if (dsm->error) {
        /* Who gets no answer that it is done is owed nothing. */
        dsm_completed(req, 0);
    }
    req_finish(req, status_from_errno(dsm->error, true));
}

void dsm_harden(struct req *req)
{
    struct dsm *dsm = req->dsm;
    uint32_t i;

    dsm->left++;
    for (i = 0; i < dsm->count; i++) {
        if (dsm->ranges[i].must_harden) {
            dsm->ranges[i].must_harden = false;
            wcache_harden(req->ns->cache, &dsm->ranges[i].op);
        }
    }
    range_over(req, 0);
}

static void ranges_seen(struct req *req)
{
    if (req->dsm->must_harden && !hold_parks(req, LAB_HOLD_DURABLE)) {
        dsm_harden(req);
    }
}

/* Calls back for the last of them, so the command may be over after it. */
static void range_seen(struct range *range)
{
    if (!range->is_seen) {
        range->is_seen = true;
        if (--range->req->dsm->unseen == 0) {
            ranges_seen(range->req);
        }
    }
}

static void range_rests(struct wcache_op *op)
{
    struct range *range = (struct range *)op;

    range->must_harden = true;
    range->req->dsm->must_harden = true;
    range_seen(range);
}

static void range_done(struct wcache_op *op, int error)
{
    struct range *range = (struct range *)op;
    struct req *req = range->req;

    if (!error) {
        req->visible = op->visible;
    }
    req->dsm->left++;
    range_seen(range);
    range_over(req, 0);
    range_over(req, error);
}

static void range_add(struct req *req, uint64_t slba, uint32_t count)
{
    struct range *range = &req->dsm->ranges[req->dsm->count];

    range->req = req;
    range->op = (struct wcache_op) {
        .slba = slba, .block_count = count, .content = WCACHE_DEALLOCATED,
        .id = req->number, .part = req->dsm->count,
        .submitted_stamp = req->submitted.stamp, .done = range_done,
        .seen = range_rests,
    };
    if (!req->dsm->count) {
        req->slba = slba;
    }
    req->block_count += count;
    req->dsm->count++;
}

/* Empty ranges are allowed and mean nothing. */
static uint16_t add_ranges(struct req *req, const struct nvme_dsm_range *list,
                           uint32_t count)
{
    const struct ns *ns = req->ns;
    uint32_t i;

    for (i = 0; i < count; i++) {
        uint64_t slba = le64toh(list[i].slba);
        uint32_t blocks = le32toh(list[i].block_count);

        if (blocks > LAB_DSM_RANGE_BLOCKS_MAX) {
            return NVME_COMMAND_SIZE_LIMIT | NVME_DNR;
        }
        if (slba > ns->block_count || blocks > ns->block_count - slba) {
            return NVME_LBA_OUT_OF_RANGE | NVME_DNR;
        }
        if (blocks) {
            range_add(req, slba, blocks);
        }
    }
    return NVME_SUCCESS;
}

/* What the guest has in its list; *count of them. */
static uint16_t copy_list(struct req *req, struct nvme_dsm_range *list,
                          uint32_t *count)
{
    *count = (req->cmd.cdw10 & 0xFF) + 1;
    return dptr_from_guest(req, list, *count * sizeof(list[0]));
}

uint16_t dsm_prepare(struct req *req)
{
    struct nvme_dsm_range list[NVME_DSM_RANGES_MAX];
    struct ns *ns = ctrl_ns(req->ctrl, req->cmd.nsid);
    uint32_t count;
    uint16_t status;

    if (!ns) {
        return NVME_INVALID_NAMESPACE | NVME_DNR;
    }
    status = copy_list(req, list, &count);
    if (status) {
        return status;
    }
    req->ns = ns;
    req->data_bytes = sizeof(struct dsm) + count * sizeof(struct range);
    req->ctrl->data_bytes += req->data_bytes;
    req->dsm = g_malloc0(req->data_bytes);
    return add_ranges(req, list, count);
}

void dsm_begin(struct req *req)
{
    struct dsm *dsm = req->dsm;
    uint32_t i;

    if (!(req->cmd.cdw11 & NVME_DSM_DEALLOCATE)) {
        req_finish(req, NVME_SUCCESS);
        return;
    }
    req->ctrl->stat.writes++;
    req->is_at_media = true;
    dsm->left = dsm->count + 1;
    dsm->unseen = dsm->count + 1;
    for (i = 0; i < dsm->count; i++) {
        wcache_write(req->ns->cache, &dsm->ranges[i].op);
    }
    if (--dsm->unseen == 0) {
        ranges_seen(req);
    }
    range_over(req, 0);
}

static bool overlaps(uint64_t slba, uint64_t count, uint64_t first,
                     uint64_t last)
{
    return count && slba <= last && (slba >= first || first - slba < count);
}

static bool list_touches(struct req *req, uint64_t first, uint64_t last)
{
    struct nvme_dsm_range list[NVME_DSM_RANGES_MAX];
    uint32_t count;
    uint32_t i;

    if (copy_list(req, list, &count)) {
        return false;
    }
    for (i = 0; i < count; i++) {
        if (overlaps(le64toh(list[i].slba), le32toh(list[i].block_count),
                     first, last)) {
            return true;
        }
    }
    return false;
}

bool dsm_touches(struct req *req, uint64_t first, uint64_t last)
{
    uint32_t i;

    if (!req->dsm) {
        return !req->fetched_ns && list_touches(req, first, last);
    }
    for (i = 0; i < req->dsm->count; i++) {
        const struct wcache_op *op = &req->dsm->ranges[i].op;

        if (overlaps(op->slba, op->block_count, first, last)) {
            return true;
        }
    }
    return false;
}

void dsm_completed(struct req *req, uint64_t stamp)
{
    uint32_t i;

    for (i = 0; req->dsm && i < req->dsm->count; i++) {
        wcache_completed(req->ns->cache, &req->dsm->ranges[i].op, stamp);
    }
}

bool dsm_is_promised(const struct req *req)
{
    uint32_t i;

    for (i = 0; i < req->dsm->count; i++) {
        if (!wcache_is_promised(&req->dsm->ranges[i].op)) {
            return false;
        }
    }
    return req->dsm->count;
}

bool dsm_withdraw(struct req *req)
{
    struct dsm *dsm = req->dsm;
    uint32_t i;

    for (i = 0; i < dsm->count; i++) {
        dsm->left -= dsm->ranges[i].must_harden ||
                     wcache_withdraw(req->ns->cache, &dsm->ranges[i].op);
    }
    return dsm->left == 0;
}

bool dsm_has_ranges(const struct req *req)
{
    return req->dsm && req->dsm->count > 1;
}

struct moment dsm_visible(const struct req *req)
{
    uint32_t i;

    for (i = 0; i < req->dsm->count; i++) {
        if (req->dsm->ranges[i].op.visible.stamp) {
            return req->dsm->ranges[i].op.visible;
        }
    }
    return (struct moment) { 0 };
}
