/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * trace_show.h: a command trace for reading, as text or JSON.
 */
#ifndef HARNESS_TRACE_SHOW_H
#define HARNESS_TRACE_SHOW_H

#include <stdio.h>

#include "trace.h"

enum trace_format { TRACE_TEXT, TRACE_JSON };

/* One line per command, mark, event and survivor, in the order of stamps. */
void trace_show(const struct trace *trace, enum trace_format format,
                FILE *out);
/* Counts and latency percentiles per operation. */
void trace_stat(const struct trace *trace, enum trace_format format,
                FILE *out);

#endif
