/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fdatasync() after a direct overwrite: a Flush must follow the data; the
 * timestamp is not needed to read it back and must not cost a log write
 * (xfs_fsync_seq, fs/xfs/xfs_file.c; ext4_fsync_journal with i_datasync_tid,
 * fs/ext4/fsync.c, 6.12).
 */
#include "flush.h"

static ssize_t operate(struct cell *cell)
{
    return cell->issuer->fdatasync(cell->fd);
}

FLUSH_OP(fdatasync_dirty,
         .name = "fdatasync-dirty",
         .claim = "fdatasync makes a completed overwrite durable",
         .offset = CELL_INSIDE,
         .lay_out = cell_lay_written,
         .dirty = cell_dirty_block,
         .operate = operate);
