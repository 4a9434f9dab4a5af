/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * holds.h: the scene of a race: a file of its own (on the bare namespace: a
 * range) with 16 blocks of 4096 bytes in the older generation, settled, and a
 * descriptor for direct I/O. The races write blocks in the newer one.
 */
#ifndef HOLDS_H
#define HOLDS_H

#include "async.h"
#include "guest.h"
#include "hold.h"
#include "target.h"
#include "task.h"

#define SCENE_BLOCKS 16
#define SCENE_BYTES (SCENE_BLOCKS * TARGET_BLOCK_BYTES)

enum scene_generation { OLDER = 1, NEWER = 2 };

struct scene {
    struct run *run;
    struct target target;
    int fd;                     /* direct */
    off_t start;                /* of block 0, in the descriptor's offsets */
};

struct scene scene_open(struct run *run);
/* One more descriptor of the same file. */
int scene_open_again(const struct scene *scene, int flags);
off_t scene_offset(const struct scene *scene, unsigned block);
/* Byte address on the namespace. */
off_t scene_address(const struct scene *scene, unsigned block);

/* Flush and FUA go to the drive only if it has a cache: skips if not. */
void scene_need_vwc(const struct scene *scene);

/* A rule for the write of one block. */
struct lab_hold scene_write_rule(const struct scene *scene,
                                 enum lab_hold_stage stage, unsigned block);
struct hold scene_hold(const struct scene *scene, const char *name,
                       struct lab_hold rule);

/* The block in the newer generation, as async request number BLOCK. */
void scene_write(const struct scene *scene, int fd, unsigned block);
void scene_must_have_written(const struct scene *scene, unsigned block);
/* The same of whichever block completes next. */
void scene_must_have_written_one(const struct scene *scene);

/* Fails unless the block reads so through the descriptor. */
void scene_must_read(const struct scene *scene, int fd, unsigned block,
                     enum scene_generation generation, const char *how);
void scene_must_read_zeros(const struct scene *scene, int fd, unsigned block);
/* The same of bytes that are there already, such as a mapping. */
void scene_must_be(const struct scene *scene, const void *bytes,
                   unsigned block, enum scene_generation generation,
                   const char *how);
void scene_must_be_zeros(const struct scene *scene, const void *bytes,
                         unsigned block);

struct lab_stat scene_stat(const struct scene *scene);

/* Task bodies; opaque is the scene. */
ssize_t scene_fdatasync(void *opaque);
ssize_t scene_reset(void *opaque);

#endif
