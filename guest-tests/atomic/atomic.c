/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What atomic cases share; see atomic.h. */
#include "atomic.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

/* include/uapi/linux/fs.h and stat.h, 6.11; older C libraries lack them. */
#define ATOMIC_RWF 0x00000040
#define ATOMIC_STATX 0x00010000u
#define ATOMIC_STATX_BYTES 256
#define ATOMIC_STATX_UNIT_MIN 0xa8
#define ATOMIC_STATX_UNIT_MAX 0xac
#define ATOMIC_STATX_UNIT_MAX_OPT 0xb8  /* 6.16 */

#define ALIGN_TRIES 16

/* -- Limits --------------------------------------------------------------- */

static uint32_t power_of_two_below(uint32_t bytes)
{
    uint32_t power = 1;

    while (power <= bytes / 2) {
        power *= 2;
    }
    return power;
}

static struct drive_atomic ask_drive(struct run *run,
                                     const struct target *target)
{
    struct drive_atomic said;
    int error = drive_atomic(&target->ns, &said);

    if (error) {
        run_error(run, "Identify Namespace %" PRIu32 " on %s: %s",
                  target->ns.nsid, target->ns.drive.node, strerror(-error));
    }
    if (said.unit_bytes <= target->ns.block_size_bytes) {
        run_skip(run, "namespace %" PRIu32 " claims no atomic unit (NAWUPF)",
                 target->ns.nsid);
    }
    return said;
}

static uint64_t ask_queue(struct run *run, const struct target *target,
                          const char *attribute)
{
    uint64_t value;

    if (!drive_queue_number(&target->ns, attribute, &value)) {
        run_skip(run, "this kernel has no atomic writes: no queue/%s",
                 attribute);
    }
    return value;
}

/*
 * nvme_update_atomic_write_disk_info() (drivers/nvme/host/core.c, 6.12) takes
 * NAWUPF and NABSPF, blk_atomic_writes_update_limits() (block/blk-settings.c)
 * rounds the unit down to a power of two.
 */
static uint32_t check_queue(struct run *run, const struct target *target)
{
    struct drive_atomic said = ask_drive(run, target);
    uint64_t unit = ask_queue(run, target, "atomic_write_unit_max_bytes");
    uint64_t boundary = ask_queue(run, target, "atomic_write_boundary_bytes");

    if (unit != power_of_two_below(said.unit_bytes)) {
        run_fail(run, "queue/atomic_write_unit_max_bytes is %" PRIu64
                 ", but NAWUPF says %" PRIu32 " bytes", unit, said.unit_bytes);
    }
    if (boundary != said.boundary_bytes) {
        run_fail(run, "queue/atomic_write_boundary_bytes is %" PRIu64
                 ", but NABSPF says %" PRIu32 " bytes", boundary,
                 said.boundary_bytes);
    }
    return (uint32_t)unit;
}

static uint32_t word_at(const unsigned char *bytes, size_t offset)
{
    uint32_t word;

    memcpy(&word, bytes + offset, sizeof(word));
    return word;
}

/*
 * unit_max becomes what the file leaves to the drive. XFS says that beside its
 * own maximum, and 0 if that is a single block (xfs_get_atomic_write_max_opt,
 * fs/xfs/xfs_iops.c, 6.16).
 */
static struct atomic_limits ask_file(struct run *run, int fd, bool is_raw)
{
    struct atomic_limits limits;
    unsigned char answer[ATOMIC_STATX_BYTES] = { 0 };

    if (syscall(SYS_statx, fd, "", AT_EMPTY_PATH, ATOMIC_STATX, answer) < 0) {
        run_error(run, "statx: %s", strerror(errno));
    }
    limits.unit_min = word_at(answer, ATOMIC_STATX_UNIT_MIN);
    limits.file_max = word_at(answer, ATOMIC_STATX_UNIT_MAX);
    limits.unit_max = is_raw ? 0 : word_at(answer, ATOMIC_STATX_UNIT_MAX_OPT);
    if (!limits.unit_max) {
        limits.unit_max = limits.file_max;
    }
    return limits;
}

/* XFS before 6.16 takes single blocks only, a block device the queue's unit
 * (bdev_statx, block/bdev.c, 6.12). */
static uint32_t wanted_max(const struct atomic_limits *limits, bool is_raw,
                           uint32_t queue_max)
{
    return !is_raw && limits->file_max == TARGET_BLOCK_BYTES
        ? TARGET_BLOCK_BYTES : queue_max;
}

struct atomic_limits atomic_limits(struct run *run, const struct target *target,
                                   int fd)
{
    bool is_raw = !target->type->mount_point;
    uint32_t smallest = is_raw ? target->ns.block_size_bytes
                               : TARGET_BLOCK_BYTES;
    uint32_t queue_max = check_queue(run, target);
    struct atomic_limits limits = ask_file(run, fd, is_raw);
    uint32_t largest = wanted_max(&limits, is_raw, queue_max);

    if (!is_raw && !limits.file_max) {
        run_skip(run, "%s of this kernel has no atomic writes: statx says 0",
                 target->type->name);
    }
    if (limits.unit_min != smallest || limits.unit_max != largest) {
        run_fail(run, "statx says %" PRIu32 " to %" PRIu32 " bytes by the "
                 "drive; wanted %" PRIu32 " to %" PRIu32, limits.unit_min,
                 limits.unit_max, smallest, largest);
    }
    return limits;
}

/* -- Writing -------------------------------------------------------------- */

ssize_t atomic_write(int fd, const void *buffer, size_t length, off_t offset)
{
    struct iovec iov = { (void *)buffer, length };
    ssize_t n = pwritev2(fd, &iov, 1, offset, ATOMIC_RWF);

    return n < 0 ? -errno : n;
}

/* -- Where a file lies ---------------------------------------------------- */

static bool is_aligned(struct claim *claim, int fd, size_t unit)
{
    off_t address = target_address(&claim->target, fd, 0, DURABLE_BYTES);

    return address >= 0 && address % (off_t)unit == 0;
}

/* One block more than the file needs, so that the next one lies differently. */
static int allocate(struct claim *claim, const char *name)
{
    int fd = target_open(claim->run, &claim->target, name,
                         O_CREAT | O_RDWR | O_TRUNC);

    if (fallocate(fd, 0, 0, DURABLE_BYTES + TARGET_BLOCK_BYTES) < 0) {
        run_error(claim->run, "fallocate %s: %s", name, strerror(errno));
    }
    return fd;
}

static void take_aligned(struct claim *claim, const struct durable_file *file,
                         size_t unit)
{
    char name[64];
    bool is_found = false;

    for (unsigned i = 0; i < ALIGN_TRIES && !is_found; i++) {
        int fd;

        snprintf(name, sizeof(name), "%s.%u", file->name, i);
        fd = allocate(claim, name);
        is_found = is_aligned(claim, fd, unit);
        close(fd);
    }
    if (!is_found) {
        run_error(claim->run, "%s: none of %d files begins at a multiple of "
                  "%zu bytes", claim->target.type->name, ALIGN_TRIES, unit);
    }
    target_rename(claim->run, &claim->target, name, file->name);
    for (unsigned i = 0; i < ALIGN_TRIES; i++) {
        snprintf(name, sizeof(name), "%s.%u", file->name, i);
        target_remove(claim->run, &claim->target, name);
    }
}

void atomic_base(struct claim *claim, const struct durable_file *file,
                 size_t unit)
{
    if (claim->target.type->mount_point) {
        int fd = target_try_open(&claim->target, file->name, O_RDONLY);

        if (fd < 0 || !is_aligned(claim, fd, unit)) {
            take_aligned(claim, file, unit);
        }
        if (fd >= 0) {
            close(fd);
        }
    }
    claim_base(claim, file);
}
