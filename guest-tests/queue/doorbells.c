/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How often the stock driver rings, as the drive counts it: reads through
 * kernel AIO, one system call each, a fixed number of them in flight.
 *
 * Without shadow doorbells every submission rings its tail (nvme_write_sq_db,
 * drivers/nvme/host/pci.c, 6.12: one io_submit is one last request) and every
 * batch of completions its head. With them a tail rings at most once per
 * submission, and a head once per lap of its queue (hw/nvme/shadow.c, S3, S5).
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/aio_abi.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "guest.h"
#include "target.h"

#define DEPTH_MAX 32
#define READS_PER_SLOT 128
/* STAT itself, and a head per lap. */
#define RINGS_BESIDE 16

struct reads {
    struct run *run;
    int fd;
    aio_context_t context;
    char *buffers;
    uint64_t issued;
};

static void issue(struct reads *reads, unsigned slot)
{
    struct iocb iocb = {
        .aio_lio_opcode = IOCB_CMD_PREAD,
        .aio_fildes = (uint32_t)reads->fd,
        .aio_data = slot,
        .aio_buf = (uintptr_t)(reads->buffers + slot * TARGET_BLOCK_BYTES),
        .aio_nbytes = TARGET_BLOCK_BYTES,
        .aio_offset = (int64_t)(reads->issued % 1024) * TARGET_BLOCK_BYTES,
    };
    struct iocb *list[1] = { &iocb };

    if (syscall(SYS_io_submit, reads->context, 1L, list) != 1) {
        run_error(reads->run, "io_submit: %s", strerror(errno));
    }
    reads->issued++;
}

static void reap(struct reads *reads, struct io_event *event)
{
    long n;

    do {
        n = syscall(SYS_io_getevents, reads->context, 1L, 1L, event, NULL);
    } while (n < 0 && errno == EINTR);
    if (n != 1 || event->res != TARGET_BLOCK_BYTES) {
        run_error(reads->run, "read: %s",
                  strerror(n < 0 ? errno : (int)-event->res));
    }
}

static void run_reads(struct reads *reads, unsigned depth, uint64_t count)
{
    struct io_event event;
    unsigned slot;

    for (slot = 0; slot < depth; slot++) {
        issue(reads, slot);
    }
    while (reads->issued < count) {
        reap(reads, &event);
        issue(reads, (unsigned)event.data);
    }
    for (slot = 0; slot < depth; slot++) {
        reap(reads, &event);
    }
}

static struct lab_stat take_stat(struct run *run, const struct drive *drive)
{
    struct lab_stat stat;
    int error = drive_stat(drive, &stat);

    if (error) {
        run_error(run, "STAT on %s: %s", drive->node, strerror(-error));
    }
    return stat;
}

static void judge(struct run *run, unsigned depth, uint64_t reads,
                  uint64_t rings, uint64_t seen)
{
    run_note(run, "depth %u: %" PRIu64 " reads, %" PRIu64 " doorbell register "
             "writes, %" PRIu64 " shadow doorbells", depth, reads, rings, seen);
    if (!seen && rings < reads) {
        run_fail(run, "registers alone: %" PRIu64 " writes for %" PRIu64
                 " submissions", rings, reads);
    }
    if (seen && rings > reads + RINGS_BESIDE) {
        run_fail(run, "shadow doorbells: %" PRIu64 " register writes for %"
                 PRIu64 " submissions", rings, reads);
    }
    run_pass(run, "%s, depth %u: %.2f register writes per read",
             seen ? "shadow doorbells" : "registers", depth,
             (double)rings / (double)reads);
}

static void run_doorbells(struct run *run)
{
    unsigned depth = *(const unsigned *)run->guest_case->data;
    struct target target = target_get(run, TARGET_FRESH_OR_MOUNTED);
    struct reads reads = { .run = run };
    uint64_t count = (uint64_t)depth * READS_PER_SLOT;
    bool is_offered = drive_has_shadow_doorbells(&target.ns.drive);
    struct lab_stat before;
    struct lab_stat after;

    if (guest_has_no_drive()) {
        run_skip(run, "only the lab's drive counts its doorbells");
    }
    reads.fd = target_open(run, &target, "doorbells", O_RDONLY | O_DIRECT);
    reads.buffers = target_buffer(run, DEPTH_MAX * TARGET_BLOCK_BYTES);
    if (syscall(SYS_io_setup, DEPTH_MAX, &reads.context) < 0) {
        run_error(run, "io_setup: %s", strerror(errno));
    }
    target_settle(run, &target, -1);
    before = take_stat(run, &target.ns.drive);
    run_reads(&reads, depth, count);
    after = take_stat(run, &target.ns.drive);
    if (is_offered != (after.shadow_doorbells > before.shadow_doorbells)) {
        run_fail(run, "the drive %s shadow doorbells, the driver %s",
                 is_offered ? "offers" : "has no",
                 is_offered ? "does not use them" : "uses them");
    }
    judge(run, depth, count, after.doorbell_writes - before.doorbell_writes,
          after.shadow_doorbells - before.shadow_doorbells);
}

static const unsigned depths[] = { 1, 8, 32 };

#define DOORBELLS(index, word)                                              \
    GUEST_CASE(queue_doorbells_##word,                                      \
               .name = "queue.raw.doorbells-" #word,                        \
               .claim = "shadow doorbells spare register writes",           \
               .run = run_doorbells,                                        \
               .data = &depths[index])

DOORBELLS(0, qd1);
DOORBELLS(1, qd8);
DOORBELLS(2, qd32);
