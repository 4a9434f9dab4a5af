/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * context_event.h: the notes of a context case, and the word for the place
 * where an event happened.
 */
#ifndef HARNESS_CONTEXT_EVENT_H
#define HARNESS_CONTEXT_EVENT_H

#include <glib.h>
#include <stdbool.h>

/* A probe that fired in the guest. */
struct context_event {
    guint64 time_ns;            /* CLOCK_MONOTONIC, whole microseconds */
    char *flags;
    char *comm;
    int pid;
    char *name;
    char **stack;               /* innermost first */
    char *args;
};

/* One repeat of the operation. */
struct context_repeat {
    unsigned number;
    guint64 begin_ns, ack_ns;
    int pid;                    /* who issued it */
    gint64 outcome;
    guint32 nsid;
    guint64 slba, blocks;
    bool has_range;
    unsigned missed;            /* hits of probes that were not recorded */
    GPtrArray *events;          /* struct context_event, by time */
};

/*
 * All repeats (struct context_repeat) that the notes tell of; notes of other
 * kinds are left alone. NULL: *why says which note cannot be read.
 */
GPtrArray *context_repeats_parse(const GPtrArray *notes, char **why);

/* The text behind "KEY=" in args up to blank, comma or bracket; or NULL. */
char *context_event_value(const struct context_event *event, const char *key);
/* The same as a number; false: there is none. */
bool context_event_number(const struct context_event *event, const char *key,
                          guint64 *number);
bool context_event_below(const struct context_event *event,
                         const char *function);

/*
 * hardirq softirq irq-thread polled task_work workqueue:NAME io-wq sqpoll
 * submitter waiter, or NULL: none of these. Stack first, flags second
 * (kernel-behaviour, 5.1). A waiter is the issuing task after it has slept for
 * the I/O; before that it is the submitter.
 */
char *context_event_place(const struct context_repeat *repeat,
                          const struct context_event *event);
/* Whether the event's task had slept for the I/O by then. */
bool context_event_waited(const struct context_repeat *repeat,
                          const struct context_event *event);

#endif
