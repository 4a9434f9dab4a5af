/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * quick.c: a few cases of each group, for the minute after a make.
 *
 * Chosen so that each path of a direct write has one case, not so that each
 * combination has: who submits, where it completes, what makes it durable,
 * and that it is there after one power cut. Functions are those of 6.12. Alone,
 * the group runs in the order of the table.
 */
#include "quick.h"

const struct quick_entry quick_entries[] = {
    /* Where it is issued and completed: what a wrong context breaks, last. */
    { "context.raw.overwrite.io_uring", "blkdev_bio_end_io_async: no iomap" },
    { "context.xfs.read.io_uring", "iomap_dio_bio_end_io: a read" },
    { "context.ext4.read.iopoll", "iomap_dio_submit_bio: a polled read" },
    { "context.ext4.overwrite.io_uring", "iomap_dio_done, unpunted" },
    { "context.xfs.overwrite.libaio", "iomap_dio_done" },
    { "context.xfs.overwrite.io_uring",
      "kiocb_modified: to io-wq; iomap_dio_done" },
    { "context.xfs.overwrite.sync", "__iomap_dio_rw: the caller waits" },
    { "context.ext4.overwrite-dsync.io_uring",
      "iomap_dio_done: with FUA as without" },
    { "context.ext4.overwrite.iopoll", "iomap_dio_bio_iter: is it polled" },
    { "context.ext4.extend.libaio", "ext4_dio_write_iter: extends and waits" },
    { "context.ext4.overwrite-cached.libaio",
      "iomap_dio_complete: pages to invalidate" },
    { "context.xfs.extend.io_uring",
      "xfs_dio_write_end_io: a new size needs a task" },
    { "context.xfs.unwritten.libaio",
      "xfs_dio_write_end_io: a conversion needs a task" },
    { "context.xfs.overwrite-sync.libaio",
      "iomap_dio_complete: a sync needs a task" },
    /* What the drive must be sent. */
    { "flush.raw.overwrite-dsync.io_uring",
      "dio_bio_write_op: FUA on the block device" },
    { "flush.raw.fsync-dirty.sync", "blkdev_fsync: a Flush" },
    { "flush.xfs.overwrite.libaio",
      "iomap_dio_bio_iter: nothing owed, nothing sent" },
    { "flush.xfs.overwrite-dsync.io_uring",
      "iomap_dio_bio_iter: FUA instead of a sync" },
    { "flush.ext4.overwrite-dsync.libaio",
      "iomap_dio_bio_iter: the same, unpunted" },
    { "flush.ext4.overwrite-dsync.sync",
      "__iomap_dio_rw: the same, waited for" },
    { "flush.xfs.overwrite-sync.libaio",
      "iomap_dio_complete: generic_write_sync in the worker" },
    { "flush.ext4.overwrite-sync.io_uring",
      "iomap_dio_complete: the same, and a journal commit" },
    { "flush.xfs.unwritten-dsync.io_uring",
      "xfs_dio_write_end_io: conversion, then the log; no FUA" },
    { "flush.xfs.extend-dsync.io_uring",
      "xfs_dio_write_end_io: the new size, then the log" },
    { "flush.ext4.extend-dsync.sync",
      "ext4_dio_write_iter: extends and waits, then a commit" },
    { "flush.xfs.fsync-dirty.sync", "xfs_file_fsync: the log is forced" },
    { "flush.ext4.fdatasync-dirty.io_uring",
      "ext4_sync_file: a Flush without a commit" },
    /* What a power cut must leave, and that it takes the rest; by rank. */
    { "durability.ext4.fsync-kept", "ext4_sync_file" },
    { "durability.xfs.fsync-kept", "xfs_file_fsync" },
    { "durability.ext4.dsync-kept", "FUA and commits of ext4" },
    { "durability.raw.fua-kept", "FUA on the block device" },
    { "durability.xfs.dsync-kept", "FUA and log writes of XFS" },
    { "durability.xfs.unsynced-lost", "the cut takes what nobody synced" },
};

const gsize quick_count = G_N_ELEMENTS(quick_entries);

gsize quick_place(const char *name)
{
    gsize i = 0;

    while (i < quick_count && !g_str_equal(quick_entries[i].name, name)) {
        i++;
    }
    return i;
}

const char *quick_why(const char *name)
{
    gsize place = quick_place(name);

    return place < quick_count ? quick_entries[place].why : NULL;
}
