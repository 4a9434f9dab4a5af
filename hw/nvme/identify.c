/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Identify (Base 5.17): one builder per CNS value, each filling 4096 bytes. */
#include "nvme.h"

#include <stdio.h>

static void put_text(char *field, size_t size, const char *text)
{
    size_t length = strlen(text);

    memset(field, ' ', size);
    memcpy(field, text, MIN(length, size));
}

static uint16_t build_ctrl(struct req *req, void *page)
{
    const struct lab_config *config = &req->ctrl->config;
    struct nvme_id_ctrl *id = page;

    id->vid = htole16(config->pci_vendor_id);
    id->ssvid = htole16(config->pci_subsystem_vendor_id);
    put_text(id->sn, sizeof(id->sn), config->serial);
    put_text(id->mn, sizeof(id->mn), LAB_MODEL);
    put_text(id->fr, sizeof(id->fr), LAB_FIRMWARE);
    id->mdts = config->mdts;
    id->ver = htole32(NVME_VS_2_0);
    id->cntrltype = 1;                          /* I/O controller */
    id->oacs = htole16(shadow_is_offered(req->ctrl)
                           ? NVME_OACS_DOORBELL_BUFFERS : 0);
    id->acl = 3;
    id->aerl = LAB_AER_MAX - 1;
    id->frmw = 1 << 1 | 1;                      /* one slot, read only */
    id->lpa = NVME_LPA_EFFECTS | NVME_LPA_EXTENDED;
    id->elpe = LAB_ERROR_ENTRIES - 1;
    id->wctemp = htole16(343);
    id->cctemp = htole16(353);
    id->sqes = 0x66;
    id->cqes = 0x44;
    id->nn = htole32(LAB_NSID_MAX);
    id->oncs = htole16(NVME_ONCS_COMPARE | NVME_ONCS_DSM |
                       NVME_ONCS_WRITE_ZEROES);
    id->vwc = NVME_VWC_FLUSH_ALL | (config->has_vwc ? NVME_VWC_PRESENT : 0);
    id->awun = htole16(config->awun_0based);
    id->awupf = htole16(config->awupf_0based);
    snprintf(id->subnqn, sizeof(id->subnqn),
             "nqn.2014-08.org.nvmexpress:uuid:"
             "4e4c1ab0-0000-4000-8000-%012x", g_str_hash(config->serial));
    id->psd[0].max_power = htole16(500);
    return NVME_SUCCESS;
}

/* What holds, so that nobody has to know where a zero would point. */
static void put_atomic(struct nvme_id_ns *id, const struct lab_atomic *atomic)
{
    id->nsfeat |= NVME_NSFEAT_NSABP;
    id->nawun = htole16(atomic->nawun_0based);
    id->nawupf = htole16(atomic->nawupf_0based);
    id->nabsn = htole16(atomic->nabsn_0based);
    id->nabspf = htole16(atomic->nabspf_0based);
    id->nabo = htole16(atomic->nabo);
}

static uint16_t build_ns(struct req *req, void *page)
{
    struct lab_ctrl *ctrl = req->ctrl;
    struct ns *ns = ctrl_ns(ctrl, req->cmd.nsid);
    struct nvme_id_ns *id = page;

    if (req->cmd.nsid == 0 || req->cmd.nsid > LAB_NSID_MAX) {
        return NVME_INVALID_NAMESPACE | NVME_DNR;
    }
    if (!ns) {
        return NVME_SUCCESS;                    /* inactive: all zero */
    }
    id->nsze = htole64(ns->block_count);
    id->ncap = id->nsze;
    id->nuse = id->nsze;
    id->dlfeat = NVME_DLFEAT_READ_ZEROES | NVME_DLFEAT_DEAC;
    id->lbaf[0].ds = ns->block_shift;
    if (ns->has_own_atomic) {
        put_atomic(id, &ns->atomic);
    }
    memcpy(id->nguid, ns->uuid, sizeof(id->nguid));
    return NVME_SUCCESS;
}

static uint16_t build_ns_independent(struct req *req, void *page)
{
    struct ns *ns = ctrl_ns(req->ctrl, req->cmd.nsid);
    struct nvme_id_ns_independent *id = page;

    if (req->cmd.nsid == 0 || req->cmd.nsid > LAB_NSID_MAX) {
        return NVME_INVALID_NAMESPACE | NVME_DNR;
    }
    if (ns) {
        id->nstat = 1;
        id->nsfeat = ns->has_vwc ? 0 : NVME_NSFEAT_VWCNP;
    }
    return NVME_SUCCESS;
}

static uint16_t build_active_list(struct req *req, void *page)
{
    uint32_t *list = page;
    uint32_t count = 0;
    uint64_t nsid;

    if (req->cmd.nsid >= NVME_NSID_ALL - 1) {
        return NVME_INVALID_NAMESPACE | NVME_DNR;
    }
    for (nsid = req->cmd.nsid + 1ull; nsid <= LAB_NSID_MAX; nsid++) {
        if (ctrl_ns(req->ctrl, nsid)) {
            list[count++] = htole32(nsid);
        }
    }
    return NVME_SUCCESS;
}

static uint8_t *put_descriptor(uint8_t *at, uint8_t type, const void *value,
                               uint8_t length)
{
    at[0] = type;
    at[1] = length;
    memcpy(at + 4, value, length);
    return at + 4 + length;
}

static uint16_t build_descriptors(struct req *req, void *page)
{
    struct ns *ns = ctrl_ns(req->ctrl, req->cmd.nsid);
    uint8_t csi = NVME_CSI_NVM;
    uint8_t *at = page;

    if (!ns) {
        return NVME_INVALID_NAMESPACE | NVME_DNR;
    }
    at = put_descriptor(at, NVME_NIDT_UUID, ns->uuid, sizeof(ns->uuid));
    put_descriptor(at, NVME_NIDT_CSI, &csi, sizeof(csi));
    return NVME_SUCCESS;
}

static uint8_t command_set(const struct req *req)
{
    return req->cmd.cdw11 >> 24;
}

static uint16_t build_csi_ctrl(struct req *req, void *page)
{
    struct nvme_id_ctrl_nvm *id = page;

    if (command_set(req) != NVME_CSI_NVM) {
        return NVME_INVALID_FIELD | NVME_DNR;
    }
    id->dmrsl = htole32(LAB_DSM_RANGE_BLOCKS_MAX);
    return NVME_SUCCESS;
}

/* The NVM command set has nothing to add to a namespace. */

static uint16_t build_csi_ns(struct req *req, void *page)
{
    (void)page;
    if (command_set(req) != NVME_CSI_NVM) {
        return NVME_INVALID_FIELD | NVME_DNR;
    }
    return req->cmd.nsid && req->cmd.nsid <= LAB_NSID_MAX
        ? NVME_SUCCESS : NVME_INVALID_NAMESPACE | NVME_DNR;
}

static uint16_t build_csi_active_list(struct req *req, void *page)
{
    if (command_set(req) != NVME_CSI_NVM) {
        return NVME_INVALID_FIELD | NVME_DNR;
    }
    return build_active_list(req, page);
}

static uint16_t build_command_sets(struct req *req, void *page)
{
    (void)req;
    le64_put(page, 1ull << NVME_CSI_NVM);
    return NVME_SUCCESS;
}

static uint16_t (*const builders[256])(struct req *req, void *page) = {
    [NVME_CNS_NS] = build_ns,
    [NVME_CNS_CTRL] = build_ctrl,
    [NVME_CNS_ACTIVE_NS_LIST] = build_active_list,
    [NVME_CNS_NS_DESCRIPTORS] = build_descriptors,
    [NVME_CNS_CSI_NS] = build_csi_ns,
    [NVME_CNS_CSI_CTRL] = build_csi_ctrl,
    [NVME_CNS_CSI_ACTIVE_NS_LIST] = build_csi_active_list,
    [NVME_CNS_CS_INDEPENDENT_NS] = build_ns_independent,
    [NVME_CNS_COMMAND_SETS] = build_command_sets,
};

uint16_t exec_identify(struct req *req)
{
    uint8_t cns = req->cmd.cdw10 & 0xFF;
    _Alignas(8) uint8_t page[NVME_IDENTIFY_BYTES] = { 0 };
    uint16_t status;

    if (!builders[cns]) {
        return NVME_INVALID_FIELD | NVME_DNR;
    }
    status = builders[cns](req, page);
    return status ? status : dptr_to_guest(req, page, sizeof(page));
}
