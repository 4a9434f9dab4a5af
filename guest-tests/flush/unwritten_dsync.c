/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * O_DSYNC write into an unwritten extent: a cut before the conversion is
 * durable would bring back zeros, so the log or journal must follow the data.
 */
#include <fcntl.h>

#include "flush.h"

FLUSH_OP(unwritten_dsync,
         .name = "unwritten-dsync",
         .claim = "an O_DSYNC write to an unwritten extent is durable",
         .needs_fs = true,
         .open_flags = O_DSYNC,
         .writes = true,
         .offset = CELL_INSIDE,
         .lay_out = cell_lay_unwritten,
         .operate = cell_write_block);
