/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The list of issuers, and the plainest of them: blocking system calls.
 */
#include <errno.h>
#include <unistd.h>

#include "issue.h"

const struct issuer *const issuers[ISSUER_COUNT] = {
    &issuer_io_uring, &issuer_libaio, &issuer_sync,
};

static int start(void)
{
    return 0;
}

static ssize_t outcome(ssize_t returned)
{
    return returned < 0 ? -errno : returned;
}

static ssize_t sync_read(int fd, void *buffer, size_t length, off_t offset)
{
    return outcome(pread(fd, buffer, length, offset));
}

static ssize_t sync_write(int fd, const void *buffer, size_t length,
                          off_t offset)
{
    return outcome(pwrite(fd, buffer, length, offset));
}

static ssize_t sync_fsync(int fd)
{
    return outcome(fsync(fd));
}

static ssize_t sync_fdatasync(int fd)
{
    return outcome(fdatasync(fd));
}

const struct issuer issuer_sync = {
    .name = "sync",
    .start = start,
    .read = sync_read,
    .write = sync_write,
    .fsync = sync_fsync,
    .fdatasync = sync_fdatasync,
};
