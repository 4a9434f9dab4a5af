/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fsync() of a file with nothing to write: no data, no metadata. The file
 * systems cannot know what other programs have left in the drive's cache and
 * send a Flush all the same.
 */
#include "flush.h"

static ssize_t operate(struct cell *cell)
{
    return cell->issuer->fsync(cell->fd);
}

FLUSH_OP(fsync_clean,
         .name = "fsync-clean",
         .claim = "fsync of a clean file writes nothing",
         .offset = CELL_INSIDE,
         .lay_out = cell_lay_written,
         .operate = operate);
