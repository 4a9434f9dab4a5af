/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The operations that are tried beside a parked write.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "exclusion.h"

#define BLOCKS(n) ((off_t)(n) * TARGET_BLOCK_BYTES)

static ssize_t outcome(ssize_t result)
{
    return result < 0 ? -errno : result;
}

static ssize_t write_at(const struct pair *pair, int fd, unsigned block,
                        int sector)
{
    char *buffer = target_buffer(pair->run, TARGET_BLOCK_BYTES);
    off_t offset = pair_offset(pair, block);

    pair_fill(pair, buffer, block, sector, OTHER);
    if (sector < 0) {
        return outcome(pwrite(fd, buffer, TARGET_BLOCK_BYTES, offset));
    }
    return outcome(pwrite(fd, buffer + sector * SECTOR_BYTES, SECTOR_BYTES,
                          offset + sector * SECTOR_BYTES));
}

static ssize_t read_at(const struct pair *pair, int fd)
{
    return outcome(pread(fd, pair->seen, TARGET_BLOCK_BYTES,
                         pair_offset(pair, pair->block)));
}

static ssize_t buffered_read(const struct pair *pair)
{
    return read_at(pair, pair->cached);
}

static ssize_t direct_read(const struct pair *pair)
{
    return read_at(pair, pair->direct);
}

static ssize_t buffered_write(const struct pair *pair)
{
    return write_at(pair, pair->cached, pair->block, -1);
}

static ssize_t buffered_write_beside(const struct pair *pair)
{
    return write_at(pair, pair->cached, BESIDE, -1);
}

static ssize_t direct_write(const struct pair *pair)
{
    return write_at(pair, pair->direct, pair->block, -1);
}

static ssize_t direct_write_beside(const struct pair *pair)
{
    return write_at(pair, pair->direct, BESIDE, -1);
}

static ssize_t direct_write_sector(const struct pair *pair)
{
    return write_at(pair, pair->direct, pair->block, OTHER_SECTOR);
}

static ssize_t read_fault(const struct pair *pair)
{
    memcpy(pair->seen, pair->map, TARGET_BLOCK_BYTES);
    return TARGET_BLOCK_BYTES;
}

static ssize_t write_fault(const struct pair *pair)
{
    pair_fill(pair, pair->map, pair->block, -1, OTHER);
    return TARGET_BLOCK_BYTES;
}

static ssize_t truncate_down(const struct pair *pair)
{
    return outcome(ftruncate(pair->cached, BLOCKS(1)));
}

static ssize_t truncate_above(const struct pair *pair)
{
    return outcome(ftruncate(pair->cached, BLOCKS(8)));
}

static ssize_t truncate_up(const struct pair *pair)
{
    return outcome(ftruncate(pair->cached, BLOCKS(20)));
}

static ssize_t punch(const struct pair *pair)
{
    return outcome(fallocate(pair->cached,
                             FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                             pair_offset(pair, pair->block),
                             TARGET_BLOCK_BYTES));
}

static ssize_t allocate_inside(const struct pair *pair)
{
    return outcome(fallocate(pair->cached, 0, pair_offset(pair, BESIDE),
                             TARGET_BLOCK_BYTES));
}

static ssize_t allocate_behind(const struct pair *pair)
{
    return outcome(fallocate(pair->cached, 0, BLOCKS(20),
                             TARGET_BLOCK_BYTES));
}

static ssize_t clone_from(const struct pair *pair)
{
    return outcome(ioctl(pair->donor, FICLONE, pair->cached));
}

static ssize_t clone_into(const struct pair *pair)
{
    struct file_clone_range range = {
        .src_fd = pair->donor,
        .src_offset = (uint64_t)pair_offset(pair, pair->block),
        .src_length = TARGET_BLOCK_BYTES,
        .dest_offset = (uint64_t)pair_offset(pair, pair->block),
    };

    return outcome(ioctl(pair->cached, FICLONERANGE, &range));
}

static ssize_t sync_file(const struct pair *pair)
{
    return outcome(fsync(pair->cached));
}

#define WHOLE .result = TARGET_BLOCK_BYTES

const struct other exclusion_others[] = {
    { .name = "read", .call = buffered_read, .effect = EFFECT_READ, WHOLE,
      .is_on_raw = true, .is_after_failure = true },
    { .name = "write", .call = buffered_write, .effect = EFFECT_WRITE, WHOLE,
      .is_on_raw = true, .is_after_failure = true },
    { .name = "write-beside", .call = buffered_write_beside, WHOLE,
      .effect = EFFECT_WRITE_BESIDE, .is_on_raw = true },
    { .name = "dread", .call = direct_read, .effect = EFFECT_READ, WHOLE,
      .is_on_raw = true },
    { .name = "dwrite", .call = direct_write, .effect = EFFECT_WRITE, WHOLE,
      .is_on_raw = true, .is_after_failure = true },
    { .name = "dwrite-beside", .call = direct_write_beside, WHOLE,
      .effect = EFFECT_WRITE_BESIDE, .is_on_raw = true },
    { .name = "dwrite-sector", .call = direct_write_sector,
      .effect = EFFECT_WRITE_SECTOR, .result = SECTOR_BYTES,
      .is_on_raw = true },
    { .name = "read-fault", .call = read_fault, .effect = EFFECT_READ, WHOLE,
      .is_on_raw = true, .needs_inside = true },
    { .name = "write-fault", .call = write_fault, .effect = EFFECT_WRITE,
      WHOLE, .is_on_raw = true, .needs_inside = true },
    { .name = "truncate-down", .call = truncate_down, .size = BLOCKS(1),
      .is_after_failure = true },
    { .name = "truncate-above", .call = truncate_above, .size = BLOCKS(8),
      .needs_inside = true },
    { .name = "truncate-up", .call = truncate_up, .size = BLOCKS(20) },
    { .name = "punch", .call = punch, .effect = EFFECT_ZERO,
      .is_on_raw = true, .is_after_failure = true },
    { .name = "fallocate", .call = allocate_inside },
    { .name = "fallocate-extend", .call = allocate_behind,
      .size = BLOCKS(21), .is_after_failure = true },
    { .name = "reflink-from", .call = clone_from, .effect = EFFECT_CLONE,
      .needs_reflink = true },
    { .name = "reflink-into", .call = clone_into, .effect = EFFECT_WRITE,
      .needs_reflink = true },
    { .name = "fsync", .call = sync_file, .is_on_raw = true,
      .is_after_failure = true },
};

const size_t exclusion_other_count =
    sizeof(exclusion_others) / sizeof(exclusion_others[0]);
