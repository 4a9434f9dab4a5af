/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * progress.h: what goes on, on stderr: one line rewritten on a terminal, plain
 * lines in a pipe.
 */
#ifndef HARNESS_PROGRESS_H
#define HARNESS_PROGRESS_H

#include <glib.h>

/* A line that stays. */
void progress_say(const char *format, ...) G_GNUC_PRINTF(1, 2);
/* done of total; on a terminal every call, in a pipe every tenth of total. */
void progress_step(const char *suite, const char *what, unsigned done,
                   unsigned total);
/* Before anything else is printed on the terminal. */
void progress_clear(void);

#endif
