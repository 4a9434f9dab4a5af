/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See fuzz_guest.h. */
#include "fuzz_guest.h"

#include <errno.h>
#include <string.h>

#include "bytes.h"

uint8_t fuzz_u8(struct fuzz_input *input)
{
    if (!input->size) {
        return 0;
    }
    input->size--;
    return *input->data++;
}

uint16_t fuzz_u16(struct fuzz_input *input)
{
    uint16_t low = fuzz_u8(input);

    return low | fuzz_u8(input) << 8;
}

uint32_t fuzz_u32(struct fuzz_input *input)
{
    uint32_t low = fuzz_u16(input);

    return low | (uint32_t)fuzz_u16(input) << 16;
}

uint64_t fuzz_u64(struct fuzz_input *input)
{
    uint64_t low = fuzz_u32(input);

    return low | (uint64_t)fuzz_u32(input) << 32;
}

struct fuzz_guest *fuzz_guest_new(struct fuzz_input *input)
{
    struct fuzz_guest *guest = g_new0(struct fuzz_guest, 1);
    struct fake_config config = fake_config_default();
    uint8_t bits = fuzz_u8(input);
    uint8_t more = fuzz_u8(input);

    config.ram_bytes = FUZZ_RAM_BYTES;
    config.ns_count = 1 + (bits & 1);
    config.block_size_bytes = bits & 2 ? 4096 : 512;
    config.drive.has_vwc = !(bits & 4);
    config.drive.cache_size_bytes = bits & 8 ? 4096 : 64 << 10;
    config.drive.floor_latency_ns = bits & 16 ? 1000 : 0;
    config.drive.awupf_0based = bits & 32 ? 7 : 0;
    config.drive.lie = more % LAB_LIE_COUNT;
    config.atomic[0].nawupf_0based = more & 64 ? 9 : 0;
    if (more & 128) {
        config.atomic[0].nabsn_0based = 9;
        config.atomic[0].nabspf_0based = 11;
        config.atomic[0].nabo = 3;
    }
    config.drive.mdts = 6;
    guest->has_shadow = fuzz_u8(input) & 1;
    guest->host = fake_new(&config);
    guest->host->drops_trace = true;
    return guest;
}

void fuzz_guest_power(struct fuzz_guest *guest)
{
    struct fake_host *host = guest->host;

    if (host->has_cut_request) {
        fake_cut(host, host->cut_request);
        lab_power_on(host->ctrl);
        memset(guest->tails, 0, sizeof(guest->tails));
    }
}

void fuzz_guest_free(struct fuzz_guest *guest)
{
    struct fake_host *host = guest->host;
    uint32_t i;

    for (i = 0; i < FAKE_STORES; i++) {
        host->stores[i].error = 0;
    }
    fake_finish(host);
    fuzz_guest_power(guest);
    g_assert_true(lab_is_idle(host->ctrl));
    fake_free(host);
    g_free(guest);
}

/* -- Queues --------------------------------------------------------------- */

static uint64_t sq_address(uint32_t queue)
{
    return FAKE_RAM_BASE + queue * 0x2000;
}

static uint64_t cq_address(uint32_t queue)
{
    return sq_address(queue) + 0x1000;
}

static void mmio(struct fuzz_guest *guest, uint64_t offset, uint64_t value,
                 unsigned size)
{
    lab_mmio_write(guest->host->ctrl, offset, value, size);
}

/* Both, always: the drive takes the one that counts. */
static void doorbell(struct fuzz_guest *guest, uint32_t index, uint32_t value)
{
    le32_put(fake_at(guest->host, FUZZ_SHADOW + index * 4), value);
    mmio(guest, NVME_REG_DOORBELLS + index * 4, value, 4);
}

void fuzz_guest_send(struct fuzz_guest *guest, uint32_t queue,
                     const struct nvme_command *cmd)
{
    uint32_t tail = guest->tails[queue];

    memcpy(fake_at(guest->host, sq_address(queue) + tail * sizeof(*cmd)), cmd,
           sizeof(*cmd));
    guest->tails[queue] = (tail + 1) % FUZZ_ENTRIES;
    doorbell(guest, queue * 2, guest->tails[queue]);
}

static void create(struct fuzz_guest *guest, uint8_t opcode, uint32_t queue,
                   uint64_t address, uint32_t cdw11)
{
    struct nvme_command cmd = {
        .opcode = opcode, .prp1 = address,
        .cdw10 = (FUZZ_ENTRIES - 1) << 16 | queue, .cdw11 = cdw11,
    };

    fuzz_guest_send(guest, 0, &cmd);
    fake_run(guest->host);
}

static void shadow(struct fuzz_guest *guest)
{
    struct nvme_command cmd = {
        .opcode = NVME_ADMIN_DOORBELL_BUFFERS,
        .prp1 = FUZZ_SHADOW, .prp2 = FUZZ_SHADOW + 0x1000,
    };

    fuzz_guest_send(guest, 0, &cmd);
    fake_run(guest->host);
}

void fuzz_guest_enable(struct fuzz_guest *guest)
{
    uint32_t queue;

    mmio(guest, NVME_REG_CC, 0, 4);
    memset(guest->tails, 0, sizeof(guest->tails));
    mmio(guest, NVME_REG_AQA, (FUZZ_ENTRIES - 1) << 16 | (FUZZ_ENTRIES - 1), 4);
    mmio(guest, NVME_REG_ASQ, sq_address(0), 8);
    mmio(guest, NVME_REG_ACQ, cq_address(0), 8);
    mmio(guest, NVME_REG_CC, NVME_CC_EN | 6u << 16 | 4u << 20, 4);
    if (guest->has_shadow) {
        shadow(guest);
    }
    for (queue = 1; queue < FUZZ_QUEUES; queue++) {
        create(guest, NVME_ADMIN_CREATE_CQ, queue, cq_address(queue),
               queue == 1 ? 1 << 16 | 3 : 1);
        create(guest, NVME_ADMIN_CREATE_SQ, queue, sq_address(queue),
               queue << 16 | 1);
    }
}

/* -- The rest of the world ------------------------------------------------ */

static void step_store(struct fuzz_guest *guest, uint8_t choice)
{
    uint32_t waiting = fake_waiting(guest->host);

    if (waiting) {
        fake_step_any(guest->host, choice % waiting);
    }
}

void fuzz_guest_step(struct fuzz_guest *guest, struct fuzz_input *input)
{
    struct fake_host *host = guest->host;
    uint8_t choice = fuzz_u8(input);
    uint8_t value = fuzz_u8(input);

    switch (choice % 16) {
    case 0:
    case 1:
    case 2:
    case 3:
        fake_run(host);
        break;
    case 4:
    case 5:
    case 6:
    case 7:
        step_store(guest, value);
        break;
    case 8:
        fake_advance(host, value * 10);
        break;
    case 9:
    case 10:
        doorbell(guest, value % FUZZ_QUEUES * 2 + 1,
                 value / FUZZ_QUEUES % FUZZ_ENTRIES);
        break;
    case 11:
        le32_put(fake_at(host, FUZZ_SHADOW + value % (2 * FUZZ_QUEUES) * 4),
                 fuzz_u8(input) << (choice >> 4));
        break;
    case 12:
        host->stores[value % FAKE_NS_MAX].error = value & 0x80 ? -EIO : 0;
        break;
    case 13:
        lab_reset(host->ctrl);
        fuzz_guest_enable(guest);
        break;
    case 14:
        if (!lab_is_dark(host->ctrl)) {
            fake_cut_and_boot(host, value % 3, value);
            fuzz_guest_enable(guest);
        }
        break;
    default:
        fuzz_guest_enable(guest);
        break;
    }
    fuzz_guest_power(guest);
}
