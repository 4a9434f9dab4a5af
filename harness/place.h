/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * place.h: where in the kernel a call was made, from its call chain and flags.
 *
 * The innermost frame that says something decides: an interrupt can come in
 * the middle of a poll, a poll in a worker, and a request can be issued again
 * from task work. The flags of the trace decide only where the chain ends
 * before such a frame (kernel-behaviour, 5.1).
 */
#ifndef HARNESS_PLACE_H
#define HARNESS_PLACE_H

/* TRACE_FLAG_* of include/linux/trace_events.h, the same from 6.1 to 7.2. */
#define PLACE_FLAG_HARDIRQ 0x08u
#define PLACE_FLAG_SOFTIRQ 0x10u
#define PLACE_FLAG_NMI 0x40u

/*
 * hardirq softirq irq-thread polled task_work workqueue io-wq sqpoll, issue
 * (the system call that issues the I/O, or its second try), or NULL: none of
 * these. frames is NULL-terminated, the innermost first. With the flag NMI the
 * others are not believed: that is a breakpoint's doing.
 */
const char *place_of(const char *const *frames, unsigned flags);
/* The same without issue: the task or thread in which that was. */
const char *place_of_task(const char *const *frames, unsigned flags);

#endif
