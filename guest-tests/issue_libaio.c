/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Kernel AIO, the interface that libaio wraps, by its system calls.
 */
#include <errno.h>
#include <linux/aio_abi.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "guest.h"
#include "issue.h"

#define QUEUE_ENTRIES 8

static aio_context_t context;
static uint64_t request;        /* number of the latest one */

unsigned long issue_aio_context(void)
{
    return context;
}

/* Whatever is there although nothing is under way. */
static void take_extra(void)
{
    struct timespec at_once = { 0 };
    struct io_event event;

    while (syscall(SYS_io_getevents, context, 0L, 1L, &event, &at_once) > 0) {
        issue_extra("io_event", event.data, event.res);
    }
}

static int start(void)
{
    if (context) {
        return 0;
    }
    if (syscall(SYS_io_setup, QUEUE_ENTRIES, &context) < 0) {
        return -errno;
    }
    run_at_end(take_extra);
    return 0;
}

/* The event of the latest request; those of older ones are extra. 0, -errno. */
static int wait_for_own(struct io_event *event)
{
    for (;;) {
        long n = syscall(SYS_io_getevents, context, 1L, 1L, event, NULL);

        if (n < 0 && errno != EINTR) {
            return -errno;
        }
        if (n == 1 && event->data == request) {
            return 0;
        }
        if (n == 1) {
            issue_extra("io_event", event->data, event->res);
        }
    }
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
    int error;

    take_extra();
    iocb.aio_data = ++request;
    if (syscall(SYS_io_submit, context, 1L, list) < 0) {
        return -errno;
    }
    error = wait_for_own(&event);
    return error ? error : (ssize_t)event.res;
}

static ssize_t aio_read(int fd, void *buffer, size_t length, off_t offset)
{
    return issue(IOCB_CMD_PREAD, fd, buffer, length, offset);
}

static ssize_t aio_write(int fd, const void *buffer, size_t length,
                         off_t offset)
{
    return issue_acknowledged(issue(IOCB_CMD_PWRITE, fd, buffer, length,
                                    offset), fd, buffer, offset);
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
