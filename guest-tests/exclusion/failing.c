/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Aborting a write for good; see failing.h.
 *
 * nvme_decide_disposition, drivers/nvme/host/core.c, 6.1, 6.12, 7.2, 7.3: a
 * command that has had max_retries attempts completes with its error.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/nvme_ioctl.h>
#include <string.h>
#include <unistd.h>

#include "failing.h"

#define MAX_RETRIES "/sys/module/nvme_core/parameters/max_retries"
/* NVMe Base 2.0, 5.1 Abort. */
#define ADMIN_ABORT 0x08
#define NOT_ABORTED 1

static char retries_before[16];

static int write_retries(const char *text)
{
    int fd = open(MAX_RETRIES, O_WRONLY | O_CLOEXEC);
    int error = fd < 0 || write(fd, text, strlen(text)) < 0 ? errno : 0;

    if (fd >= 0) {
        close(fd);
    }
    return error;
}

static void restore(void)
{
    int error = write_retries(retries_before);

    if (error) {
        run_note(run_self(), "%s is left at 0: %s", MAX_RETRIES,
                 strerror(error));
    }
}

void failing_no_retries(struct run *run)
{
    int fd = open(MAX_RETRIES, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, retries_before,
                                   sizeof(retries_before) - 1);
    int error = n < 0 ? errno : write_retries("0");

    if (fd >= 0) {
        close(fd);
    }
    if (error) {
        run_error(run, "%s: %s", MAX_RETRIES, strerror(error));
    }
    run_at_end(restore);
}

void failing_abort(struct run *run, const struct drive *drive,
                   const struct lab_held *held)
{
    struct nvme_passthru_cmd command = {
        .opcode = ADMIN_ABORT,
        .cdw10 = held->sqid | (uint32_t)held->cid << 16,
    };
    int status = drive_admin(drive, &command);

    if (status || (command.result & NOT_ABORTED)) {
        run_error(run, "Abort of command %u of queue %u: %d, DW0 %u",
                  held->cid, held->sqid, status, command.result);
    }
}
