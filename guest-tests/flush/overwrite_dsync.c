/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * O_DSYNC overwrite of a clean block: data must be durable, and no metadata is
 * needed to read it back, so a FUA write alone can do it.
 *
 * What makes it "pure" (6.12): the extent is mapped and the mapping carries no
 * IOMAP_F_DIRTY (iomap_dio_bio_iter, fs/iomap/direct-io.c). The changed
 * timestamp does not set it: XFS leaves XFS_ILOG_TIMESTAMP out
 * (xfs_bmbt_to_iomap, fs/xfs/xfs_iomap.c), ext4 asks only for the transaction
 * of i_datasync_tid (ext4_inode_datasync_dirty, fs/ext4/inode.c). Settling has
 * committed the allocation, on which both depend.
 *
 * The bare device sets FUA on every such write (dio_bio_write_op,
 * block/fops.c); a blocking one is followed by a Flush (blkdev_write_iter
 * calls generic_write_sync), an asynchronous one is not.
 */
#include <fcntl.h>

#include "flush.h"

FLUSH_OP(overwrite_dsync,
         .name = "overwrite-dsync",
         .claim = "an O_DSYNC overwrite is durable when it completes",
         .open_flags = O_DSYNC,
         .writes = true,
         .offset = CELL_INSIDE,
         .lay_out = cell_lay_written,
         .operate = cell_write_block);
