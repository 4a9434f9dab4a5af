/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * never.h: what must not happen in any run (docs/never-events.md).
 *
 * The guest watches in all cases and tells what looks like it in notes that
 * begin with "never " (guest-tests/never.h); here it is judged.
 */
#ifndef HARNESS_NEVER_H
#define HARNESS_NEVER_H

#include "result.h"

/*
 * Judges the guest's notes in result->notes, which make room for what they
 * mean: a never-event fails the case, a gap in the watch is an error.
 */
void never_judge(struct case_result *result);

/* What the guest cannot watch, if this note of its boot says so; else NULL. */
const char *never_unwatched(const char *note);
/* Whether it says that the guest cannot be traced at all. */
bool never_is_untraceable(const char *note);

#endif
