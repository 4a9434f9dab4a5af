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
 * Background writers off: what is written between two marks is then written
 * by the operation under test. Called before anything is mounted, because XFS
 * reads the period of its log worker at mount time, and again when its module
 * has been loaded.
 */
void fs_quiet_kernel(void);

#endif
