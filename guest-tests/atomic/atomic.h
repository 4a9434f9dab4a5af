/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * atomic.h: writes with RWF_ATOMIC, which are whole or not there at all.
 *
 *      drive     NAWUPF of the namespace           Identify, by passthrough
 *      kernel    queue/atomic_write_*, statx       6.11: block devices
 *      file      statx                             6.13, 6.16: XFS
 *
 * Asking ends the step with a skip where one of the three has no atomic writes,
 * and with a fail where they contradict each other.
 */
#ifndef ATOMIC_H
#define ATOMIC_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "../durability/durability.h"

/* Bytes; powers of two. */
struct atomic_limits {
    uint32_t unit_min;
    uint32_t unit_max;          /* that the drive itself keeps whole */
    uint32_t file_max;          /* and the file system by other means, too */
};

struct atomic_limits atomic_limits(struct run *run, const struct target *target,
                                   int fd);

/* pwritev2() with RWF_ATOMIC: bytes, or -errno. */
ssize_t atomic_write(int fd, const void *buffer, size_t length, off_t offset);

/*
 * claim_base() for a file whose blocks lie on the drive as they do in the file,
 * in steps of unit bytes: only then can a write go out in one piece.
 */
void atomic_base(struct claim *claim, const struct durable_file *file,
                 size_t unit);

#endif
