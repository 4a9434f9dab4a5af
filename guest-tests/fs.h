/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fs.h: file systems on the drive, made and mounted once per boot.
 */
#ifndef FS_H
#define FS_H

#include "guest.h"
#include "target.h"

/* Paths of modules, one a line; locked while they are being loaded. */
#define FS_MODULE_LIST "/lib/modules.load"

/* Brings target into the wanted state or ends the step. */
void fs_get(struct run *run, const struct target *target,
            enum target_state state);

/*
 * Starts ext4's log from empty; nothing to do on other targets. A commit that
 * has used up a quarter of the log (a third since 6.12) since its tail was last
 * written also writes the tail, with FUA, to the journal's superblock
 * (update_tail in jbd2_journal_commit_transaction(), fs/jbd2/commit.c, 6.1 to
 * 7.3): whose commit that is depends on all that ran before. After this it is
 * nobody's within FS_LOG_REPEATS times making, syncing and writing a file.
 */
#define FS_LOG_REPEATS 20
void fs_empty_journal(struct run *run, const struct target *target);

/*
 * Starts the log of any file system from empty. XFS keeps what it has logged
 * until three quarters are used (xfs_ail_calc_push_target(),
 * fs/xfs/xfs_trans_ail.c:451, 6.12), and the mount after a power cut would
 * replay what all cases before it did: seconds, at a few ms for each read.
 */
void fs_empty_log(struct run *run, const struct target *target);

/*
 * Background writers off: what is written between two marks is then written
 * by the operation under test. Called before anything is mounted, because XFS
 * reads the period of its log worker at mount time, and again when its module
 * has been loaded.
 */
void fs_quiet_kernel(void);

#endif
