/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How every flush case runs, and the product of operations, targets and
 * issuers that makes the list of them.
 *
 * Cells are independent: on a file system each has a new file of its own, on
 * the bare namespace its own 1 MiB. Everything that could reach the drive by
 * itself (creating, allocating, opening, setting up the issuer) is done and
 * settled before BEGIN. Settling takes at least 20 ms, which is also longer
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

#define RAW_START (64 << 20)
#define RAW_STRIDE (1 << 20)

#define GENERATION_BEFORE 1
#define GENERATION_OPERATION 2

extern const struct flush_op *const __start_flush_ops[];
extern const struct flush_op *const __stop_flush_ops[];

/* The data of a guest_case of this group. */
struct cell_plan {
    const struct flush_op *op;
    const struct issuer *issuer;
    unsigned raw_number;        /* which MiB of the bare namespace */
};

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

static const struct cell_plan *plan_of(const struct cell *cell)
{
    return cell->run->guest_case->data;
}

static off_t write_offset(const struct cell *cell)
{
    return cell->start + plan_of(cell)->op->offset;
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
    if (fsync(fd) < 0) {
        run_error(cell->run, "fsync: %s", strerror(errno));
    }
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
    const struct cell_plan *plan = run->guest_case->data;
    const struct flush_op *op = plan->op;
    struct cell cell = {
        .run = run,
        .issuer = plan->issuer,
        .file_id = block_file_id(run->guest_case->name),
    };
    ssize_t expected = op->writes ? TARGET_BLOCK_BYTES : 0;
    ssize_t result;
    int error;

    cell.target = target_get(run, TARGET_FRESH_OR_MOUNTED);
    if (!cell.target.type->mount_point) {
        cell.start = RAW_START + (off_t)plan->raw_number * RAW_STRIDE;
    }
    snprintf(cell.path, sizeof(cell.path), "flush-%s-%s", op->name,
             cell.issuer->name);
    cell.buffer = target_buffer(run, TARGET_BLOCK_BYTES);
    fill(&cell, cell.buffer, TARGET_BLOCK_BYTES, op->offset,
         GENERATION_OPERATION);
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

static void add_cell(void (*add)(const struct guest_case *guest_case),
                     const struct flush_op *op,
                     const struct target_type *type,
                     const struct issuer *issuer)
{
    static unsigned raw_count;
    struct guest_case *c = calloc(1, sizeof(*c));
    struct cell_plan *plan = calloc(1, sizeof(*plan));
    char *name = NULL;

    if (!c || !plan ||
        asprintf(&name, "flush.%s.%s.%s", type->name, op->name,
                 issuer->name) < 0) {
        perror("lab-guest: list of cases");
        abort();
    }
    plan->op = op;
    plan->issuer = issuer;
    plan->raw_number = type->mount_point ? 0 : raw_count++;
    c->name = name;
    c->claim = op->claim;
    c->run = run_cell;
    c->data = plan;
    add(c);
}

void flush_add_cases(void (*add)(const struct guest_case *guest_case))
{
    const struct flush_op *const *op;

    for (op = __start_flush_ops; op < __stop_flush_ops; op++) {
        for (size_t t = 0; t < TARGET_TYPE_COUNT; t++) {
            if ((*op)->needs_fs && !target_types[t].mount_point) {
                continue;
            }
            for (size_t i = 0; i < ISSUER_COUNT; i++) {
                add_cell(add, *op, &target_types[t], issuers[i]);
            }
        }
    }
}
