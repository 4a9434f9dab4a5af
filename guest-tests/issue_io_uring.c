/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * io_uring with its default setup: no polling, no SQ thread, no deferred task
 * work. The kernel may still hand a request to io-wq when it cannot be served
 * without blocking; it stays an asynchronous request there (its kiocb has a
 * completion function), which is what the flush budgets depend on.
 */
#include <liburing.h>
#include <stdbool.h>

#include "issue.h"

#define QUEUE_ENTRIES 8

static struct io_uring ring;
static bool is_started;

static int start(void)
{
    int error;

    if (is_started) {
        return 0;
    }
    error = io_uring_queue_init(QUEUE_ENTRIES, &ring, 0);
    is_started = error == 0;
    return error;
}

static ssize_t submit_and_wait(void)
{
    struct io_uring_cqe *cqe;
    ssize_t result;
    int submitted = io_uring_submit(&ring);
    int error;

    if (submitted < 0) {
        return submitted;
    }
    do {
        error = io_uring_wait_cqe(&ring, &cqe);
    } while (error == -EINTR);
    if (error < 0) {
        return error;
    }
    result = cqe->res;
    io_uring_cqe_seen(&ring, cqe);
    return result;
}

static ssize_t ring_read(int fd, void *buffer, size_t length, off_t offset)
{
    io_uring_prep_read(io_uring_get_sqe(&ring), fd, buffer, (unsigned)length,
                       (uint64_t)offset);
    return submit_and_wait();
}

static ssize_t ring_write(int fd, const void *buffer, size_t length,
                          off_t offset)
{
    io_uring_prep_write(io_uring_get_sqe(&ring), fd, buffer,
                        (unsigned)length, (uint64_t)offset);
    return submit_and_wait();
}

static ssize_t ring_fsync(int fd)
{
    io_uring_prep_fsync(io_uring_get_sqe(&ring), fd, 0);
    return submit_and_wait();
}

static ssize_t ring_fdatasync(int fd)
{
    io_uring_prep_fsync(io_uring_get_sqe(&ring), fd, IORING_FSYNC_DATASYNC);
    return submit_and_wait();
}

const struct issuer issuer_io_uring = {
    .name = "io_uring",
    .start = start,
    .read = ring_read,
    .write = ring_write,
    .fsync = ring_fsync,
    .fdatasync = ring_fdatasync,
};
