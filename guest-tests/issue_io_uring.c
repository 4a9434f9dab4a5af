/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * io_uring, set up in three ways: by default (no polling, no SQ thread, no
 * deferred task work); with task work deferred to the call that waits; and
 * polled, where the waiting call looks for the completion itself. A process
 * uses one of them. The kernel may still hand a request to io-wq when it cannot
 * be served without blocking; it stays an asynchronous request there (its kiocb
 * has a completion function), which is what the flush budgets depend on.
 */
#include <liburing.h>
#include <stdbool.h>

#include "guest.h"
#include "issue.h"

#define QUEUE_ENTRIES 8

static struct io_uring ring;
static bool is_started;
static uint64_t request;        /* number of the latest one */

struct io_uring *issue_ring(void)
{
    return &ring;
}

/* Whatever is there although nothing is under way. */
static void take_extra(void)
{
    struct io_uring_cqe *cqe;

    if (ring.flags & IORING_SETUP_DEFER_TASKRUN) {
        io_uring_get_events(&ring);
    }
    while (io_uring_peek_cqe(&ring, &cqe) == 0) {
        issue_extra("CQE", cqe->user_data, cqe->res);
        io_uring_cqe_seen(&ring, cqe);
    }
}

static int start_with(unsigned flags)
{
    int error;

    if (is_started) {
        return 0;
    }
    error = io_uring_queue_init(QUEUE_ENTRIES, &ring, flags);
    is_started = error == 0;
    if (is_started) {
        run_at_end(take_extra);
    }
    return error;
}

static int start(void)
{
    return start_with(0);
}

static int start_defer_taskrun(void)
{
    return start_with(IORING_SETUP_SINGLE_ISSUER |
                      IORING_SETUP_DEFER_TASKRUN);
}

/* Direct reads and writes only; the drive needs poll queues. */
static int start_iopoll(void)
{
    return start_with(IORING_SETUP_IOPOLL);
}

/* The CQE of the latest request; those of older ones are extra. */
static int wait_for_own(struct io_uring_cqe **cqe)
{
    for (;;) {
        int error = io_uring_wait_cqe(&ring, cqe);

        if (error == -EINTR) {
            continue;
        }
        if (error < 0 || (*cqe)->user_data == request) {
            return error;
        }
        issue_extra("CQE", (*cqe)->user_data, (*cqe)->res);
        io_uring_cqe_seen(&ring, *cqe);
    }
}

static ssize_t submit_and_wait(struct io_uring_sqe *sqe)
{
    struct io_uring_cqe *cqe;
    ssize_t result;
    int error;

    take_extra();
    io_uring_sqe_set_data64(sqe, ++request);
    error = io_uring_submit(&ring);
    if (error >= 0) {
        error = wait_for_own(&cqe);
    }
    if (error < 0) {
        return error;
    }
    result = cqe->res;
    io_uring_cqe_seen(&ring, cqe);
    return result;
}

static ssize_t ring_read(int fd, void *buffer, size_t length, off_t offset)
{
    struct io_uring_sqe *sqe = io_uring_get_sqe(&ring);

    io_uring_prep_read(sqe, fd, buffer, (unsigned)length, (uint64_t)offset);
    return submit_and_wait(sqe);
}

static ssize_t ring_write(int fd, const void *buffer, size_t length,
                          off_t offset)
{
    struct io_uring_sqe *sqe = io_uring_get_sqe(&ring);

    io_uring_prep_write(sqe, fd, buffer, (unsigned)length, (uint64_t)offset);
    return issue_acknowledged(submit_and_wait(sqe), fd, buffer, offset);
}

static ssize_t ring_fsync(int fd)
{
    struct io_uring_sqe *sqe = io_uring_get_sqe(&ring);

    io_uring_prep_fsync(sqe, fd, 0);
    return submit_and_wait(sqe);
}

static ssize_t ring_fdatasync(int fd)
{
    struct io_uring_sqe *sqe = io_uring_get_sqe(&ring);

    io_uring_prep_fsync(sqe, fd, IORING_FSYNC_DATASYNC);
    return submit_and_wait(sqe);
}

const struct issuer issuer_io_uring = {
    .name = "io_uring",
    .start = start,
    .read = ring_read,
    .write = ring_write,
    .fsync = ring_fsync,
    .fdatasync = ring_fdatasync,
};

const struct issuer issuer_defer_taskrun = {
    .name = "defer_taskrun",
    .start = start_defer_taskrun,
    .read = ring_read,
    .write = ring_write,
    .fsync = ring_fsync,
    .fdatasync = ring_fdatasync,
};

/* A polled ring refuses fsync. */
const struct issuer issuer_iopoll = {
    .name = "iopoll",
    .start = start_iopoll,
    .read = ring_read,
    .write = ring_write,
};
