/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * O_DSYNC write behind the end of the file: without allocation and size the
 * data could not be read back, so both must be durable with it. FUA on the data
 * would not help (iomap sets it for clean overwrites only); data, Flush, then
 * the log or the journal.
 */
#include <fcntl.h>

#include "flush.h"

FLUSH_OP(extend_dsync,
         .name = "extend-dsync",
         .claim = "an O_DSYNC extending write is durable with its size",
         .needs_fs = true,
         .open_flags = O_DSYNC,
         .writes = true,
         .offset = CELL_BEHIND,
         .lay_out = cell_lay_written,
         .operate = cell_write_block);
