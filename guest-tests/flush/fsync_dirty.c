/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fsync() after a direct overwrite: the data is in the drive already, without a
 * promise, and the timestamp is in memory. Both must be durable afterwards.
 */
#include "flush.h"

static ssize_t operate(struct cell *cell)
{
    return cell->issuer->fsync(cell->fd);
}

FLUSH_OP(fsync_dirty,
         .name = "fsync-dirty",
         .claim = "fsync makes a completed overwrite and its inode durable",
         .offset = CELL_INSIDE,
         .lay_out = cell_lay_written,
         .dirty = cell_dirty_block,
         .operate = operate);
