/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * HOLD, WAIT and RELEASE through the admin passthrough (hw/abi/vendor.h).
 */
#include <errno.h>
#include <linux/nvme_ioctl.h>
#include <stdlib.h>
#include <string.h>

#include "drive.h"

/* Status code and type; the driver puts Do Not Retry above them. */
#define STATUS_MASK 0x7FF
/* The ioctl must outlive the wait in the drive. */
#define WAIT_SLACK_MS 30000
#define WAIT_ROOM_MAX 64

static int outcome(int status)
{
    if (status <= 0) {
        return status;
    }
    switch (status & STATUS_MASK) {
    case LAB_STATUS_WAIT_OVER:
        return -ETIMEDOUT;
    case LAB_STATUS_HOLDS_FULL:
        return -ENOSPC;
    case LAB_STATUS_NO_RULE:
        return -ENOENT;
    default:
        return -EIO;
    }
}

int drive_hold(const struct drive *drive, const struct lab_hold *hold,
               uint32_t *rule)
{
    struct lab_hold copy __attribute__((aligned(4096))) = *hold;
    struct nvme_passthru_cmd command = {
        .opcode = LAB_OP_HOLD,
        .addr = (uintptr_t)&copy,
        .data_len = sizeof(copy),
        .cdw10 = sizeof(copy) / 4,
    };
    int error = outcome(drive_admin(drive, &command));

    *rule = command.result;
    return error;
}

int drive_wait(const struct drive *drive, uint32_t rule, uint32_t count,
               uint32_t limit_ms, struct lab_held *held, size_t room,
               uint32_t *parked)
{
    struct lab_held page[WAIT_ROOM_MAX] __attribute__((aligned(4096))) = { 0 };
    uint32_t bytes;
    struct nvme_passthru_cmd command = {
        .opcode = LAB_OP_WAIT,
        .cdw11 = rule,
        .cdw12 = count,
        .cdw13 = limit_ms,
        .timeout_ms = limit_ms + WAIT_SLACK_MS,
    };
    int error;

    room = room < WAIT_ROOM_MAX ? room : WAIT_ROOM_MAX;
    bytes = (uint32_t)(room * sizeof(page[0]));
    command.addr = bytes ? (uintptr_t)page : 0;
    command.data_len = bytes;
    command.cdw10 = bytes / 4;
    error = outcome(drive_admin(drive, &command));
    *parked = command.result;
    if (bytes) {
        memcpy(held, page, bytes);
    }
    return error;
}

int drive_release(const struct drive *drive,
                  const struct drive_release *release, uint32_t *released)
{
    struct nvme_passthru_cmd command = {
        .opcode = LAB_OP_RELEASE,
        .cdw10 = release->what,
        .cdw11 = release->rule,
        .cdw12 = release->count,
        .cdw13 = release->is_newest_first,
        .cdw14 = (uint32_t)release->command_id,
        .cdw15 = (uint32_t)(release->command_id >> 32),
    };
    int error = outcome(drive_admin(drive, &command));

    *released = command.result;
    return error;
}
