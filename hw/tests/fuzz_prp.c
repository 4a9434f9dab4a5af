/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PRP lists in arbitrary memory: a region full of entries that point to data,
 * to each other, to themselves, to holes, to the drive's own BAR, and anywhere
 * with any offset; then commands of every kind that use them.
 */
#include <string.h>

#include "bytes.h"
#include "fuzz_guest.h"

#define LIST_PAGES 4u
#define DATA_PAGES 32u

static uint64_t draw_entry(struct fuzz_input *input)
{
    uint8_t choice = fuzz_u8(input);
    uint64_t page = choice / 8;

    switch (choice % 8) {
    case 0:
        return FUZZ_DATA + page % LIST_PAGES * 4096;    /* a list */
    case 1:
        return FAKE_BAR + page * 4096;
    case 2:
        return fuzz_u64(input);
    case 3:
        return FUZZ_DATA + page * 4096 + fuzz_u16(input) % 4096;
    default:
        return FUZZ_DATA + page * 4096;
    }
}

/* Few bytes of input fill the region: each entry is repeated for a while. */
static void fill_lists(struct fuzz_guest *guest, struct fuzz_input *input)
{
    uint32_t entries = LIST_PAGES * 512;
    uint32_t i = 0;

    while (i < entries) {
        uint64_t entry = draw_entry(input);
        uint32_t run = 1 + fuzz_u8(input) * (input->size ? 1u : 16u);

        for (; run && i < entries; run--, i++) {
            le64_put(fake_at(guest->host, FUZZ_DATA + i * 8), entry);
        }
    }
}

/* The places where chains happen are the ends of pages. */
static void poke_chain(struct fuzz_guest *guest, struct fuzz_input *input)
{
    uint8_t choice = fuzz_u8(input);
    uint64_t page = FUZZ_DATA + choice % LIST_PAGES * 4096ull;

    le64_put(fake_at(guest->host, page + 4096 - 8 * (1 + (choice >> 6))),
             draw_entry(input));
}

static uint32_t draw_blocks(struct fuzz_guest *guest, struct fuzz_input *input)
{
    uint32_t most = (4096u << guest->host->config.drive.mdts) /
                    guest->host->config.block_size_bytes;

    return 1 + fuzz_u16(input) % MIN(most + 1, 64);
}

static void send(struct fuzz_guest *guest, struct fuzz_input *input)
{
    struct nvme_command cmd = {
        .nsid = 1, .prp1 = draw_entry(input), .prp2 = draw_entry(input),
    };
    uint8_t choice = fuzz_u8(input);

    switch (choice % 8) {
    case 0:
        cmd.opcode = NVME_ADMIN_IDENTIFY;
        cmd.cdw10 = 1;
        fuzz_guest_send(guest, 0, &cmd);
        return;
    case 1:
        cmd.opcode = NVME_ADMIN_GET_LOG;
        cmd.cdw10 = 0x3FFu << 16 | NVME_LOG_EFFECTS;
        fuzz_guest_send(guest, 0, &cmd);
        return;
    case 2:
        cmd.opcode = LAB_OP_MARK;
        cmd.cdw10 = 64;
        fuzz_guest_send(guest, 0, &cmd);
        return;
    default:
        cmd.opcode = choice & 8 ? NVME_IO_READ : NVME_IO_WRITE;
        cmd.prp2 += choice & 0x70;
        cmd.cdw12 = (draw_blocks(guest, input) - 1) |
                    (choice & 0x80 ? NVME_RW_FUA : 0);
        fuzz_guest_send(guest, 1, &cmd);
        return;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = { data, size };
    struct fuzz_guest *guest = fuzz_guest_new(&input);
    uint32_t steps = 0;

    fuzz_guest_enable(guest);
    fake_hole(guest->host, 0, FUZZ_DATA + 12 * 4096, 4096);
    fake_hole(guest->host, 1, FUZZ_DATA + 20 * 4096 + 512, 1024);
    fill_lists(guest, &input);
    while (input.size && steps++ < FUZZ_STEPS_MAX) {
        switch (fuzz_u8(&input) % 6) {
        case 0:
            fuzz_guest_step(guest, &input);
            break;
        case 1:
            poke_chain(guest, &input);
            break;
        case 2:
            fake_settle(guest->host);
            break;
        default:
            send(guest, &input);
            break;
        }
        fuzz_guest_power(guest);
    }
    fuzz_guest_free(guest);
    return 0;
}
