/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Arbitrary submission queue entries, admin and I/O, to a drive that is up.
 * Half of them are well-formed but for one field, so that the fuzzer does not
 * spend its life on Invalid Opcode.
 */
#include <string.h>

#include "fuzz_guest.h"

static const uint8_t admin_opcodes[] = {
    NVME_ADMIN_DELETE_SQ, NVME_ADMIN_CREATE_SQ, NVME_ADMIN_GET_LOG,
    NVME_ADMIN_DELETE_CQ, NVME_ADMIN_CREATE_CQ, NVME_ADMIN_IDENTIFY,
    NVME_ADMIN_ABORT, NVME_ADMIN_SET_FEATURES, NVME_ADMIN_GET_FEATURES,
    NVME_ADMIN_ASYNC_EVENT, NVME_ADMIN_DOORBELL_BUFFERS, LAB_OP_MARK,
    LAB_OP_STAT, LAB_OP_CUT, LAB_OP_HOLD, LAB_OP_WAIT, LAB_OP_RELEASE,
};
static const uint8_t io_opcodes[] = {
    NVME_IO_FLUSH, NVME_IO_WRITE, NVME_IO_WRITE, NVME_IO_READ,
};

static uint64_t draw_address(struct fuzz_input *input)
{
    uint8_t choice = fuzz_u8(input);

    switch (choice % 8) {
    case 0:
        return fuzz_u64(input);
    case 1:
        return FAKE_RAM_BASE + fuzz_u16(input);         /* the queues */
    case 2:
        return FUZZ_DATA + fuzz_u16(input);
    default:
        return FUZZ_DATA + (choice / 8) * 4096ull;
    }
}

static struct nvme_command draw_wild(struct fuzz_input *input)
{
    struct nvme_command cmd;
    uint8_t *bytes = (uint8_t *)&cmd;
    size_t i;

    for (i = 0; i < sizeof(cmd); i++) {
        bytes[i] = fuzz_u8(input);
    }
    return cmd;
}

static struct nvme_command draw_io(struct fuzz_input *input)
{
    uint8_t choice = fuzz_u8(input);
    struct nvme_command cmd = {
        .opcode = io_opcodes[choice % G_N_ELEMENTS(io_opcodes)],
        .cid = fuzz_u8(input),
        .nsid = choice & 0x80 ? NVME_NSID_ALL : 1 + (choice >> 4 & 1),
        .prp1 = draw_address(input),
        .prp2 = draw_address(input),
        .cdw10 = fuzz_u8(input) % 66,
        .cdw12 = fuzz_u8(input) % 40 | (choice & 0x40 ? NVME_RW_FUA : 0),
    };

    return cmd;
}

static struct nvme_command draw_admin(struct fuzz_input *input)
{
    struct nvme_command cmd = {
        .opcode = admin_opcodes[fuzz_u8(input) % G_N_ELEMENTS(admin_opcodes)],
        .cid = fuzz_u8(input),
        .nsid = fuzz_u8(input) % 4,
        .prp1 = draw_address(input),
        .prp2 = draw_address(input),
    };

    switch (cmd.opcode) {
    case NVME_ADMIN_CREATE_SQ:
    case NVME_ADMIN_CREATE_CQ:
        cmd.cdw10 = (uint32_t)fuzz_u8(input) << 16 | fuzz_u8(input) % 6;
        cmd.cdw11 = (uint32_t)(fuzz_u8(input) % 6) << 16 | fuzz_u8(input) % 4;
        break;
    case NVME_ADMIN_SET_FEATURES:
        cmd.cdw10 = fuzz_u8(input) % 16;
        cmd.cdw11 = fuzz_u8(input) & 1;
        break;
    case LAB_OP_CUT:
        cmd.cdw11 = fuzz_u8(input) % 4;
        cmd.cdw12 = fuzz_u8(input);
        break;
    default:
        cmd.cdw10 = fuzz_u32(input);
        cmd.cdw11 = fuzz_u16(input);
        cmd.cdw12 = fuzz_u16(input);
        break;
    }
    return cmd;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = { data, size };
    struct fuzz_guest *guest = fuzz_guest_new(&input);
    uint32_t steps = 0;

    fuzz_guest_enable(guest);
    while (input.size && steps++ < FUZZ_STEPS_MAX) {
        uint8_t choice = fuzz_u8(&input);
        uint32_t queue = choice / 8 % FUZZ_QUEUES;
        struct nvme_command cmd;

        switch (choice % 8) {
        case 0:
            cmd = draw_wild(&input);
            fuzz_guest_send(guest, queue, &cmd);
            break;
        case 1:
            cmd = draw_admin(&input);
            fuzz_guest_send(guest, 0, &cmd);
            break;
        case 2:
        case 3:
        case 4:
            cmd = draw_io(&input);
            fuzz_guest_send(guest, 1 + queue % (FUZZ_QUEUES - 1), &cmd);
            break;
        default:
            fuzz_guest_step(guest, &input);
            break;
        }
        fuzz_guest_power(guest);
    }
    fuzz_guest_free(guest);
    return 0;
}
