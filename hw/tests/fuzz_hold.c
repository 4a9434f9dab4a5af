/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Holds, from both sides: HOLD, WAIT, RELEASE and Abort with arbitrary fields
 * around I/O that they meet, and the host's words as arbitrary text.
 */
#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "fuzz_guest.h"

#define SPEC (FUZZ_DATA + 0x1000)
#define TEXT_MAX 160

static const uint8_t io_opcodes[] = {
    NVME_IO_FLUSH, NVME_IO_WRITE, NVME_IO_WRITE, NVME_IO_READ, NVME_IO_DSM,
    NVME_IO_WRITE_ZEROES, NVME_IO_COMPARE, 0x7f,
};

/* Fields that are mostly possible, one byte of them wild now and then. */
static void send_hold(struct fuzz_guest *guest, struct fuzz_input *input)
{
    struct nvme_command cmd = {
        .opcode = LAB_OP_HOLD, .prp1 = SPEC,
        .cdw10 = sizeof(struct lab_hold) / 4,
    };
    uint8_t choice = fuzz_u8(input);
    struct lab_hold spec = {
        .stage = choice % LAB_HOLD_STAGES,
        .flags = fuzz_u8(input) & fuzz_u8(input),
        .opcode = io_opcodes[choice / 8 % sizeof(io_opcodes)],
        .sqid = 1 + (choice >> 6 & 1),
        .nsid = 1 + (choice >> 7),
        .first_lba = fuzz_u8(input) % 64,
        .skip = fuzz_u8(input) % 3,
        .count = fuzz_u8(input) % 4,
        .release_after_ns = fuzz_u8(input) * 4,
    };
    uint8_t wild = fuzz_u8(input);

    spec.last_lba = spec.first_lba + fuzz_u8(input) % 8;
    spec.mark_id = fuzz_u8(input) % 4;
    if (wild & 0x80) {
        ((uint8_t *)&spec)[wild % sizeof(spec)] = fuzz_u8(input);
        cmd.cdw10 += wild == 0xff;
    }
    memcpy(fake_at(guest->host, SPEC), &spec, sizeof(spec));
    fuzz_guest_send(guest, 0, &cmd);
}

static void send_wait(struct fuzz_guest *guest, struct fuzz_input *input)
{
    struct nvme_command cmd = {
        .opcode = LAB_OP_WAIT, .prp1 = FUZZ_DATA + fuzz_u16(input) % 0x8000,
        .cid = fuzz_u8(input), .cdw10 = fuzz_u16(input) % 1100,
        .cdw11 = fuzz_u8(input) % 4, .cdw12 = fuzz_u8(input) % 4,
        .cdw13 = fuzz_u8(input) % 4,
    };

    cmd.prp2 = (cmd.prp1 & ~4095ull) + 4096;
    fuzz_guest_send(guest, 0, &cmd);
}

static void send_release(struct fuzz_guest *guest, struct fuzz_input *input)
{
    struct nvme_command cmd = {
        .opcode = LAB_OP_RELEASE, .cdw10 = fuzz_u8(input) % 6,
        .cdw11 = fuzz_u8(input) % 5, .cdw12 = fuzz_u8(input) % 3,
        .cdw13 = fuzz_u8(input) % 3, .cdw14 = fuzz_u8(input),
    };

    fuzz_guest_send(guest, 0, &cmd);
}

static void send_other_admin(struct fuzz_guest *guest, struct fuzz_input *input)
{
    static const uint8_t opcodes[] = {
        NVME_ADMIN_ABORT, NVME_ADMIN_ABORT, NVME_ADMIN_DELETE_SQ, LAB_OP_MARK,
        NVME_ADMIN_SET_FEATURES, LAB_OP_STAT,
    };
    uint8_t choice = fuzz_u8(input);
    struct nvme_command cmd = {
        .opcode = opcodes[choice % sizeof(opcodes)],
        .prp1 = FUZZ_DATA, .cdw10 = fuzz_u8(input) % 3,
    };

    switch (cmd.opcode) {
    case NVME_ADMIN_ABORT:
        cmd.cdw10 |= (uint32_t)fuzz_u8(input) << 16;
        break;
    case LAB_OP_MARK:
        cmd.cdw10 = 0;
        cmd.cdw12 = fuzz_u8(input) % 4;
        break;
    case NVME_ADMIN_SET_FEATURES:
        cmd.cdw10 = NVME_FEAT_VWC;
        cmd.cdw11 = fuzz_u8(input) & 1;
        break;
    default:
        break;
    }
    fuzz_guest_send(guest, 0, &cmd);
}

static void send_io(struct fuzz_guest *guest, struct fuzz_input *input)
{
    uint8_t choice = fuzz_u8(input);
    struct nvme_command cmd = {
        .opcode = io_opcodes[choice % sizeof(io_opcodes)],
        .cid = fuzz_u8(input), .nsid = choice & 0x80 ? NVME_NSID_ALL : 1,
        .prp1 = FUZZ_DATA + (fuzz_u8(input) & 15) * 4096ull,
        .cdw10 = fuzz_u8(input) % 66,
        .cdw12 = fuzz_u8(input) % 8 | (choice & 0x40 ? NVME_RW_FUA : 0),
    };

    if (cmd.opcode == NVME_IO_DSM) {
        cmd.cdw10 %= 4;
        cmd.cdw11 = NVME_DSM_DEALLOCATE;
        le32_put(fake_at(guest->host, cmd.prp1 + 4), fuzz_u8(input) % 8);
        le64_put(fake_at(guest->host, cmd.prp1 + 8), fuzz_u8(input) % 66);
    }
    fuzz_guest_send(guest, 1 + (choice >> 5 & 1), &cmd);
}

/* Words that are mostly good, or bytes. */
static void say(struct fuzz_guest *guest, struct fuzz_input *input)
{
    static const char *const words[] = {
        "stage=fetch", "stage=visible", "stage=durable", "stage=cqe",
        "stage=irq", "opcode=write", "opcode=0x", "nsid=", "lba=1-",
        "fua=on", "queue=", "skip=", "count=", "mark=", "after=", ";", " ",
        "all", "rule", "command", "newest", "lost", "1", "9",
    };
    struct lab_ctrl *ctrl = guest->host->ctrl;
    GString *text = g_string_new(NULL);
    uint8_t choice = fuzz_u8(input);
    char *error = NULL;
    char *json;

    while (input->size && text->len < TEXT_MAX) {
        uint8_t next = fuzz_u8(input);

        if (next == 0) {
            break;
        }
        if (next & 0x80) {
            g_string_append(text, words[next % G_N_ELEMENTS(words)]);
        } else {
            g_string_append_c(text, next);
        }
    }
    if (choice & 1 ? lab_hold(ctrl, text->str, &error)
                   : lab_release(ctrl, text->str, &error)) {
        g_assert_null(error);
    } else {
        g_assert_nonnull(error);
        free(error);
    }
    json = lab_held_json(ctrl);
    g_assert_true(g_str_has_prefix(json, "{\"rules\": ["));
    free(json);
    g_string_free(text, TRUE);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = { data, size };
    struct fuzz_guest *guest = fuzz_guest_new(&input);
    uint32_t steps = 0;

    fuzz_guest_enable(guest);
    while (input.size && steps++ < FUZZ_STEPS_MAX) {
        switch (fuzz_u8(&input) % 12) {
        case 0:
        case 1:
            send_hold(guest, &input);
            break;
        case 2:
            send_wait(guest, &input);
            break;
        case 3:
            send_release(guest, &input);
            break;
        case 4:
            send_other_admin(guest, &input);
            break;
        case 5:
        case 6:
        case 7:
            send_io(guest, &input);
            break;
        case 8:
            say(guest, &input);
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
