/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Vendor commands through the admin passthrough of the stock driver.
 *
 * The driver returns the NVMe status of a failed command as a positive number;
 * here it becomes -EIO, and the caller names the command. An ioctl that the
 * driver refuses itself keeps its errno.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/nvme_ioctl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "drive.h"
#include "guest.h"

#define RESET_LIMIT_MS 10000

enum {
    POLICY_DROP_ALL = 0,
    POLICY_KEEP_ALL = 1,
    POLICY_RANDOM = 2,
};

/* NVMe Base 2.0, 5.17.2.1 Identify Controller, OACS. */
#define ADMIN_IDENTIFY 0x06
#define CNS_CONTROLLER 0x01
#define OACS_OFFSET 256
#define OACS_DOORBELL_BUFFERS (1 << 8)

/* NVM Command Set 1.0, 4.1.5.1 Identify Namespace (CNS 00h). */
#define IDENTIFY_BYTES 4096
#define IDENTIFY_NSFEAT 24
#define IDENTIFY_NAWUPF 36
#define IDENTIFY_NABSPF 44
#define NSFEAT_NSABP 0x02

/* NVMe Base 2.0, 5.27 Set Features, 5.27.1.4 Volatile Write Cache. */
#define ADMIN_SET_FEATURES 0x09
#define FEATURE_VWC 0x06

/*
 * While a controller is being reset its node does not open: nvme_dev_open,
 * drivers/nvme/host/core.c, 6.1, 6.12, 7.2.
 */
static int open_node(const struct drive *drive)
{
    int fd = -1;

    for (unsigned ms = 0; fd < 0 && ms < RESET_LIMIT_MS; ms++) {
        fd = open(drive->node, O_RDWR | O_CLOEXEC);
        if (fd < 0 && errno != EAGAIN) {
            break;
        }
        if (fd < 0) {
            usleep(1000);
        }
    }
    return fd;
}

int drive_admin(const struct drive *drive, struct nvme_passthru_cmd *command)
{
    int fd = open_node(drive);
    int status;

    if (fd < 0) {
        return -errno;
    }
    status = ioctl(fd, NVME_IOCTL_ADMIN_CMD, command);
    if (status < 0) {
        status = -errno;
    }
    close(fd);
    return status;
}

static int admin(const struct drive *drive, struct nvme_passthru_cmd *command)
{
    int status = drive_admin(drive, command);

    return status > 0 ? -EIO : status;
}

int drive_mark(const struct drive *drive, enum lab_mark_kind kind,
               uint64_t id, const char *text)
{
    char buffer[LAB_MARK_TEXT_MAX] __attribute__((aligned(4096))) = "";
    size_t length = strnlen(text, sizeof(buffer));
    uint32_t dwords = (uint32_t)(length + 3) / 4;
    uint64_t now_ns = guest_clock_ns();
    struct nvme_passthru_cmd command = {
        .opcode = LAB_OP_MARK,
        .addr = dwords ? (uintptr_t)buffer : 0,
        .data_len = dwords * 4,
        .cdw10 = dwords,
        .cdw11 = kind,
        .cdw12 = (uint32_t)id,
        .cdw13 = (uint32_t)(id >> 32),
        .cdw14 = (uint32_t)now_ns,
        .cdw15 = (uint32_t)(now_ns >> 32),
    };

    memcpy(buffer, text, length);
    return admin(drive, &command);
}

int drive_stat(const struct drive *drive, struct lab_stat *stat)
{
    struct lab_stat answer __attribute__((aligned(4096))) = { 0 };
    struct nvme_passthru_cmd command = {
        .opcode = LAB_OP_STAT,
        .addr = (uintptr_t)&answer,
        .data_len = sizeof(answer),
        .cdw10 = sizeof(answer) / 4,
    };
    int error = admin(drive, &command);

    if (error) {
        return error;
    }
    if (answer.version != LAB_STAT_VERSION) {
        return -EPROTO;
    }
    *stat = answer;
    return 0;
}

bool drive_has_shadow_doorbells(const struct drive *drive)
{
    uint8_t page[4096] __attribute__((aligned(4096))) = { 0 };
    struct nvme_passthru_cmd command = {
        .opcode = ADMIN_IDENTIFY,
        .addr = (uintptr_t)page,
        .data_len = sizeof(page),
        .cdw10 = CNS_CONTROLLER,
    };

    return admin(drive, &command) == 0 &&
           (page[OACS_OFFSET] | page[OACS_OFFSET + 1] << 8) &
               OACS_DOORBELL_BUFFERS;
}

int drive_cut(const struct drive *drive, uint32_t policy, uint64_t seed)
{
    struct nvme_passthru_cmd command = {
        .opcode = LAB_OP_CUT,
        .cdw11 = policy,
        .cdw12 = (uint32_t)seed,
        .cdw13 = (uint32_t)(seed >> 32),
    };

    return admin(drive, &command);
}

/* 0's based, but for 0. */
static uint32_t bytes_at(const uint8_t *page, size_t field,
                         uint32_t block_size_bytes)
{
    uint32_t blocks = page[field] | (uint32_t)page[field + 1] << 8;

    return blocks ? (blocks + 1) * block_size_bytes : 0;
}

int drive_atomic(const struct drive_ns *ns, struct drive_atomic *atomic)
{
    uint8_t page[IDENTIFY_BYTES] __attribute__((aligned(4096))) = { 0 };
    struct nvme_passthru_cmd command = {
        .opcode = ADMIN_IDENTIFY,
        .nsid = ns->nsid,
        .addr = (uintptr_t)page,
        .data_len = sizeof(page),
    };
    int error = admin(&ns->drive, &command);

    memset(atomic, 0, sizeof(*atomic));
    if (!error && (page[IDENTIFY_NSFEAT] & NSFEAT_NSABP)) {
        atomic->unit_bytes = bytes_at(page, IDENTIFY_NAWUPF,
                                      ns->block_size_bytes);
        atomic->boundary_bytes = bytes_at(page, IDENTIFY_NABSPF,
                                          ns->block_size_bytes);
    }
    return error;
}

static int set_vwc(const struct drive *drive, bool is_on)
{
    struct nvme_passthru_cmd command = {
        .opcode = ADMIN_SET_FEATURES,
        .cdw10 = FEATURE_VWC,
        .cdw11 = is_on,
    };

    return admin(drive, &command);
}

int drive_destage(const struct drive *drive)
{
    int error = set_vwc(drive, false);

    return error ? error : set_vwc(drive, true);
}

bool drive_policy_parse(const char *text, uint32_t *policy, uint64_t *seed)
{
    const char *number;
    char *end;

    *seed = 0;
    if (strcmp(text, "drop-all") == 0) {
        *policy = POLICY_DROP_ALL;
        return true;
    }
    if (strcmp(text, "keep-all") == 0) {
        *policy = POLICY_KEEP_ALL;
        return true;
    }
    if (strncmp(text, "random:", 7) != 0) {
        return false;
    }
    number = text + 7;
    if (*number < '0' || *number > '9') {
        return false;
    }
    *policy = POLICY_RANDOM;
    errno = 0;
    *seed = strtoull(number, &end, strncmp(number, "0x", 2) == 0 ? 16 : 10);
    return errno == 0 && *end == '\0';
}
