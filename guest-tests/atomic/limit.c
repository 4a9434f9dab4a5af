/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the drive says it keeps whole is what the kernel offers, a write of that
 * size is one command, and a larger one is refused instead of cut in two:
 * blk_validate_atomic_write_op_size() (block/blk-core.c, 6.12) for block
 * devices, xfs_file_write_iter() (fs/xfs/xfs_file.c, 6.16) for files.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "atomic.h"

static const struct durable_file file = { "atomic-limit", 8 };

static uint64_t writes_seen(struct claim *claim)
{
    struct lab_stat stat = { 0 };
    int error = guest_has_no_drive() ? 0
                                     : drive_stat(&claim->target.ns.drive,
                                                  &stat);

    if (error) {
        run_error(claim->run, "STAT on %s: %s", claim->target.ns.drive.node,
                  strerror(-error));
    }
    return stat.writes;
}

static void expect_one_command(struct claim *claim, int fd, const void *buffer,
                               size_t length)
{
    uint64_t before = writes_seen(claim);
    ssize_t n = atomic_write(fd, buffer, length, claim_start(claim, &file));
    uint64_t commands = writes_seen(claim) - before;

    if (n != (ssize_t)length) {
        run_fail(claim->run, "atomic write of %zu bytes: %s", length,
                 n < 0 ? strerror((int)-n) : "short");
    }
    if (commands != 1 && !guest_has_no_drive()) {
        run_fail(claim->run, "an atomic write of %zu bytes became %" PRIu64
                 " Write commands", length, commands);
    }
}

static void expect_refused(struct claim *claim, int fd, const void *buffer,
                           size_t length, off_t at, const char *why)
{
    uint64_t before = writes_seen(claim);
    ssize_t n = atomic_write(fd, buffer, length,
                             claim_start(claim, &file) + at);

    if (n != -EINVAL) {
        run_fail(claim->run, "atomic write of %zu bytes at %jd (%s): %s, "
                 "wanted EINVAL", length, (intmax_t)at, why,
                 n < 0 ? strerror((int)-n) : "written");
    }
    if (writes_seen(claim) != before) {
        run_fail(claim->run, "atomic write of %zu bytes at %jd (%s) was "
                 "refused, yet the drive saw a Write", length, (intmax_t)at,
                 why);
    }
}

static void run_limit(struct run *run)
{
    struct claim claim = claim_open(run, TARGET_FRESH_OR_MOUNTED);
    int fd = claim_open_file(&claim, &file, O_CREAT | O_DIRECT);
    struct atomic_limits limits = atomic_limits(run, &claim.target, fd);
    void *buffer;

    close(fd);
    atomic_base(&claim, &file, limits.unit_max);
    fd = claim_open_file(&claim, &file, O_DIRECT);
    buffer = target_buffer(run, (size_t)limits.file_max * 2);
    expect_one_command(&claim, fd, buffer, limits.unit_max);
    expect_refused(&claim, fd, buffer, (size_t)limits.file_max * 2, 0,
                   "too large");
    expect_refused(&claim, fd, buffer, limits.unit_max, limits.unit_max / 2,
                   "not aligned to its length");
    expect_refused(&claim, fd, buffer, limits.unit_min * 3, 0,
                   "not a power of two");
    run_pass(run, "%" PRIu32 " to %" PRIu32 " bytes, one Write up to %" PRIu32,
             limits.unit_min, limits.file_max, limits.unit_max);
}

#define ATOMIC_LIMIT(target)                                            \
    GUEST_CASE(target##_limit,                                          \
               .name = "atomic." #target ".limit",                      \
               .claim = "the drive's atomic unit is the kernel's, in one " \
                        "Write",                                        \
               .run = run_limit)

ATOMIC_LIMIT(raw);
ATOMIC_LIMIT(xfs);
