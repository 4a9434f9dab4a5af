/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * target.h: where a case works: a namespace bare, or with a file system.
 *
 *   raw   namespace 1, the block device itself
 *   xfs   namespace 2, mounted on /mnt/xfs
 *   ext4  namespace 3, mounted on /mnt/ext4
 *
 * Everything here ends the step with an error when it fails, except where a
 * function says that the failure is the verdict.
 */
#ifndef TARGET_H
#define TARGET_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "drive.h"
#include "guest.h"

#define TARGET_BLOCK_BYTES 4096 /* of every I/O and of both file systems */

struct target_type {
    const char *name;
    uint32_t nsid;
    const char *mount_point;    /* NULL: raw */
    const char *fs;
    const char *mount_options;
    const char *const *mkfs;    /* argv without the device, NULL-terminated */
};

#define TARGET_TYPE_COUNT 3
extern const struct target_type target_types[TARGET_TYPE_COUNT];

struct target {
    const struct target_type *type;
    struct drive_ns ns;
};

enum target_state {
    TARGET_FRESH_OR_MOUNTED,    /* mkfs and mount unless this boot mounted it */
    TARGET_MOUNTED,             /* must be mounted already */
    TARGET_AS_LEFT,             /* mount what is there; failing is a fail */
};

/* The target that the second word of the case's name says. */
struct target target_get(struct run *run, enum target_state state);
const struct target_type *target_type_find(const char *name, size_t length);

/* PATH below the mount point; ignored on raw. -errno: it does not open. */
int target_try_open(const struct target *target, const char *path, int flags);
int target_open(struct run *run, const struct target *target,
                const char *path, int flags);
void target_remove(struct run *run, const struct target *target,
                   const char *path);

/* Files of a mounted target. */
void target_rename(struct run *run, const struct target *target,
                   const char *from, const char *to);

/*
 * Nothing of this target is left to be written, and nothing is without a
 * promise: fsync the file and syncfs (fd < 0: sync), Flush the namespace, and
 * wait until the drive has seen no write for 10 ms.
 */
void target_settle(struct run *run, const struct target *target, int fd);

void target_mark(struct run *run, const struct target *target,
                 enum lab_mark_kind kind);

/* Byte address on the namespace; -1: no single extent has all of it. */
off_t target_address(const struct target *target, int fd, off_t offset,
                     size_t length);

/*
 * A note with the logical blocks that hold these bytes, for the judge:
 * "range nsid=2 slba=2048 blocks=8". FIEMAP does not touch the drive here.
 */
void target_note_range(struct run *run, const struct target *target, int fd,
                       off_t offset, size_t length);

/* Aligned for direct I/O; never freed: the step's process ends soon. */
void *target_buffer(struct run *run, size_t length);

/* Whole or an error. */
void target_write(struct run *run, int fd, const void *buffer, size_t length,
                  off_t offset);
/* Whole, or bytes read before the end of the file. */
size_t target_read(struct run *run, int fd, void *buffer, size_t length,
                   off_t offset);

#endif
