/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Overwriting a block that is allocated, written and clean, without any
 * durability flag: nobody asked for durability, so the drive must see the
 * write and neither FUA nor Flush. The changed timestamp stays in memory.
 */
#include "flush.h"

FLUSH_OP(overwrite,
         .name = "overwrite",
         .claim = "a plain overwrite is one write, nothing else",
         .writes = true,
         .offset = CELL_INSIDE,
         .lay_out = cell_lay_written,
         .operate = cell_write_block);
