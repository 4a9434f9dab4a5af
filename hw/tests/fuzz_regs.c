/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any sequence of register accesses, of any size and place, with queues in
 * any memory: the first bytes of the input are what the queues contain.
 */
#include <string.h>

#include "fuzz_guest.h"

static const uint16_t registers[] = {
    NVME_REG_CAP, NVME_REG_VS, NVME_REG_INTMS, NVME_REG_INTMC, NVME_REG_CC,
    NVME_REG_CC, NVME_REG_CSTS, NVME_REG_NSSR, NVME_REG_AQA, NVME_REG_ASQ,
    NVME_REG_ASQ + 4, NVME_REG_ACQ, NVME_REG_ACQ + 4, NVME_REG_CRTO,
    NVME_REG_DOORBELLS, NVME_REG_DOORBELLS + 4, NVME_REG_DOORBELLS + 8,
    NVME_REG_DOORBELLS + 12, NVME_REG_DOORBELLS + 16, NVME_REG_DOORBELLS + 20,
};

static uint64_t draw_offset(struct fuzz_input *input, uint64_t bar_bytes)
{
    uint8_t choice = fuzz_u8(input);

    if (choice < 224) {
        return registers[choice % G_N_ELEMENTS(registers)];
    }
    return fuzz_u16(input) % bar_bytes;
}

/* Values that get somewhere, more often than chance would have it. */
static uint64_t draw_value(struct fuzz_input *input)
{
    switch (fuzz_u8(input) % 8) {
    case 0:
        return NVME_CC_EN | 6u << 16 | 4u << 20;
    case 1:
        return fuzz_u8(input) % 17;
    case 2:
        return (FUZZ_ENTRIES - 1) << 16 | (FUZZ_ENTRIES - 1);
    case 3:
        return FAKE_RAM_BASE + fuzz_u8(input) * 1024ull;
    case 4:
        return (NVME_CC_EN | 6u << 16 | 4u << 20) |
               (uint32_t)fuzz_u8(input) << 14;
    default:
        return fuzz_u64(input);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = { data, size };
    struct fuzz_guest *guest = fuzz_guest_new(&input);
    size_t memory = fuzz_u16(&input) % 0x8000u;
    uint64_t bar_bytes = lab_bar_size(&guest->host->config.drive);
    uint32_t steps = 0;

    memory = MIN(memory, input.size / 2);
    memcpy(guest->host->ram, input.data, memory);
    input.data += memory;
    input.size -= memory;
    if (fuzz_u8(&input) & 1) {
        fuzz_guest_enable(guest);
    }
    while (input.size && steps++ < FUZZ_STEPS_MAX) {
        uint8_t choice = fuzz_u8(&input);
        unsigned width = 1u << choice / 8 % 4;
        uint64_t offset;

        switch (choice % 8) {
        case 0:
        case 1:
            fuzz_guest_step(guest, &input);
            break;
        case 2:
            offset = draw_offset(&input, bar_bytes) & ~(width - 1ull);
            lab_mmio_read(guest->host->ctrl, offset, width);
            break;
        case 3:
            offset = draw_offset(&input, bar_bytes) & ~(width - 1ull);
            lab_mmio_write(guest->host->ctrl, offset, draw_value(&input),
                           width);
            break;
        default:
            offset = draw_offset(&input, bar_bytes) & ~3ull;
            lab_mmio_write(guest->host->ctrl, offset, draw_value(&input), 4);
            break;
        }
        if (lab_is_dark(guest->host->ctrl)) {
            fuzz_guest_power(guest);
        }
    }
    fuzz_guest_free(guest);
    return 0;
}
