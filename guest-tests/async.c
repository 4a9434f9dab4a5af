/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The ring of this process; see async.h.
 */
#include <errno.h>
#include <liburing.h>
#include <stdbool.h>
#include <string.h>

#include "async.h"
#include "issue.h"

#define LIMIT_S 10

static struct io_uring ring;
static bool is_started;

/* What never_page.h wants to know of a write when it is acknowledged. */
static struct {
    bool is_under_way;
    bool is_write;
    int fd;
    const void *buffer;
    off_t offset;
} slots[ASYNC_MAX];

/* False: it is a request's second completion, or nobody's. */
static bool take(uint64_t number)
{
    bool is_first = number < ASYNC_MAX && slots[number].is_under_way;

    if (is_first) {
        slots[number].is_under_way = false;
    }
    return is_first;
}

/* A step that ends early may leave first completions behind. */
static void take_extra(void)
{
    struct io_uring_cqe *cqe;

    while (io_uring_peek_cqe(&ring, &cqe) == 0) {
        if (!take(cqe->user_data)) {
            issue_extra("CQE", cqe->user_data, cqe->res);
        }
        io_uring_cqe_seen(&ring, cqe);
    }
}

static struct io_uring_sqe *prepare(struct run *run, unsigned number)
{
    int error = is_started ? 0 : io_uring_queue_init(ASYNC_MAX, &ring, 0);

    if (error) {
        run_error(run, "io_uring: %s", strerror(-error));
    }
    if (number >= ASYNC_MAX || slots[number].is_under_way) {
        run_error(run, "request number %u is taken, or too large", number);
    }
    if (!is_started) {
        is_started = true;
        run_at_end(take_extra);
    }
    return io_uring_get_sqe(&ring);
}

static void submit(struct run *run, struct io_uring_sqe *sqe, unsigned number)
{
    int count;

    io_uring_sqe_set_data64(sqe, number);
    slots[number].is_under_way = true;
    count = io_uring_submit(&ring);
    if (count != 1) {
        run_error(run, "io_uring_enter: %s", strerror(-count));
    }
}

void async_write(struct run *run, unsigned number, int fd, const void *buffer,
                 size_t length, off_t offset)
{
    struct io_uring_sqe *sqe = prepare(run, number);

    io_uring_prep_write(sqe, fd, buffer, (unsigned)length, (uint64_t)offset);
    slots[number].is_write = true;
    slots[number].fd = fd;
    slots[number].buffer = buffer;
    slots[number].offset = offset;
    submit(run, sqe, number);
}

void async_read(struct run *run, unsigned number, int fd, void *buffer,
                size_t length, off_t offset)
{
    struct io_uring_sqe *sqe = prepare(run, number);

    io_uring_prep_read(sqe, fd, buffer, (unsigned)length, (uint64_t)offset);
    slots[number].is_write = false;
    submit(run, sqe, number);
}

void async_fsync(struct run *run, unsigned number, int fd)
{
    struct io_uring_sqe *sqe = prepare(run, number);

    io_uring_prep_fsync(sqe, fd, 0);
    slots[number].is_write = false;
    submit(run, sqe, number);
}

unsigned async_next(struct run *run, ssize_t *result)
{
    struct __kernel_timespec limit = { .tv_sec = LIMIT_S };
    struct io_uring_cqe *cqe;
    unsigned number;
    int error;

    do {
        error = io_uring_wait_cqe_timeout(&ring, &cqe, &limit);
    } while (error == -EINTR);
    if (error == -ETIME) {
        run_fail(run, "no completion after %d s", LIMIT_S);
    }
    if (error) {
        run_error(run, "io_uring_enter: %s", strerror(-error));
    }
    number = (unsigned)cqe->user_data;
    *result = cqe->res;
    io_uring_cqe_seen(&ring, cqe);
    if (!take(number)) {
        issue_extra("CQE", number, *result);
        return async_next(run, result);
    }
    if (slots[number].is_write) {
        issue_acknowledged(*result, slots[number].fd, slots[number].buffer,
                           slots[number].offset);
    }
    return number;
}

void async_must_finish(struct run *run, unsigned number, ssize_t wanted)
{
    ssize_t result;
    unsigned next = async_next(run, &result);

    if (next != number) {
        run_fail(run, "request %u completed (%zd), wanted request %u", next,
                 result, number);
    }
    if (result != wanted) {
        run_fail(run, "request %u completed with %zd (%s), wanted %zd", number,
                 result, result < 0 ? strerror((int)-result) : "no error",
                 wanted);
    }
}

void async_must_be_quiet(struct run *run)
{
    struct io_uring_cqe *cqe;

    if (is_started && io_uring_peek_cqe(&ring, &cqe) == 0) {
        run_fail(run, "request %u completed (%d), wanted none to",
                 (unsigned)cqe->user_data, cqe->res);
    }
}
