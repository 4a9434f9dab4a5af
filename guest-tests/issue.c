/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The list of issuers, and the plainest of them: blocking system calls.
 */
#include <errno.h>
#include <inttypes.h>
#include <unistd.h>

#include "guest.h"
#include "issue.h"
#include "never_page.h"

const struct issuer *const issuers[ISSUER_COUNT] = {
    &issuer_io_uring, &issuer_libaio, &issuer_sync,
};

ssize_t issue_acknowledged(ssize_t result, int fd, const void *buffer,
                           off_t offset)
{
    if (result > 0) {
        never_page_written(fd, buffer, (size_t)result, offset);
    }
    return result;
}

void issue_extra(const char *what, uint64_t request, int64_t result)
{
    run_note(run_self(), "never extra %s of request %" PRIu64 " of this "
             "process, result %" PRId64 ", which nobody waits for (process "
             "%d)", what, request, result, (int)getpid());
}

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
    return issue_acknowledged(outcome(pwrite(fd, buffer, length, offset)),
                              fd, buffer, offset);
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
