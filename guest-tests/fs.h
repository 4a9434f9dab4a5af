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
 * Starts the log of a mounted ext4 from empty. A commit that has used up a
 * quarter of the log (a third since 6.12) since its tail was last written also
 * writes the tail, with FUA, to the journal's superblock (update_tail in
 * jbd2_journal_commit_transaction(), fs/jbd2/commit.c, 6.1 to 7.3): whose
 * commit that is depends on all that ran before. After this, nobody's within
 * FS_LOG_REPEATS times making, syncing and writing a file. Nothing to do on
 * other targets.
 */
#define FS_LOG_REPEATS 20
void fs_empty_log(struct run *run, const struct target *target);

/*
 * Background writers off: what is written between two marks is then written
 * by the operation under test. Called before anything is mounted, because XFS
 * reads the period of its log worker at mount time, and again when its module
 * has been loaded.
 */
void fs_quiet_kernel(void);

#endif
