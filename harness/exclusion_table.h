/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * exclusion_table.h: the exclusion matrix as it was seen, one table per kernel
 * and file system.
 */
#ifndef HARNESS_EXCLUSION_TABLE_H
#define HARNESS_EXCLUSION_TABLE_H

#include "result.h"

/* "": no case of the group ran. Each line behind the prefix; g_free(). */
char *exclusion_tables(const struct run_result *run, const char *prefix,
                       bool has_colour);

#endif
