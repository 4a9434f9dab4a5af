/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * holds.h: the judge of forgotten holds.
 *
 * What a case parks it must let go, or leave to a power cut. Two witnesses:
 * the guest, in notes ("hold forgotten NAME: …", guest-tests/hold.c), and the
 * trace. A case that has failed already has gone before it could release
 * anything: nothing is said of it.
 */
#ifndef HARNESS_HOLDS_H
#define HARNESS_HOLDS_H

#include "result.h"
#include "trace.h"

/* Takes the guest's notes out of the case. */
void holds_judge_notes(struct case_result *result);
/* The steps of the case that this trace has, each between its two marks. */
void holds_judge_trace(const struct trace *trace, struct case_result *result);

#endif
