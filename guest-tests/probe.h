/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * probe.h: which kernel functions ran, where, for one operation.
 *
 * Function probes and tracepoints in a tracefs instance of our own, each event
 * with its call chain, on CLOCK_MONOTONIC, which is also the clock in a MARK.
 * What is probed and what cannot be is kernel-behaviour's section 5: functions
 * that the compiler inlines (iomap_dio_done, nvme_handle_cqe, …) never show, so
 * the completion is seen at iomap_dio_complete() and at the block device's bio
 * end functions.
 *
 * Events go to the host as notes, by time:
 *
 *   stack NUMBER CHAIN
 *   event REPEAT TIME CPU FLAGS COMM-PID NAME STACK ARGUMENTS…
 *
 * A call chain is told once and then goes by its number (0: none), because the
 * repeats of a case have the same few. An event in a worker thread has one more
 * argument, "workqueue=NAME": the queue on which the work item that runs had
 * been queued. Lost or truncated events end the step with an error: what was
 * not seen cannot be judged. A function probe that an interrupt hit while
 * another was being handled is missed, which no setting prevents; that repeat
 * is told as "missed REPEAT COUNT".
 */
#ifndef PROBE_H
#define PROBE_H

#include <stdbool.h>

#include "guest.h"
#include "target.h"

#define PROBE_INSTANCE "/sys/kernel/tracing/instances/lab"

/*
 * Defines and arms the probes; the target's modules must be loaded. They stay
 * armed: patching the kernel takes half a second.
 */
void probe_open(struct run *run, const struct target *target);

/* Starts recording. */
void probe_start(struct run *run);
/*
 * Records until the operation's end has been seen and nothing has followed it
 * for two ticks, then reports what came after begin_ns. False: a probe was
 * missed.
 */
bool probe_stop(struct run *run, const struct target *target,
                unsigned repeat, uint64_t begin_ns);

#endif
