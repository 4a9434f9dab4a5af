/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Kernel AIO, the interface that libaio wraps, by its system calls.
 */
#include <errno.h>
#include <linux/aio_abi.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "issue.h"

#define QUEUE_ENTRIES 8

static aio_context_t context;

static int start(void)
{
    if (context) {
        return 0;
    }
    return syscall(SYS_io_setup, QUEUE_ENTRIES, &context) < 0 ? -errno : 0;
}

static ssize_t issue(uint16_t opcode, int fd, const void *buffer,
                     size_t length, off_t offset)
{
    struct iocb iocb = {
        .aio_lio_opcode = opcode,
        .aio_fildes = (uint32_t)fd,
        .aio_buf = (uintptr_t)buffer,
        .aio_nbytes = length,
        .aio_offset = offset,
    };
    struct iocb *list[1] = { &iocb };
    struct io_event event;
    long n;

    if (syscall(SYS_io_submit, context, 1L, list) < 0) {
        return -errno;
    }
    do {
        n = syscall(SYS_io_getevents, context, 1L, 1L, &event, NULL);
    } while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : (ssize_t)event.res;
}

static ssize_t aio_read(int fd, void *buffer, size_t length, off_t offset)
{
    return issue(IOCB_CMD_PREAD, fd, buffer, length, offset);
}

static ssize_t aio_write(int fd, const void *buffer, size_t length,
                         off_t offset)
{
    return issue(IOCB_CMD_PWRITE, fd, buffer, length, offset);
}

static ssize_t aio_fsync(int fd)
{
    return issue(IOCB_CMD_FSYNC, fd, NULL, 0, 0);
}

static ssize_t aio_fdatasync(int fd)
{
    return issue(IOCB_CMD_FDSYNC, fd, NULL, 0, 0);
}

const struct issuer issuer_libaio = {
    .name = "libaio",
    .start = start,
    .read = aio_read,
    .write = aio_write,
    .fsync = aio_fsync,
    .fdatasync = aio_fdatasync,
};
