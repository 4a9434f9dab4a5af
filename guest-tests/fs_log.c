/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Emptying the log of a mounted file system; why is in fs.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdbool.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "fs.h"

/* include/uapi/linux/ext4.h (6.12); not in the headers of Debian 12. */
#ifndef EXT4_IOC_CHECKPOINT
#define EXT4_IOC_CHECKPOINT _IOW('f', 43, uint32_t)
#endif

static bool is_ext4(const struct target *target)
{
    return target->type->fs && strcmp(target->type->fs, "ext4") == 0;
}

static int checkpoint_ext4(int fd)
{
    uint32_t no_flags = 0;

    return ioctl(fd, EXT4_IOC_CHECKPOINT, &no_flags);
}

/* Freezing writes back what the log has (xfs_log_quiesce(), 6.12). */
static int freeze_and_thaw(int fd)
{
    return ioctl(fd, FIFREEZE, 0) < 0 ? -1 : ioctl(fd, FITHAW, 0);
}

void fs_empty_log(struct run *run, const struct target *target)
{
    int fd;

    if (!target->type->fs) {
        return;
    }
    fd = open(target->type->mount_point, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || (is_ext4(target) ? checkpoint_ext4(fd)
                                   : freeze_and_thaw(fd)) < 0) {
        run_error(run, "emptying the log of %s: %s",
                  target->type->mount_point, strerror(errno));
    }
    close(fd);
}

void fs_empty_journal(struct run *run, const struct target *target)
{
    if (is_ext4(target)) {
        fs_empty_log(run, target);
    }
}
