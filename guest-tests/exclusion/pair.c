/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The file of a cell: before, and after.
 *
 * After it the block must be what one order of the two leaves, whole: if the
 * other operation has waited, or the holder had failed before, that is the
 * other one on top of the holder; if both ran at a time, either. Through the
 * page cache and past it the bytes must be the same.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "block.h"
#include "exclusion.h"

off_t pair_offset(const struct pair *pair, unsigned block)
{
    return pair->start + (off_t)block * TARGET_BLOCK_BYTES;
}

void pair_fill(const struct pair *pair, void *buffer, unsigned block,
               int sector, enum generation generation)
{
    uint64_t offset = (uint64_t)block * TARGET_BLOCK_BYTES;

    if (sector < 0) {
        block_fill(buffer, TARGET_BLOCK_BYTES, pair->id, offset, generation);
        return;
    }
    offset += (uint64_t)sector * SECTOR_BYTES;
    block_fill((char *)buffer + sector * SECTOR_BYTES, SECTOR_BYTES, pair->id,
               offset, generation);
}

/* --- before --------------------------------------------------------------- */

static void write_blocks(const struct pair *pair, int fd, unsigned block,
                         unsigned count, enum generation generation)
{
    size_t length = count * TARGET_BLOCK_BYTES;
    char *buffer = target_buffer(pair->run, length);

    for (unsigned i = 0; i < count; i++) {
        pair_fill(pair, buffer + i * TARGET_BLOCK_BYTES, block + i, -1,
                  generation);
    }
    target_write(pair->run, fd, buffer, length, pair_offset(pair, block));
    free(buffer);
}

static void lay_unwritten(const struct pair *pair)
{
    if (fallocate(pair->direct, 0, 0, FILE_BYTES) < 0) {
        run_error(pair->run, "fallocate: %s", strerror(errno));
    }
    write_blocks(pair, pair->direct, 0, INSIDE, OLDER);
    write_blocks(pair, pair->direct, INSIDE + 1, FILE_BLOCKS - INSIDE - 1,
                 OLDER);
}

static int open_fresh(const struct pair *pair, const char *name)
{
    target_remove(pair->run, &pair->target, name);
    return target_open(pair->run, &pair->target, name,
                       O_CREAT | O_RDWR | O_DIRECT);
}

/* What reflink-into takes its block from, and reflink-from fills. */
static int lay_donor(const struct pair *pair)
{
    char name[128];
    int fd;

    if (!pair->other->needs_reflink) {
        return -1;
    }
    snprintf(name, sizeof(name), "%s-donor", pair->run->guest_case->name);
    fd = open_fresh(pair, name);
    if (pair->other->effect == EFFECT_WRITE) {
        write_blocks(pair, fd, pair->block, 1, OTHER);
    }
    if (fsync(fd) < 0) {
        run_error(pair->run, "fsync: %s", strerror(errno));
    }
    return fd;
}

static void *map(const struct pair *pair, size_t length, int flags, int fd,
                 off_t offset)
{
    void *bytes = mmap(NULL, length, PROT_READ | PROT_WRITE, flags, fd,
                       offset);

    if (bytes == MAP_FAILED) {
        run_error(pair->run, "mmap: %s", strerror(errno));
    }
    return bytes;
}

/*
 * A device that has written little has next to none of the kernel's limits for
 * dirty pages, and then the first one wakes the flusher (wb_over_bg_thresh,
 * mm/page-writeback.c, 6.1, 6.12): nothing would be left to write back.
 */
static void keep_dirty_pages(const struct pair *pair)
{
    char path[96];
    int fd;

    snprintf(path, sizeof(path), "/sys/block/%s/bdi/min_ratio",
             pair->target.ns.name);
    fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0 || write(fd, "20", 2) != 2) {
        run_error(pair->run, "%s: %s", path, strerror(errno));
    }
    close(fd);
}

void pair_lay_out(struct pair *pair)
{
    const char *name = pair->run->guest_case->name;

    keep_dirty_pages(pair);
    pair->block = pair->holder->is_extending ? FILE_BLOCKS : INSIDE;
    pair->direct = open_fresh(pair, name);
    if (pair->holder->is_unwritten) {
        lay_unwritten(pair);
    } else {
        write_blocks(pair, pair->direct, 0, FILE_BLOCKS, OLDER);
    }
    if (fsync(pair->direct) < 0) {
        run_error(pair->run, "fsync: %s", strerror(errno));
    }
    pair->donor = lay_donor(pair);
    pair->cached = target_open(pair->run, &pair->target, name, O_RDWR);
    pair->seen = map(pair, TARGET_BLOCK_BYTES, MAP_SHARED | MAP_ANONYMOUS, -1,
                     0);
    pair->map = map(pair, TARGET_BLOCK_BYTES, MAP_SHARED, pair->cached,
                    pair_offset(pair, pair->block));
    if (pair->holder->how == HOW_WRITEBACK) {
        char *buffer = target_buffer(pair->run, TARGET_BLOCK_BYTES);

        pair_fill(pair, buffer, pair->block, -1, NEWER);
        target_write(pair->run, pair->cached, buffer, TARGET_BLOCK_BYTES,
                     pair_offset(pair, pair->block));
    }
}

/* --- after ---------------------------------------------------------------- */

static void put_base(const struct pair *pair, char *image)
{
    memset(image, 0, TARGET_BLOCK_BYTES);
    if (!pair->holder->is_unwritten && !pair->holder->is_extending) {
        pair_fill(pair, image, pair->block, -1, OLDER);
    }
}

static void put_holder(const struct pair *pair, char *image)
{
    if (!pair->holder->is_aborted) {
        pair_fill(pair, image, pair->block,
                  pair->holder->is_sector ? HOLDER_SECTOR : -1, NEWER);
    }
}

static void put_other(const struct pair *pair, char *image)
{
    switch (pair->other->effect) {
    case EFFECT_WRITE:
        pair_fill(pair, image, pair->block, -1, OTHER);
        break;
    case EFFECT_WRITE_SECTOR:
        pair_fill(pair, image, pair->block, OTHER_SECTOR, OTHER);
        break;
    case EFFECT_ZERO:
        memset(image, 0, TARGET_BLOCK_BYTES);
        break;
    case EFFECT_NONE:
    case EFFECT_READ:
    case EFFECT_WRITE_BESIDE:
    case EFFECT_CLONE:
        break;
    }
}

/* "1111 1111" generations by sector; 0 zeros, ? garbage. */
static void name_sectors(const struct pair *pair, const char *bytes,
                         char *text)
{
    for (unsigned i = 0; i < TARGET_BLOCK_BYTES / SECTOR_BYTES; i++) {
        struct block_found found =
            block_inspect(bytes + i * SECTOR_BYTES, SECTOR_BYTES, pair->id,
                          (uint64_t)pair->block * TARGET_BLOCK_BYTES +
                          i * SECTOR_BYTES);

        text[i] = found.kind == BLOCK_GOOD ? (char)('0' + found.generation % 10)
                : found.kind == BLOCK_ZERO ? '0' : '?';
    }
    text[TARGET_BLOCK_BYTES / SECTOR_BYTES] = '\0';
}

static void note_bytes(const struct pair *pair, const char *how,
                       const char *bytes)
{
    char text[16];

    name_sectors(pair, bytes, text);
    run_note(pair->run, "block %u %s has generations %s by sector: no order "
             "of the two leaves that", pair->block, how, text);
}

/* What the other operation read: before or after the holder's write, whole. */
static void check_seen(const struct pair *pair, const char *bytes,
                       bool has_waited, const char *how)
{
    char before[TARGET_BLOCK_BYTES];
    char after[TARGET_BLOCK_BYTES];

    put_base(pair, before);
    put_base(pair, after);
    put_holder(pair, after);
    if (memcmp(bytes, after, sizeof(after)) != 0 &&
        (has_waited || memcmp(bytes, before, sizeof(before)) != 0)) {
        note_bytes(pair, how, bytes);
        run_fail(pair->run, "block %u %s is of no order", pair->block, how);
    }
}

/* How much is cloned is settled before the clone waits for direct writes. */
static void check_clone(const struct pair *pair, bool has_waited)
{
    char *bytes = target_buffer(pair->run, TARGET_BLOCK_BYTES);
    ssize_t n = pread(pair->donor, bytes, TARGET_BLOCK_BYTES,
                      pair_offset(pair, pair->block));

    if (n == TARGET_BLOCK_BYTES) {
        check_seen(pair, bytes, has_waited, "of the clone");
    } else if (n != 0 || !pair->holder->is_extending) {
        run_fail(pair->run, "block %u of the clone: %zd bytes", pair->block,
                 n);
    }
}

static off_t size_wanted(const struct pair *pair, bool has_waited)
{
    off_t held = (off_t)(pair->block + 1) * TARGET_BLOCK_BYTES;
    off_t size = FILE_BYTES;

    if (has_waited && pair->other->size) {
        return pair->other->size;
    }
    size = pair->other->size ? pair->other->size : size;
    return pair->holder->is_extending && held > size ? held : size;
}

static void check_size(const struct pair *pair, bool has_waited)
{
    off_t wanted = size_wanted(pair, has_waited);
    struct stat stat;

    if (!pair->target.type->mount_point) {
        return;
    }
    if (fstat(pair->cached, &stat) < 0 || stat.st_size != wanted) {
        run_fail(pair->run, "the file has %jd bytes, wanted %jd",
                 (intmax_t)stat.st_size, (intmax_t)wanted);
    }
}

static void read_block(const struct pair *pair, int fd, unsigned block,
                       char *bytes)
{
    if (target_read(pair->run, fd, bytes, TARGET_BLOCK_BYTES,
                    pair_offset(pair, block)) != TARGET_BLOCK_BYTES) {
        run_fail(pair->run, "block %u is cut off", block);
    }
}

static void check_beside(const struct pair *pair)
{
    char *bytes = target_buffer(pair->run, TARGET_BLOCK_BYTES);
    char wanted[TARGET_BLOCK_BYTES];

    if (pair->other->size && pair->other->size <
        (BESIDE + 1) * TARGET_BLOCK_BYTES) {
        return;
    }
    pair_fill(pair, wanted, BESIDE, -1,
              pair->other->effect == EFFECT_WRITE_BESIDE ? OTHER : OLDER);
    read_block(pair, pair->direct, BESIDE, bytes);
    if (memcmp(bytes, wanted, sizeof(wanted)) != 0) {
        run_fail(pair->run, "block %d is not as it should be", BESIDE);
    }
}

static const char *check_block(const struct pair *pair, bool has_waited)
{
    char *bytes = target_buffer(pair->run, TARGET_BLOCK_BYTES);
    char *cached = target_buffer(pair->run, TARGET_BLOCK_BYTES);
    char last[TARGET_BLOCK_BYTES];      /* the other operation on top */
    char first[TARGET_BLOCK_BYTES];

    put_base(pair, last);
    put_base(pair, first);
    put_holder(pair, last);
    put_other(pair, last);
    put_other(pair, first);
    put_holder(pair, first);
    read_block(pair, pair->direct, pair->block, bytes);
    if (memcmp(bytes, last, sizeof(last)) != 0 &&
        (has_waited || memcmp(bytes, first, sizeof(first)) != 0)) {
        note_bytes(pair, "past the page cache", bytes);
        return " corrupt";
    }
    read_block(pair, pair->cached, pair->block, cached);
    return memcmp(bytes, cached, TARGET_BLOCK_BYTES) == 0 ? "" : " stale";
}

const char *pair_check(const struct pair *pair, bool has_waited)
{
    bool has_collided = fsync(pair->cached) < 0;
    off_t end = (off_t)(pair->block + 1) * TARGET_BLOCK_BYTES;
    const char *word = "";

    if (has_collided && errno != EIO) {
        run_fail(pair->run, "fsync: %s", strerror(errno));
    }
    check_size(pair, has_waited);
    check_beside(pair);
    if (pair->other->effect == EFFECT_READ) {
        check_seen(pair, pair->seen, has_waited, "as it was read");
    }
    if (pair->other->effect == EFFECT_CLONE) {
        check_clone(pair, has_waited);
    }
    if (!pair->target.type->mount_point ||
        size_wanted(pair, has_waited) >= end) {
        word = check_block(pair, has_waited);
    }
    return has_collided && strcmp(word, " corrupt") != 0 ? " collides" : word;
}
