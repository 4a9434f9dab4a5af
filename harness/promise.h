/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * promise.h: what the commands of a trace promised, by rules P1, P2, P3 and P8
 * of docs/loss-model.md and by nothing else.
 */
#ifndef HARNESS_PROMISE_H
#define HARNESS_PROMISE_H

#include "trace.h"

/* Per command of the trace, same index. */
struct promise {
    guint64 promised_stamp;     /* writes: durable from here; 0: never */
    guint64 pending_writes;     /* flushes: completed, without a promise, */
    guint64 pending_bytes;      /* when the flush was submitted */
    bool had_vwc;               /* when it was submitted */
};

/* One struct promise per command; free with g_array_unref(). */
GArray *promise_simulate(const struct trace *trace);

#define PROMISE(p, i) (&g_array_index((p), struct promise, (i)))

#endif
