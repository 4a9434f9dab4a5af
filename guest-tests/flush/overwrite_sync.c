/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * O_SYNC overwrite of a clean block: the changed timestamp must be durable too,
 * so a file system has to write its log or journal after the data. Settling
 * takes longer than a tick of the inode clock, so the timestamp does change.
 */
#include <fcntl.h>

#include "flush.h"

FLUSH_OP(overwrite_sync,
         .name = "overwrite-sync",
         .claim = "an O_SYNC overwrite is durable with its metadata",
         .open_flags = O_SYNC,
         .writes = true,
         .offset = CELL_INSIDE,
         .lay_out = cell_lay_written,
         .operate = cell_write_block);
