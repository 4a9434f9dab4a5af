/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writing behind the end of the file, without any durability flag: allocation
 * and size wait for the log or journal, the drive must see the data only.
 */
#include "flush.h"

FLUSH_OP(extend,
         .name = "extend",
         .claim = "a plain extending write is one write, nothing else",
         .needs_fs = true,
         .writes = true,
         .offset = CELL_BEHIND,
         .lay_out = cell_lay_written,
         .operate = cell_write_block);
