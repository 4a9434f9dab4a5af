/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writing into an allocated but unwritten extent (fallocate), without any
 * durability flag. The conversion happens in memory when the data is there.
 */
#include "flush.h"

FLUSH_OP(unwritten,
         .name = "unwritten",
         .claim = "a plain write to an unwritten extent is one write",
         .needs_fs = true,
         .writes = true,
         .offset = CELL_INSIDE,
         .lay_out = cell_lay_unwritten,
         .operate = cell_write_block);
