/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * BAR0: the controller's registers and its doorbells (Base 3.1.3).
 *
 * A table of 32-bit registers; 64-bit accesses are two of them, smaller ones
 * and those that are not aligned are the driver's error. While the power is
 * cut everything reads as ones and nothing is written.
 */
#include "nvme.h"

#define TIMEOUT_500MS 60u               /* CAP.TO: time to become ready */
#define DOORBELL_STRIDE 4u
#define BAR_BYTES_MIN 0x4000u

uint64_t lab_bar_size(const struct lab_config *config)
{
    uint64_t end = NVME_REG_DOORBELLS +
        (config->io_queue_pairs_max + 1ull) * 2 * DOORBELL_STRIDE;
    uint64_t size = BAR_BYTES_MIN;

    while (size < end) {
        size *= 2;
    }
    return size;
}

static uint64_t capabilities(const struct lab_ctrl *ctrl)
{
    return (ctrl->config.queue_entries_max - 1ull) << NVME_CAP_MQES_SHIFT |
           NVME_CAP_CQR | (uint64_t)TIMEOUT_500MS << NVME_CAP_TO_SHIFT |
           NVME_CAP_CSS_NVM | NVME_CAP_CSS_IOCS | NVME_CAP_CRWMS;
}

static uint32_t read_register(const struct lab_ctrl *ctrl, uint64_t offset)
{
    switch (offset) {
    case NVME_REG_CAP:
        return capabilities(ctrl);
    case NVME_REG_CAP + 4:
        return capabilities(ctrl) >> 32;
    case NVME_REG_VS:
        return NVME_VS_2_0;
    case NVME_REG_INTMS:
    case NVME_REG_INTMC:
        return ctrl->intms;
    case NVME_REG_CC:
        return ctrl->cc;
    case NVME_REG_CSTS:
        return ctrl->csts;
    case NVME_REG_AQA:
        return ctrl->aqa;
    case NVME_REG_ASQ:
        return ctrl->asq;
    case NVME_REG_ASQ + 4:
        return ctrl->asq >> 32;
    case NVME_REG_ACQ:
        return ctrl->acq;
    case NVME_REG_ACQ + 4:
        return ctrl->acq >> 32;
    case NVME_REG_CRTO:
        return TIMEOUT_500MS;
    default:
        return 0;
    }
}

static bool is_aligned(uint64_t offset, unsigned size)
{
    return (size == 4 || size == 8) && offset % size == 0;
}

uint64_t lab_mmio_read(struct lab_ctrl *ctrl, uint64_t offset, unsigned size)
{
    uint64_t value;

    if (ctrl_is_dark(ctrl)) {
        return size == 8 ? UINT64_MAX : (1ull << size * 8) - 1;
    }
    if (offset >= NVME_REG_DOORBELLS) {
        return 0;
    }
    value = read_register(ctrl, offset & ~3ull);
    if (size == 8) {
        return value | (uint64_t)read_register(ctrl, offset + 4) << 32;
    }
    value >>= (offset & 3) * 8;
    return size == 4 ? value : value & ((1ull << size * 8) - 1);
}

static void write_cc(struct lab_ctrl *ctrl, uint32_t value)
{
    uint32_t before = ctrl->cc;

    ctrl->cc = value;
    if (NVME_CC_SHN(value) && !NVME_CC_SHN(before)) {
        ctrl_shutdown(ctrl);
    }
    if ((value & NVME_CC_EN) && !(before & NVME_CC_EN)) {
        ctrl_enable(ctrl);
    } else if (!(value & NVME_CC_EN) && (before & NVME_CC_EN)) {
        ctrl_disable(ctrl);
        ctrl->cc = value;
    }
}

static void set_low(uint64_t *reg, uint32_t value)
{
    *reg = (*reg & ~0xFFFFFFFFull) | value;
}

static void set_high(uint64_t *reg, uint32_t value)
{
    *reg = (*reg & 0xFFFFFFFFull) | (uint64_t)value << 32;
}

static void write_register(struct lab_ctrl *ctrl, uint64_t offset,
                           uint32_t value)
{
    switch (offset) {
    case NVME_REG_INTMS:
        ctrl->intms |= value;           /* MSI-X only: kept, not used */
        break;
    case NVME_REG_INTMC:
        ctrl->intms &= ~value;
        break;
    case NVME_REG_CC:
        write_cc(ctrl, value);
        break;
    case NVME_REG_AQA:
        ctrl->aqa = value & 0x0FFF0FFF;
        break;
    case NVME_REG_ASQ:
        set_low(&ctrl->asq, value & ~(LAB_PAGE_BYTES - 1));
        break;
    case NVME_REG_ASQ + 4:
        set_high(&ctrl->asq, value);
        break;
    case NVME_REG_ACQ:
        set_low(&ctrl->acq, value & ~(LAB_PAGE_BYTES - 1));
        break;
    case NVME_REG_ACQ + 4:
        set_high(&ctrl->acq, value);
        break;
    default:
        ctrl_log(ctrl, LAB_LOG_GUEST, "write to read-only register 0x%" PRIx64,
                 offset);
        break;
    }
}

static void write_doorbell(struct lab_ctrl *ctrl, uint64_t offset,
                           uint32_t value)
{
    uint32_t index = (offset - NVME_REG_DOORBELLS) / DOORBELL_STRIDE;

    if (!(ctrl->csts & NVME_CSTS_RDY)) {
        ctrl_log(ctrl, LAB_LOG_GUEST, "doorbell 0x%" PRIx64 " while disabled",
                 offset);
        return;
    }
    if (index % 2) {
        cq_doorbell(ctrl, index / 2, value);
    } else {
        sq_doorbell(ctrl, index / 2, value);
    }
}

void lab_mmio_write(struct lab_ctrl *ctrl, uint64_t offset, uint64_t value,
                    unsigned size)
{
    if (ctrl_is_dark(ctrl)) {
        return;
    }
    if (!is_aligned(offset, size)) {
        ctrl_log(ctrl, LAB_LOG_GUEST, "write of %u bytes at 0x%" PRIx64, size,
                 offset);
        return;
    }
    if (offset >= NVME_REG_DOORBELLS) {
        if (size == 4) {
            write_doorbell(ctrl, offset, value);
        }
        return;
    }
    write_register(ctrl, offset, value);
    if (size == 8) {
        write_register(ctrl, offset + 4, value >> 32);
    }
}
