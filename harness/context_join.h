/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * context_join.h: one repeat as both sides saw it: the driver's commands and
 * the drive's, and how the two clocks stand to each other.
 */
#ifndef HARNESS_CONTEXT_JOIN_H
#define HARNESS_CONTEXT_JOIN_H

#include "context_event.h"
#include "result.h"
#include "trace.h"

/* One command that carries blocks of the operation. */
struct context_link {
    const struct context_event *setup;      /* the driver has it */
    const struct context_event *answer;     /* the driver has its CQE */
    const struct lab_trace_command *command;
};

/* Drive's clock minus the guest's: somewhere from least to most. */
struct context_clock {
    gint64 least_ns, most_ns;
};

struct context_join {
    GArray *links;              /* struct context_link, by setup */
    struct context_clock clock; /* by the marks alone */
    struct context_clock best;  /* and by what must have come first */
    bool is_untied;             /* the marks contradict each other */
};

#define CONTEXT_LINK(join, i) \
    (&g_array_index((join)->links, struct context_link, (i)))

struct context_join context_join_new(void);
void context_join_clear(struct context_join *join);

/*
 * False, with the reason in result, when there is an event or a command left
 * without its other side. name: of the case, as in its marks.
 */
bool context_join(const struct context_repeat *repeat,
                  const struct trace *trace, const char *name,
                  struct context_join *join, struct case_result *result);

/* A moment of the drive on the guest's clock, and how far off it can be. */
gint64 context_clock_guest_ns(const struct context_clock *clock,
                              guint64 drive_ns);
guint64 context_clock_bound_ns(const struct context_clock *clock);

#endif
