/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The table of context cases, and how each of them runs.
 *
 * Every repeat starts from a file of its own (raw: from the same blocks),
 * settled like a flush case, so that the operation is alone on the drive, the
 * inode and the log are clean, and the timestamps are older than a tick of the
 * inode clock (4 ms at HZ=250): a write then always has a timestamp to update,
 * which is what makes io_uring hand an XFS write to io-wq.
 *
 * The drive's floor latency must be far above the time that submission takes:
 * a drive that is faster than its submitter moves the completion into it.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "block.h"
#include "context.h"
#include "fs.h"
#include "issue.h"
#include "probe.h"
#include "target.h"

#define FILE_BYTES (16 * TARGET_BLOCK_BYTES)
#define INSIDE (4 * TARGET_BLOCK_BYTES)
#define BEHIND FILE_BYTES
/* Apart from the blocks of the flush cases. */
#define RAW_START (192 << 20)

#define REPEATS_DEFAULT 3
#define REPEATS_MAX 1000
#define AGAIN_MAX 20
#define TIME_LIMIT_S 300

enum layout { LAYOUT_WRITTEN, LAYOUT_UNWRITTEN };

struct context_op {
    const char *name;
    const char *claim;
    bool needs_fs;
    bool reads;
    bool is_cached;             /* another block of the file is in memory */
    int open_flags;
    enum layout layout;
    off_t offset;
};

static const struct context_op ops[] = {
    { .name = "read", .reads = true, .offset = INSIDE,
      .claim = "a read completes where its kernel completes reads" },
    { .name = "overwrite", .offset = INSIDE,
      .claim = "an overwrite completes where its kernel says" },
    { .name = "overwrite-cached", .offset = INSIDE, .is_cached = true,
      .claim = "so does one with a cached page elsewhere in the file" },
    { .name = "unwritten", .offset = INSIDE, .layout = LAYOUT_UNWRITTEN,
      .needs_fs = true,
      .claim = "the conversion of an extent never runs in an interrupt" },
    { .name = "extend", .offset = BEHIND, .needs_fs = true,
      .claim = "the file's size never changes in an interrupt" },
    { .name = "overwrite-dsync", .offset = INSIDE, .open_flags = O_DSYNC,
      .claim = "an overwrite with FUA completes like one without" },
    { .name = "overwrite-sync", .offset = INSIDE, .open_flags = O_SYNC,
      .claim = "the sync behind a write runs where it may sleep" },
};

static const struct issuer *const context_issuers[] = {
    &issuer_io_uring, &issuer_defer_taskrun, &issuer_iopoll,
    &issuer_libaio, &issuer_sync,
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct cell {
    struct run *run;
    const struct context_op *op;
    const struct issuer *issuer;
    struct target target;
    uint64_t file_id;
    off_t start;                /* raw: this cell's bytes of the device */
    char path[96];
    int fd;
    int cached_fd;
    uint32_t generation;
};

static void fill(struct cell *cell, void *buffer, size_t length, off_t offset)
{
    block_fill(buffer, length, cell->file_id, (uint64_t)offset,
               cell->generation);
}

static void lay_out(struct cell *cell)
{
    void *buffer = target_buffer(cell->run, FILE_BYTES);
    int fd;

    target_remove(cell->run, &cell->target, cell->path);
    fd = target_open(cell->run, &cell->target, cell->path,
                     O_RDWR | O_CREAT | O_DIRECT);
    cell->generation++;
    fill(cell, buffer, FILE_BYTES, 0);
    if (cell->op->layout == LAYOUT_WRITTEN) {
        target_write(cell->run, fd, buffer, FILE_BYTES, cell->start);
    } else if (fallocate(fd, 0, 0, FILE_BYTES) < 0) {
        run_error(cell->run, "fallocate: %s", strerror(errno));
    }
    free(buffer);
    close(fd);
    cell->fd = target_open(cell->run, &cell->target, cell->path,
                           O_RDWR | O_DIRECT | cell->op->open_flags);
}

/*
 * The first block into the page cache, without the blocks behind it: the
 * mapping then has pages, but none where the operation writes.
 */
static void cache_first_block(struct cell *cell)
{
    unsigned char in_memory[FILE_BYTES / TARGET_BLOCK_BYTES];
    char block[TARGET_BLOCK_BYTES];
    void *map;

    cell->cached_fd = target_open(cell->run, &cell->target, cell->path,
                                  O_RDONLY);
    posix_fadvise(cell->cached_fd, 0, 0, POSIX_FADV_RANDOM);
    target_read(cell->run, cell->cached_fd, block, sizeof(block),
                cell->start);
    map = mmap(NULL, FILE_BYTES, PROT_READ, MAP_SHARED, cell->cached_fd,
               cell->start);
    if (map == MAP_FAILED || mincore(map, FILE_BYTES, in_memory) < 0) {
        run_error(cell->run, "mincore: %s", strerror(errno));
    }
    munmap(map, FILE_BYTES);
    if (!(in_memory[0] & 1) || (in_memory[INSIDE / TARGET_BLOCK_BYTES] & 1)) {
        run_error(cell->run, "page cache: block 0 %s, block %d %s",
                  in_memory[0] & 1 ? "in" : "out",
                  INSIDE / TARGET_BLOCK_BYTES,
                  in_memory[INSIDE / TARGET_BLOCK_BYTES] & 1 ? "in" : "out");
    }
}

static void check_content(struct cell *cell, const void *buffer,
                          const char *what)
{
    struct block_found found =
        block_inspect(buffer, TARGET_BLOCK_BYTES, cell->file_id,
                      (uint64_t)cell->op->offset);
    char text[128];

    if (found.kind != BLOCK_GOOD || found.generation != cell->generation) {
        block_describe(&found, text, sizeof(text));
        run_fail(cell->run, "%s of %s offset %jd: wanted generation %" PRIu32
                 ", found %s", what, cell->path,
                 (intmax_t)cell->op->offset, cell->generation, text);
    }
}

/* One operation, watched; false: the watch has gaps. */
static bool operate(struct cell *cell, unsigned repeat, void *buffer)
{
    const struct context_op *op = cell->op;
    const struct issuer *issuer = cell->issuer;
    uint64_t begin_ns;
    uint64_t ack_ns;
    ssize_t result;
    bool is_whole;

    probe_start(cell->run);
    target_mark(cell->run, &cell->target, LAB_MARK_BEGIN);
    begin_ns = guest_clock_ns();
    if (op->reads) {
        result = issuer->read(cell->fd, buffer, TARGET_BLOCK_BYTES,
                              cell->start + op->offset);
    } else {
        result = issuer->write(cell->fd, buffer, TARGET_BLOCK_BYTES,
                               cell->start + op->offset);
    }
    ack_ns = guest_clock_ns();
    target_mark(cell->run, &cell->target, LAB_MARK_ACK);
    target_mark(cell->run, &cell->target, LAB_MARK_END);
    run_note(cell->run, "op %u %" PRIu64 " %" PRIu64 " %d %zd", repeat,
             begin_ns, ack_ns, (int)getpid(), result);
    is_whole = probe_stop(cell->run, &cell->target, repeat, begin_ns);
    if (result != TARGET_BLOCK_BYTES) {
        run_fail(cell->run, "%s through %s: %s", op->name, issuer->name,
                 result < 0 ? strerror((int)-result) : "short");
    }
    return is_whole;
}

static bool run_once(struct cell *cell, unsigned repeat)
{
    const struct context_op *op = cell->op;
    void *buffer = target_buffer(cell->run, TARGET_BLOCK_BYTES);
    bool is_whole;

    if (repeat % FS_LOG_REPEATS == 1) {
        fs_empty_journal(cell->run, &cell->target);
    }
    lay_out(cell);
    target_settle(cell->run, &cell->target, cell->fd);
    if (op->is_cached) {
        cache_first_block(cell);
    }
    if (!op->reads) {
        cell->generation++;
        fill(cell, buffer, TARGET_BLOCK_BYTES, op->offset);
    }
    is_whole = operate(cell, repeat, buffer);
    if (!op->reads) {
        memset(buffer, 0, TARGET_BLOCK_BYTES);
        target_read(cell->run, cell->fd, buffer, TARGET_BLOCK_BYTES,
                    cell->start + op->offset);
    }
    check_content(cell, buffer, op->reads ? "read" : "read back");
    target_note_range(cell->run, &cell->target, cell->fd,
                      cell->start + op->offset, TARGET_BLOCK_BYTES);
    close(cell->fd);
    if (op->is_cached) {
        close(cell->cached_fd);
    }
    free(buffer);
    return is_whole;
}

/* Repeats with gaps are done again, but not for ever. */
static void run_repeats(struct cell *cell, uint64_t repeats)
{
    uint64_t whole = 0;

    for (unsigned i = 1; whole < repeats && i <= repeats + AGAIN_MAX; i++) {
        whole += run_once(cell, i);
    }
}

static void run_cell(struct run *run)
{
    const struct product_cell *plan = run->guest_case->data;
    struct cell cell = {
        .run = run,
        .op = plan->op,
        .issuer = plan->issuer,
        .start = plan->start,
        .file_id = block_file_id(run->guest_case->name),
    };
    uint64_t repeats = run_number(run, "repeats", REPEATS_DEFAULT);
    int error;

    if (repeats < 1 || repeats > REPEATS_MAX) {
        run_error(run, "repeats=%" PRIu64 " is not from 1 to %d", repeats,
                  REPEATS_MAX);
    }
    cell.target = target_get(run, TARGET_FRESH_OR_MOUNTED);
    snprintf(cell.path, sizeof(cell.path), "context-%s-%s",
             cell.op->name, cell.issuer->name);
    error = cell.issuer->start();
    if (error) {
        run_error(run, "%s: %s", cell.issuer->name, strerror(-error));
    }
    probe_open(run, &cell.target);
    run_repeats(&cell, repeats);
    run_pass(run, "done; the host says where it ran");
}

void context_add_cases(product_add_fn *add)
{
    static struct product product = {
        .group = "context",
        .issuers = context_issuers,
        .issuer_count = COUNT(context_issuers),
        .run = run_cell,
        .time_limit_s = TIME_LIMIT_S,
        .raw_start = RAW_START,
    };

    for (size_t i = 0; i < COUNT(ops); i++) {
        product_add(&product, &(struct product_op){
            .name = ops[i].name, .claim = ops[i].claim,
            .needs_fs = ops[i].needs_fs, .op = &ops[i],
        }, add);
    }
}
