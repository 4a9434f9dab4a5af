/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A request that completes twice: once by watching the function behind the
 * completion as if it were one more completion, and once for real, with a
 * request that may post a CQE now and another one later.
 */
#include <liburing.h>
#include <linux/aio_abi.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "guest.h"
#include "issue.h"
#include "mistake.h"
#include "target.h"

#define OF_NOBODY 1000          /* the number of a request */

static void run_mistaken(struct run *run, const char *watched,
                         const char *function, const struct issuer *issuer)
{
    mistake_make(run, watched, function);
    mistake_read(run, issuer, mistake_open_raw(run));
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
    int fd = mistake_open_raw(run);

    mistake_read(run, &issuer_io_uring, fd);
    sqe = io_uring_get_sqe(issue_ring());
    io_uring_prep_poll_multishot(sqe, event_fd, POLLIN);
    io_uring_sqe_set_data64(sqe, OF_NOBODY);
    if (io_uring_submit(issue_ring()) != 1 ||
        write(event_fd, &one, sizeof(one)) < 0) {
        run_error(run, "no multishot poll");
    }
    mistake_read(run, &issuer_io_uring, fd);
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
    int fd = mistake_open_raw(run);

    mistake_read(run, &issuer_libaio, fd);
    iocb.aio_fildes = (uint32_t)fd;
    if (syscall(SYS_io_submit, issue_aio_context(), 1L, list) != 1) {
        run_error(run, "no second request");
    }
    mistake_read(run, &issuer_libaio, fd);
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
