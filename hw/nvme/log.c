/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Get Log Page (Base 5.16): one builder per page; the error log itself. */
#include "nvme.h"

#define TEMPERATURE_KELVIN 310

/* Every page but the error log is built whole and then cut to the request. */
static size_t build_supported(struct lab_ctrl *ctrl, void *page);
static size_t build_error(struct lab_ctrl *ctrl, void *page);
static size_t build_smart(struct lab_ctrl *ctrl, void *page);
static size_t build_firmware(struct lab_ctrl *ctrl, void *page);
static size_t build_effects(struct lab_ctrl *ctrl, void *page);
static size_t build_features(struct lab_ctrl *ctrl, void *page);

static size_t (*const builders[256])(struct lab_ctrl *ctrl, void *page) = {
    [NVME_LOG_SUPPORTED] = build_supported,
    [NVME_LOG_ERROR] = build_error,
    [NVME_LOG_SMART] = build_smart,
    [NVME_LOG_FIRMWARE] = build_firmware,
    [NVME_LOG_EFFECTS] = build_effects,
    [NVME_LOG_FEATURES] = build_features,
};

#define PAGE_BYTES_MAX 4096

static size_t build_supported(struct lab_ctrl *ctrl, void *page)
{
    uint32_t lid;

    (void)ctrl;
    for (lid = 0; lid < 256; lid++) {
        le32_put((uint8_t *)page + lid * 4, builders[lid] ? 1 : 0);
    }
    return 1024;
}

/* Newest first, as the specification wants it. */
static size_t build_error(struct lab_ctrl *ctrl, void *page)
{
    struct nvme_error_entry *entries = page;
    uint64_t count = MIN(ctrl->error_count, LAB_ERROR_ENTRIES);
    uint64_t i;

    for (i = 0; i < count; i++) {
        entries[i] = ctrl->errors[(ctrl->error_count - 1 - i) %
                                  LAB_ERROR_ENTRIES];
    }
    return LAB_ERROR_ENTRIES * sizeof(*entries);
}

static size_t build_smart(struct lab_ctrl *ctrl, void *page)
{
    struct nvme_smart_log *log = page;
    const struct lab_stat *stat = &ctrl->stat;

    log->temperature = htole16(TEMPERATURE_KELVIN);
    log->available_spare = 100;
    log->spare_threshold = 10;
    log->host_reads[0] = htole64(stat->reads);
    log->host_writes[0] = htole64(stat->writes);
    log->power_cycles[0] = htole64(stat->power_cuts + 1);
    log->unsafe_shutdowns[0] = htole64(stat->power_cuts);
    log->error_entries[0] = htole64(ctrl->error_count);
    return sizeof(*log);
}

static size_t build_firmware(struct lab_ctrl *ctrl, void *page)
{
    struct nvme_firmware_log *log = page;

    (void)ctrl;
    log->active = 1;
    memset(log->slot[0], ' ', sizeof(log->slot[0]));
    memcpy(log->slot[0], LAB_FIRMWARE, strlen(LAB_FIRMWARE));
    return sizeof(*log);
}

static size_t build_effects(struct lab_ctrl *ctrl, void *page)
{
    struct nvme_effects_log *log = page;
    uint32_t opcode;

    for (opcode = 0; opcode < 256; opcode++) {
        log->admin[opcode] =
            htole32(admin_is_supported(ctrl, opcode) ? NVME_EFFECT_SUPPORTED
                                                     : 0);
        log->io[opcode] = htole32(io_effects(opcode));
    }
    return sizeof(*log);
}

static size_t build_features(struct lab_ctrl *ctrl, void *page)
{
    uint32_t fid;

    (void)ctrl;
    for (fid = 0; fid < 256; fid++) {
        le32_put((uint8_t *)page + fid * 4, feature_support(fid));
    }
    return 1024;
}

static bool is_per_controller(uint32_t nsid)
{
    return nsid == 0 || nsid == NVME_NSID_ALL;
}

uint16_t exec_get_log(struct req *req)
{
    const struct nvme_command *cmd = &req->cmd;
    uint8_t lid = cmd->cdw10 & 0xFF;
    uint64_t dwords = ((cmd->cdw11 & 0xFFFFull) << 16 | cmd->cdw10 >> 16) + 1;
    uint64_t offset = (uint64_t)cmd->cdw13 << 32 | cmd->cdw12;
    _Alignas(8) uint8_t page[PAGE_BYTES_MAX] = { 0 };
    size_t size;

    if (!builders[lid]) {
        return NVME_INVALID_LOG_PAGE | NVME_DNR;
    }
    if (lid == NVME_LOG_SMART && !is_per_controller(cmd->nsid)) {
        return NVME_INVALID_FIELD | NVME_DNR;   /* LPA bit 0 is clear */
    }
    size = builders[lid](req->ctrl, page);
    if (offset % 4 || offset > size) {
        return NVME_INVALID_FIELD | NVME_DNR;
    }
    if (lid == NVME_LOG_ERROR && !(cmd->cdw10 >> 15 & 1)) {
        aer_log_read(req->ctrl);
    }
    /* Past the end of the page nothing is transferred. */
    return dptr_to_guest(req, page + offset, MIN(dwords * 4, size - offset));
}

void log_error(struct req *req)
{
    struct lab_ctrl *ctrl = req->ctrl;
    struct nvme_error_entry *entry;

    entry = &ctrl->errors[ctrl->error_count % LAB_ERROR_ENTRIES];
    ctrl->error_count++;
    *entry = (struct nvme_error_entry) {
        .error_count = htole64(ctrl->error_count),
        .sqid = htole16(req->sq->id),
        .cid = htole16(req->cmd.cid),
        .status = htole16(req->status << 1),
        .parameter_location = htole16(0xFFFF),  /* not named */
        .lba = htole64(req->slba),
        .nsid = htole32(req->cmd.nsid),
    };
    req->status |= NVME_MORE;
}
