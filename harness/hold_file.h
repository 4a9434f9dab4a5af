/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hold_file.h: rules for held commands, from a file.
 *
 * A rule per line, in the words of docs/holds.md; what follows a # is a
 * comment. The drive reads the words, and refuses bad ones when QEMU starts.
 */
#ifndef HARNESS_HOLD_FILE_H
#define HARNESS_HOLD_FILE_H

#include <glib.h>

#include "plan.h"

/* Fills plan->holds from plan->hold_file, if there is one. */
gboolean hold_file_read(struct plan *plan, GError **error);

#endif
