/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A request that completes twice: once by watching the function behind the
 * completion as if it were one more completion, and once for real, with a
 * request that may post a CQE now and another one later.
 */
#include <fcntl.h>
#include <liburing.h>
#include <linux/aio_abi.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "guest.h"
#include "issue.h"
#include "never.h"
#include "target.h"

#define OF_NOBODY 1000          /* the number of a request */

static int open_raw(struct run *run)
{
    struct target target = target_get(run, TARGET_FRESH_OR_MOUNTED);

    return target_open(run, &target, "", O_RDWR | O_DIRECT);
}

static void read_through(struct run *run, const struct issuer *issuer, int fd)
{
    int error = issuer->start();
    ssize_t n;

    if (error) {
        run_error(run, "%s: %s", issuer->name, strerror(-error));
    }
    n = issuer->read(fd, target_buffer(run, TARGET_BLOCK_BYTES),
                     TARGET_BLOCK_BYTES, 0);
    if (n != TARGET_BLOCK_BYTES) {
        run_error(run, "read through %s: %zd", issuer->name, n);
    }
}

static void run_mistaken(struct run *run, const char *watched,
                         const char *function, const struct issuer *issuer)
{
    int fd = open_raw(run);
    int error = never_mistake(watched, function);

    if (error) {
        run_error(run, "%s watched as %s: %s", function, watched,
                  strerror(-error));
    }
    read_through(run, issuer, fd);
    run_pass(run, "the case saw nothing wrong");
}

static void run_cqe(struct run *run)
{
    run_mistaken(run, "io_uring_complete", "io_req_rw_complete",
                 &issuer_io_uring);
}

static void run_io_event(struct run *run)
{
    run_mistaken(run, "aio_complete_rw", "aio_complete_rw", &issuer_libaio);
}

/* A poll that goes on: it posts a CQE each time that the eventfd is written. */
static void run_extra_cqe(struct run *run)
{
    int event_fd = eventfd(0, 0);
    struct io_uring_sqe *sqe;
    uint64_t one = 1;
    int fd = open_raw(run);

    read_through(run, &issuer_io_uring, fd);
    sqe = io_uring_get_sqe(issue_ring());
    io_uring_prep_poll_multishot(sqe, event_fd, POLLIN);
    io_uring_sqe_set_data64(sqe, OF_NOBODY);
    if (io_uring_submit(issue_ring()) != 1 ||
        write(event_fd, &one, sizeof(one)) < 0) {
        run_error(run, "no multishot poll");
    }
    read_through(run, &issuer_io_uring, fd);
    if (write(event_fd, &one, sizeof(one)) < 0) {
        run_error(run, "no second event");
    }
    run_pass(run, "the case saw nothing wrong");
}

static void run_extra_io_event(struct run *run)
{
    void *buffer = target_buffer(run, TARGET_BLOCK_BYTES);
    struct iocb iocb = {
        .aio_data = OF_NOBODY, .aio_lio_opcode = IOCB_CMD_PREAD,
        .aio_buf = (uintptr_t)buffer, .aio_nbytes = TARGET_BLOCK_BYTES,
    };
    struct iocb *list[1] = { &iocb };
    int fd = open_raw(run);

    read_through(run, &issuer_libaio, fd);
    iocb.aio_fildes = (uint32_t)fd;
    if (syscall(SYS_io_submit, issue_aio_context(), 1L, list) != 1) {
        run_error(run, "no second request");
    }
    read_through(run, &issuer_libaio, fd);
    run_pass(run, "the case saw nothing wrong");
}

GUEST_CASE(never_cqe,
           .name = "meta.raw.never-second-cqe",
           .claim = "two completions of one io_uring request fail the case",
           .run = run_cqe);
GUEST_CASE(never_io_event,
           .name = "meta.raw.never-second-io-event",
           .claim = "two completions of one AIO request fail the case",
           .run = run_io_event);
GUEST_CASE(never_extra_cqe,
           .name = "meta.raw.never-extra-cqe",
           .claim = "a CQE that nobody waits for fails the case",
           .run = run_extra_cqe);
GUEST_CASE(never_extra_io_event,
           .name = "meta.raw.never-extra-io-event",
           .claim = "an io_event that nobody waits for fails the case",
           .run = run_extra_io_event);
