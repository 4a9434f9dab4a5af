/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How every flush case runs.
 *
 * Cells are independent: on a file system each has a new file of its own, on
 * the bare namespace its own 1 MiB. Everything that could reach the drive by
 * itself (creating, allocating, opening, setting up the issuer) is done and
 * settled before BEGIN. Settling takes at least 10 ms, which is also longer
 * than a tick of the clock that stamps inodes (4 ms at HZ=250,
 * current_time() in fs/inode.c, 6.12): an operation that changes timestamps
 * therefore always changes them.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "block.h"
#include "flush.h"
#include "fs.h"

#define RAW_START (64 << 20)

#define GENERATION_BEFORE 1
#define GENERATION_OPERATION 2

extern const struct flush_op *const __start_flush_ops[];
extern const struct flush_op *const __stop_flush_ops[];

static void fill(struct cell *cell, void *buffer, size_t length, off_t offset,
                 uint32_t generation)
{
    block_fill(buffer, length, cell->file_id, (uint64_t)offset, generation);
}

void cell_lay_written(struct cell *cell, int fd)
{
    void *buffer = target_buffer(cell->run, CELL_FILE_BYTES);

    fill(cell, buffer, CELL_FILE_BYTES, 0, GENERATION_BEFORE);
    target_write(cell->run, fd, buffer, CELL_FILE_BYTES, cell->start);
}

void cell_lay_unwritten(struct cell *cell, int fd)
{
    if (fallocate(fd, 0, 0, CELL_FILE_BYTES) < 0) {
        run_error(cell->run, "fallocate: %s", strerror(errno));
    }
}

static off_t write_offset(const struct cell *cell)
{
    const struct product_cell *plan = cell->run->guest_case->data;
    const struct flush_op *op = plan->op;

    return cell->start + op->offset;
}

void cell_dirty_block(struct cell *cell)
{
    target_write(cell->run, cell->fd, cell->buffer, TARGET_BLOCK_BYTES,
                 write_offset(cell));
}

ssize_t cell_write_block(struct cell *cell)
{
    return cell->issuer->write(cell->fd, cell->buffer, TARGET_BLOCK_BYTES,
                               write_offset(cell));
}

/* The state before, and the descriptor that the operation will use. */
static void lay_out(struct cell *cell, const struct flush_op *op)
{
    int fd;

    target_remove(cell->run, &cell->target, cell->path);
    fd = target_open(cell->run, &cell->target, cell->path,
                     O_RDWR | O_CREAT | O_DIRECT);
    op->lay_out(cell, fd);
    close(fd);
    cell->fd = target_open(cell->run, &cell->target, cell->path,
                           O_RDWR | O_DIRECT | op->open_flags);
}

/* A write that said it worked must be there for the next read. */
static void check_content(struct cell *cell, const struct flush_op *op)
{
    void *buffer = target_buffer(cell->run, TARGET_BLOCK_BYTES);
    struct block_found found;
    char text[128];

    target_read(cell->run, cell->fd, buffer, TARGET_BLOCK_BYTES,
                write_offset(cell));
    found = block_inspect(buffer, TARGET_BLOCK_BYTES, cell->file_id,
                          (uint64_t)op->offset);
    if (found.kind != BLOCK_GOOD || found.generation != GENERATION_OPERATION) {
        block_describe(&found, text, sizeof(text));
        run_fail(cell->run, "%s offset %jd: wrote generation %d, read %s",
                 cell->path, (intmax_t)op->offset, GENERATION_OPERATION,
                 text);
    }
}

static void run_cell(struct run *run)
{
    const struct product_cell *plan = run->guest_case->data;
    const struct flush_op *op = plan->op;
    struct cell cell = {
        .run = run,
        .issuer = plan->issuer,
        .start = plan->start,
        .file_id = block_file_id(run->guest_case->name),
    };
    ssize_t expected = op->writes ? TARGET_BLOCK_BYTES : 0;
    ssize_t result;
    int error;

    cell.target = target_get(run, TARGET_FRESH_OR_MOUNTED);
    snprintf(cell.path, sizeof(cell.path), "flush-%s-%s", op->name,
             cell.issuer->name);
    cell.buffer = target_buffer(run, TARGET_BLOCK_BYTES);
    fill(&cell, cell.buffer, TARGET_BLOCK_BYTES, op->offset,
         GENERATION_OPERATION);
    fs_empty_journal(run, &cell.target);
    lay_out(&cell, op);
    error = cell.issuer->start();
    if (error) {
        run_error(run, "%s: %s", cell.issuer->name, strerror(-error));
    }
    target_settle(run, &cell.target, cell.fd);
    if (op->dirty) {
        op->dirty(&cell);
    }

    target_mark(run, &cell.target, LAB_MARK_BEGIN);
    result = op->operate(&cell);
    target_mark(run, &cell.target, LAB_MARK_ACK);
    target_mark(run, &cell.target, LAB_MARK_END);

    if (result != expected) {
        run_fail(run, "%s through %s: %s", op->name, cell.issuer->name,
                 result < 0 ? strerror((int)-result) : "short");
    }
    if (op->writes || op->dirty) {
        check_content(&cell, op);
    }
    target_note_range(run, &cell.target, cell.fd, write_offset(&cell),
                      TARGET_BLOCK_BYTES);
    run_pass(run, "done; the drive's trace says what it cost");
}

void flush_add_cases(product_add_fn *add)
{
    static struct product product = {
        .group = "flush",
        .issuers = issuers,
        .issuer_count = ISSUER_COUNT,
        .run = run_cell,
        .raw_start = RAW_START,
    };
    const struct flush_op *const *op;

    for (op = __start_flush_ops; op < __stop_flush_ops; op++) {
        product_add(&product, &(struct product_op){
            .name = (*op)->name, .claim = (*op)->claim,
            .needs_fs = (*op)->needs_fs, .op = *op,
        }, add);
    }
}
