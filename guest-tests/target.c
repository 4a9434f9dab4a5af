/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Targets: files, settling, marks. Making and mounting is in fs.c.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "fs.h"
#include "never_page.h"
#include "target.h"

#define NS_TIMEOUT_MS 5000
#define QUIET_MS 10
#define QUIET_TIMEOUT_MS 5000

static const char *const mkfs_xfs[] = { "/sbin/mkfs.xfs", "-f", "-q", "-K",
                                        NULL };
/* Nothing left for lazy initialisation to write behind the case's back. */
static const char *const mkfs_ext4[] = {
    "/sbin/mke2fs", "-F", "-q", "-t", "ext4", "-b", "4096", "-N", "4096",
    "-E", "lazy_itable_init=0,lazy_journal_init=0,nodiscard", NULL
};

const struct target_type target_types[TARGET_TYPE_COUNT] = {
    { .name = "raw", .nsid = 1 },
    {
        .name = "xfs", .nsid = 2, .mount_point = "/mnt/xfs", .fs = "xfs",
        .mount_options = "", .mkfs = mkfs_xfs,
    },
    {
        .name = "ext4", .nsid = 3, .mount_point = "/mnt/ext4", .fs = "ext4",
        .mount_options = "commit=600", .mkfs = mkfs_ext4,
    },
};

const struct target_type *target_type_find(const char *name, size_t length)
{
    for (size_t i = 0; i < TARGET_TYPE_COUNT; i++) {
        if (strlen(target_types[i].name) == length &&
            memcmp(target_types[i].name, name, length) == 0) {
            return &target_types[i];
        }
    }
    return NULL;
}

struct target target_get(struct run *run, enum target_state state)
{
    const char *serial = run_parameter(run, "drive", DRIVE_SERIAL_DEFAULT);
    const char *word = strchr(run->guest_case->name, '.') + 1;
    struct target target = {
        .type = target_type_find(word, strcspn(word, ".")),
    };

    if (!target.type) {
        run_error(run, "no target in the name %s", run->guest_case->name);
    }
    if (drive_find_ns(serial, target.type->nsid, NS_TIMEOUT_MS,
                      &target.ns) < 0) {
        run_error(run, "no namespace %" PRIu32 " on a drive with serial %s",
                  target.type->nsid, serial);
    }
    if (target.type->mount_point) {
        fs_get(run, &target, state);
    }
    return target;
}

static void make_path(char *full, size_t size, const struct target *target,
                      const char *path)
{
    if (target->type->mount_point) {
        snprintf(full, size, "%s/%s", target->type->mount_point, path);
    } else {
        snprintf(full, size, "%s", target->ns.node);
    }
}

int target_try_open(const struct target *target, const char *path, int flags)
{
    char full[256];
    int fd;

    make_path(full, sizeof(full), target, path);
    if (!target->type->mount_point) {
        flags &= ~(O_CREAT | O_EXCL);
    }
    fd = open(full, flags | O_CLOEXEC, 0600);
    return fd < 0 ? -errno : fd;
}

int target_open(struct run *run, const struct target *target,
                const char *path, int flags)
{
    int fd = target_try_open(target, path, flags);

    if (fd < 0) {
        run_error(run, "open %s on %s: %s", path, target->type->name,
                  strerror(-fd));
    }
    return fd;
}

void target_remove(struct run *run, const struct target *target,
                   const char *path)
{
    char full[256];

    if (!target->type->mount_point) {
        return;
    }
    make_path(full, sizeof(full), target, path);
    if (unlink(full) < 0 && errno != ENOENT) {
        run_error(run, "unlink %s: %s", full, strerror(errno));
    }
}

void target_rename(struct run *run, const struct target *target,
                   const char *from, const char *to)
{
    char full_from[256];
    char full_to[256];

    make_path(full_from, sizeof(full_from), target, from);
    make_path(full_to, sizeof(full_to), target, to);
    if (rename(full_from, full_to) < 0) {
        run_error(run, "rename %s to %s: %s", full_from, full_to,
                  strerror(errno));
    }
}

/* blkdev_fsync() (block/fops.c, 6.12) sends a Flush whatever was written. */
static void flush_ns(struct run *run, const struct target *target)
{
    int fd = open(target->ns.node, O_RDONLY | O_CLOEXEC);

    if (fd < 0 || fsync(fd) < 0) {
        run_error(run, "fsync %s: %s", target->ns.node, strerror(errno));
    }
    close(fd);
}

/* Any number that stands still while the drive is quiet. */
static uint64_t activity(struct run *run, const struct target *target)
{
    struct drive_block_stat block_stat;
    struct lab_stat stat;
    int error;

    error = drive_block_stat(&target->ns, &block_stat);
    if (error) {
        run_error(run, "/sys/block/%s/stat: %s", target->ns.name,
                  strerror(-error));
    }
    if (block_stat.in_flight > 0) {
        return guest_clock_ns();
    }
    if (guest_has_no_drive()) {
        return block_stat.writes + block_stat.flushes;
    }
    error = drive_stat(&target->ns.drive, &stat);
    if (error) {
        run_error(run, "STAT on %s: %s", target->ns.drive.node,
                  strerror(-error));
    }
    return stat.writes + stat.flushes;
}

/* fsync of the bare device is its Flush; syncfs leaves that to us. */
static void sync_target(struct run *run, const struct target *target, int fd)
{
    if (fd < 0) {
        sync();
    } else if (fsync(fd) < 0) {
        run_error(run, "fsync: %s", strerror(errno));
    } else if (!target->type->mount_point) {
        return;
    } else if (syncfs(fd) < 0) {
        run_error(run, "syncfs %s: %s", target->type->mount_point,
                  strerror(errno));
    }
    flush_ns(run, target);
}

void target_settle(struct run *run, const struct target *target, int fd)
{
    uint64_t before;
    uint64_t after;

    sync_target(run, target, fd);
    after = activity(run, target);
    for (unsigned ms = 0; ms < QUIET_TIMEOUT_MS; ms += QUIET_MS) {
        before = after;
        usleep(QUIET_MS * 1000);
        after = activity(run, target);
        if (before == after) {
            return;
        }
    }
    run_error(run, "%s is still being written to after %d ms",
              target->ns.node, QUIET_TIMEOUT_MS);
}

void target_mark(struct run *run, const struct target *target,
                 enum lab_mark_kind kind)
{
    static const char *const names[] = { "NOTE", "BEGIN", "ACK", "END" };
    char line[128];
    int error = 0;

    if (kind == LAB_MARK_BEGIN) {
        never_page_hold(true);
    }
    if (guest_has_no_drive()) {
        snprintf(line, sizeof(line), "%s %s", names[kind],
                 run->guest_case->name);
        guest_log(line);
    } else {
        error = drive_mark(&target->ns.drive, kind, run->mark_id,
                           run->guest_case->name);
    }
    if (error) {
        run_error(run, "MARK %s on %s: %s", names[kind],
                  target->ns.drive.node, strerror(-error));
    }
    if (kind == LAB_MARK_END) {
        never_page_hold(false);
    }
}

static off_t disk_address(int fd, off_t offset, size_t length)
{
    union {
        struct fiemap map;
        char room[sizeof(struct fiemap) + sizeof(struct fiemap_extent)];
    } request = { .map = {
        .fm_start = (uint64_t)offset,
        .fm_length = length,
        .fm_extent_count = 1,
    } };
    const struct fiemap_extent *extent = request.map.fm_extents;

    if (ioctl(fd, FS_IOC_FIEMAP, &request.map) < 0 ||
        request.map.fm_mapped_extents < 1 ||
        (extent->fe_flags & FIEMAP_EXTENT_UNKNOWN) ||
        extent->fe_logical > (uint64_t)offset ||
        extent->fe_logical + extent->fe_length < (uint64_t)offset + length) {
        return -1;
    }
    return (off_t)(extent->fe_physical + (uint64_t)offset -
                   extent->fe_logical);
}

off_t target_address(const struct target *target, int fd, off_t offset,
                     size_t length)
{
    return target->type->mount_point ? disk_address(fd, offset, length)
                                     : offset;
}

void target_note_range(struct run *run, const struct target *target, int fd,
                       off_t offset, size_t length)
{
    const uint32_t block_size = target->ns.block_size_bytes;
    off_t address = target_address(target, fd, offset, length);

    if (address < 0) {
        run_error(run, "offset %jd of the file has no single extent",
                  (intmax_t)offset);
    }
    run_note(run, "range nsid=%" PRIu32 " slba=%jd blocks=%zu",
             target->ns.nsid, (intmax_t)(address / block_size),
             length / block_size);
}

void *target_buffer(struct run *run, size_t length)
{
    void *buffer;

    if (posix_memalign(&buffer, TARGET_BLOCK_BYTES, length) != 0) {
        run_error(run, "no memory for %zu bytes", length);
    }
    memset(buffer, 0, length);
    return buffer;
}

void target_write(struct run *run, int fd, const void *buffer, size_t length,
                  off_t offset)
{
    ssize_t n = pwrite(fd, buffer, length, offset);

    if (n != (ssize_t)length) {
        run_error(run, "write of %zu bytes at %jd: %s", length,
                  (intmax_t)offset, n < 0 ? strerror(errno) : "short");
    }
    never_page_written(fd, buffer, length, offset);
}

size_t target_read(struct run *run, int fd, void *buffer, size_t length,
                   off_t offset)
{
    ssize_t n = pread(fd, buffer, length, offset);

    if (n < 0) {
        run_fail(run, "read of %zu bytes at %jd: %s", length,
                 (intmax_t)offset, strerror(errno));
    }
    return (size_t)n;
}
