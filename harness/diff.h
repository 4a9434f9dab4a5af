/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * diff.h: the kernels of a run side by side.
 */
#ifndef HARNESS_DIFF_H
#define HARNESS_DIFF_H

#include "result.h"

/*
 * Per drive a heading and the cases on which its kernels disagree, a line
 * each. Every line begins with prefix. Free with g_free().
 */
char *diff_kernels(const struct run_result *run, const char *prefix);

#endif
