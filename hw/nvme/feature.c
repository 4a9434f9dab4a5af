/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Features (Base 5.27): a table of what exists, and the few that do something.
 *
 * No feature can be saved: the drive starts from its properties. Values that
 * only describe a wish (arbitration, temperature thresholds, interrupt
 * coalescing) are kept and reported; the drive acts on VWC, number of queues
 * and asynchronous events.
 */
#include "nvme.h"

struct feature {
    bool is_supported;
    bool is_changeable;
    uint32_t initial;
};

/* Kelvin; composite over-temperature threshold. */
#define TEMPERATURE_DEFAULT 343

static const struct feature features[256] = {
    [NVME_FEAT_ARBITRATION] = { true, true, 0 },
    [NVME_FEAT_POWER] = { true, true, 0 },
    [NVME_FEAT_TEMPERATURE] = { true, true, TEMPERATURE_DEFAULT },
    [NVME_FEAT_ERROR_RECOVERY] = { true, true, 0 },
    [NVME_FEAT_VWC] = { true, true, 1 },
    [NVME_FEAT_QUEUES] = { true, true, 0 },
    [NVME_FEAT_IRQ_COALESCING] = { true, true, 0 },
    [NVME_FEAT_IRQ_VECTOR] = { true, true, 0 },
    [NVME_FEAT_WRITE_ATOMICITY] = { true, true, 0 },
    [NVME_FEAT_ASYNC_EVENTS] = { true, true, 0 },
};

uint32_t feature_support(uint8_t fid)
{
    /* Base 5.16.1.20: bit 0 supported, bit 21 scope of the controller. */
    return features[fid].is_supported ? 1u | 1u << 21 : 0;
}

static uint32_t queue_counts(const struct lab_ctrl *ctrl)
{
    uint32_t count_0based = ctrl->config.io_queue_pairs_max - 1u;

    return count_0based << 16 | count_0based;
}

static uint32_t initial_value(const struct lab_ctrl *ctrl, uint8_t fid)
{
    return fid == NVME_FEAT_QUEUES ? queue_counts(ctrl)
                                   : features[fid].initial;
}

static void vwc_is_on(struct lab_ctrl *ctrl, void *opaque, int error)
{
    (void)ctrl;
    (void)opaque;
    (void)error;
}

/* No value persists across a reset, the volatile cache's neither (5.27.1). */
void feature_reset(struct lab_ctrl *ctrl)
{
    uint32_t fid;

    if (ctrl->config.has_vwc && !ctrl->features[NVME_FEAT_VWC]) {
        trace_event(ctrl, LAB_TRACE_VWC, 1, 0);
    }
    for (fid = 0; fid < 256; fid++) {
        ctrl->features[fid] = initial_value(ctrl, fid);
    }
    memset(ctrl->irq_vector_config, 0, sizeof(ctrl->irq_vector_config));
    if (ctrl->config.has_vwc) {
        fanout_start(ctrl, FANOUT_VWC_ON, NVME_NSID_ALL, 0, vwc_is_on, NULL);
    }
}

static bool is_supported(const struct lab_ctrl *ctrl, uint8_t fid)
{
    return features[fid].is_supported &&
           (fid != NVME_FEAT_VWC || ctrl->config.has_vwc);
}

static uint16_t irq_vector_value(struct req *req, uint32_t *value)
{
    uint16_t vector = req->cmd.cdw11 & 0xFFFF;
    uint8_t *byte = &req->ctrl->irq_vector_config[vector / 8];
    uint8_t bit = 1u << vector % 8;

    if (vector >= req->ctrl->config.irq_vectors) {
        return NVME_INVALID_FIELD | NVME_DNR;
    }
    if (req->cmd.opcode == NVME_ADMIN_SET_FEATURES) {
        *byte = req->cmd.cdw11 >> 16 & 1 ? *byte | bit : *byte & ~bit;
    }
    *value = vector | (*byte & bit ? 1u << 16 : 0);
    return NVME_SUCCESS;
}

uint16_t exec_get_features(struct req *req)
{
    struct lab_ctrl *ctrl = req->ctrl;
    uint8_t fid = req->cmd.cdw10 & 0xFF;
    uint32_t select = req->cmd.cdw10 >> 8 & 7;

    if (!is_supported(ctrl, fid)) {
        return NVME_INVALID_FIELD | NVME_DNR;
    }
    switch (select) {
    case NVME_SELECT_CURRENT:
        if (fid == NVME_FEAT_IRQ_VECTOR) {
            return irq_vector_value(req, &req->result);
        }
        req->result = ctrl->features[fid];
        return NVME_SUCCESS;
    case NVME_SELECT_DEFAULT:
    case NVME_SELECT_SAVED:
        req->result = initial_value(ctrl, fid);
        return NVME_SUCCESS;
    case NVME_SELECT_SUPPORTED:
        req->result = NVME_FEATURE_CHANGEABLE;
        return NVME_SUCCESS;
    default:
        return NVME_INVALID_FIELD | NVME_DNR;
    }
}

static void vwc_switched(struct lab_ctrl *ctrl, void *opaque, int error)
{
    struct req *req = opaque;

    (void)ctrl;
    req_finish(req, status_from_errno(error, true));
}

static void set_vwc(struct req *req)
{
    struct lab_ctrl *ctrl = req->ctrl;
    bool is_on = req->cmd.cdw11 & 1;

    ctrl->features[NVME_FEAT_VWC] = is_on;
    trace_event(ctrl, LAB_TRACE_VWC, is_on, 0);
    req->is_at_media = true;
    fanout_start(ctrl, is_on ? FANOUT_VWC_ON : FANOUT_VWC_OFF, NVME_NSID_ALL,
                 req->submitted.stamp, vwc_switched, req);
}

/* Base 5.27.1.5: FFFFh is refused; more than there are is answered with all. */
static uint16_t set_queues(struct req *req)
{
    if ((req->cmd.cdw11 & 0xFFFF) == 0xFFFF || req->cmd.cdw11 >> 16 == 0xFFFF) {
        return NVME_INVALID_FIELD | NVME_DNR;
    }
    req->result = queue_counts(req->ctrl);
    return NVME_SUCCESS;
}

static uint16_t set_value(struct req *req, uint8_t fid)
{
    uint32_t ignored;

    switch (fid) {
    case NVME_FEAT_QUEUES:
        return set_queues(req);
    case NVME_FEAT_IRQ_VECTOR:
        return irq_vector_value(req, &ignored);
    case NVME_FEAT_POWER:
        if (req->cmd.cdw11 & 0x1F) {            /* one power state */
            return NVME_INVALID_FIELD | NVME_DNR;
        }
        break;
    default:
        break;
    }
    req->ctrl->features[fid] = req->cmd.cdw11;
    return NVME_SUCCESS;
}

void exec_set_features(struct req *req)
{
    uint8_t fid = req->cmd.cdw10 & 0xFF;

    if (req->cmd.cdw10 & NVME_FEATURE_SAVE) {
        req_finish(req, NVME_FEATURE_NOT_SAVEABLE | NVME_DNR);
    } else if (!is_supported(req->ctrl, fid)) {
        req_finish(req, NVME_INVALID_FIELD | NVME_DNR);
    } else if (fid == NVME_FEAT_VWC) {
        set_vwc(req);
    } else {
        req_finish(req, set_value(req, fid));
    }
}
