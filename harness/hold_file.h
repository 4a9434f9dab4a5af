/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hold_file.h: rules of held commands in a file, for --hold FILE. */
#ifndef HARNESS_HOLD_FILE_H
#define HARNESS_HOLD_FILE_H

#include <glib.h>

/*
 * One rule a line (docs/holds.md, "In words"); a # begins a comment. As the
 * drive's property holds= takes them; free with g_free(). NULL and error when
 * the file cannot be read or has no rule. What a rule says, the drive judges.
 */
char *hold_file_read(const char *path, GError **error);

#endif
