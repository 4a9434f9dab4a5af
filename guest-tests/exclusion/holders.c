/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The writes that are parked.
 *
 * sync: pwrite(); the task keeps the locks of the write until it completes.
 * aio: io_submit(), then io_getevents(): what the write holds is what it keeps
 * when it has been submitted. Kernel AIO by its system calls: it never hands a
 * write to another task, and nothing but this group must look at the page
 * cache meanwhile (never_page.h would).
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "exclusion.h"

const struct holder exclusion_holders[] = {
    { .name = "overwrite", .is_on_raw = true },
    { .name = "overwrite-aio", .how = HOW_AIO, .is_on_raw = true },
    { .name = "extend", .is_extending = true },
    { .name = "extend-aio", .how = HOW_AIO, .is_extending = true },
    { .name = "unwritten", .is_unwritten = true },
    { .name = "unwritten-aio", .how = HOW_AIO, .is_unwritten = true },
    { .name = "sector", .is_sector = true },
    { .name = "sector-unwritten", .is_sector = true, .is_unwritten = true },
    { .name = "writeback", .how = HOW_WRITEBACK, .is_on_raw = true },
    { .name = "aborted", .is_aborted = true, .is_on_raw = true },
    { .name = "aborted-aio", .how = HOW_AIO, .is_aborted = true,
      .is_on_raw = true },
    { .name = "failed", .is_aborted = true, .is_over = true,
      .is_on_raw = true },
    { .name = "failed-aio", .how = HOW_AIO, .is_aborted = true,
      .is_over = true, .is_on_raw = true },
};

const size_t exclusion_holder_count =
    sizeof(exclusion_holders) / sizeof(exclusion_holders[0]);

size_t pair_hold_bytes(const struct pair *pair)
{
    return pair->holder->is_sector ? SECTOR_BYTES : TARGET_BLOCK_BYTES;
}

off_t pair_hold_offset(const struct pair *pair)
{
    return pair_offset(pair, pair->block) +
           (pair->holder->is_sector ? HOLDER_SECTOR * SECTOR_BYTES : 0);
}

static ssize_t write_aio(int fd, const void *buffer, size_t length,
                         off_t offset)
{
    struct iocb iocb = {
        .aio_lio_opcode = IOCB_CMD_PWRITE,
        .aio_fildes = (uint32_t)fd,
        .aio_buf = (uintptr_t)buffer,
        .aio_nbytes = length,
        .aio_offset = offset,
    };
    struct iocb *list[1] = { &iocb };
    struct io_event event;
    aio_context_t context = 0;

    if (syscall(SYS_io_setup, 1, &context) < 0 ||
        syscall(SYS_io_submit, context, 1L, list) < 0 ||
        syscall(SYS_io_getevents, context, 1L, 1L, &event, NULL) != 1) {
        return -errno;
    }
    return (ssize_t)event.res;
}

static ssize_t write_back(const struct pair *pair)
{
    int error = sync_file_range(pair->cached, pair_offset(pair, pair->block),
                                TARGET_BLOCK_BYTES,
                                SYNC_FILE_RANGE_WAIT_BEFORE |
                                SYNC_FILE_RANGE_WRITE |
                                SYNC_FILE_RANGE_WAIT_AFTER);

    return error < 0 ? -errno : TARGET_BLOCK_BYTES;
}

ssize_t pair_hold(void *opaque)
{
    const struct pair *pair = opaque;
    int sector = pair->holder->is_sector ? HOLDER_SECTOR : -1;
    char *buffer = target_buffer(pair->run, TARGET_BLOCK_BYTES);
    size_t length = pair_hold_bytes(pair);
    ssize_t n;

    pair_fill(pair, buffer, pair->block, sector, NEWER);
    buffer += sector < 0 ? 0 : sector * SECTOR_BYTES;
    switch (pair->holder->how) {
    case HOW_WRITEBACK:
        return write_back(pair);
    case HOW_AIO:
        return write_aio(pair->direct, buffer, length, pair_hold_offset(pair));
    case HOW_SYNC:
        break;
    }
    n = pwrite(pair->direct, buffer, length, pair_hold_offset(pair));
    return n < 0 ? -errno : n;
}
