/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * promise.c: simulation of promises over a trace.
 *
 * The drive's own opinion (the flags of a record) is not asked: a drive that
 * lies would be believed. Only what went over the wire counts, in the order of
 * its stamps:
 *
 *   P1  a Flush promises what was completed before it was submitted, once it
 *       has completed with success
 *   P2  a FUA write promises itself on completion, and no other command
 *   P3  without a volatile cache a completed write is promised; switching the
 *       cache off promises everything completed
 *   P8  a completed shutdown promises everything completed; resets nothing
 *
 * A pending write whose blocks a promised later write has all replaced can no
 * longer come back (P6) and stops pending. A power cut ends what is pending.
 * Of a command with several ranges the record has only the sum: it replaces
 * nothing here and is replaced by nothing.
 */
#include "promise.h"

enum moment_kind {              /* at equal stamps, in this order */
    MOMENT_COMPLETED,
    MOMENT_EVENT,
    MOMENT_SUBMITTED,
};

struct moment {
    guint64 stamp;
    enum moment_kind kind;
    guint index;                /* of the command or event */
};

struct simulation {
    const struct trace *trace;
    GArray *promises;
    GArray *pending;            /* guint: commands completed, not promised */
    bool has_vwc;
};

static bool has_vwc(const struct simulation *sim,
                    const struct lab_trace_command *command)
{
    return sim->has_vwc && trace_ns_has_vwc(sim->trace, command->nsid);
}

static guint64 write_bytes(const struct lab_trace_command *command)
{
    return (guint64)command->block_count * command->block_size_bytes;
}

static int moment_compare(const void *a, const void *b)
{
    const struct moment *one = a;
    const struct moment *two = b;

    if (one->stamp != two->stamp) {
        return one->stamp < two->stamp ? -1 : 1;
    }
    return (int)one->kind - (int)two->kind;
}

static void moment_add(GArray *moments, guint64 stamp, enum moment_kind kind,
                       guint index)
{
    struct moment moment = { stamp, kind, index };

    g_array_append_val(moments, moment);
}

static GArray *moments_of(const struct trace *trace)
{
    GArray *moments = g_array_new(FALSE, FALSE, sizeof(struct moment));

    for (guint i = 0; i < trace->commands->len; i++) {
        const struct lab_trace_command *command = TRACE_COMMAND(trace, i);

        if (!trace_is_write(command) && !trace_is_flush(command)) {
            continue;
        }
        moment_add(moments, command->submitted_stamp, MOMENT_SUBMITTED, i);
        if (trace_is_completed(command)) {
            moment_add(moments, command->completed_stamp, MOMENT_COMPLETED, i);
        }
    }
    for (guint i = 0; i < trace->events->len; i++) {
        moment_add(moments, TRACE_EVENT(trace, i)->stamp, MOMENT_EVENT, i);
    }
    g_array_sort(moments, moment_compare);
    return moments;
}

static bool covers_nsid(guint32 flush_nsid, guint32 nsid)
{
    return flush_nsid == NVME_NSID_ALL || flush_nsid == nsid;
}

/* Whether the promised write leaves nothing of the pending one to come back. */
static bool replaces(const struct lab_trace_command *promised,
                     const struct lab_trace_command *pending)
{
    return promised->nsid == pending->nsid && pending->block_count &&
           !((promised->status_flags | pending->status_flags) &
             LAB_TRACE_RANGES) &&
           promised->visible_stamp > pending->visible_stamp &&
           promised->slba <= pending->slba &&
           promised->slba + promised->block_count >=
           pending->slba + pending->block_count;
}

/*
 * Take out of pending what the flush (NULL: everything completed) promises.
 */
static void promise_completed(struct simulation *sim,
                              const struct lab_trace_command *flush,
                              guint64 stamp)
{
    guint kept = 0;

    for (guint i = 0; i < sim->pending->len; i++) {
        guint index = g_array_index(sim->pending, guint, i);
        const struct lab_trace_command *write =
            TRACE_COMMAND(sim->trace, index);

        if (flush && (!covers_nsid(flush->nsid, write->nsid) ||
                      write->completed_stamp >= flush->submitted_stamp)) {
            g_array_index(sim->pending, guint, kept++) = index;
        } else {
            PROMISE(sim->promises, index)->promised_stamp = stamp;
        }
    }
    g_array_set_size(sim->pending, kept);
}

static void forget_replaced(struct simulation *sim,
                            const struct lab_trace_command *promised)
{
    guint kept = 0;

    for (guint i = 0; i < sim->pending->len; i++) {
        guint index = g_array_index(sim->pending, guint, i);

        if (!replaces(promised, TRACE_COMMAND(sim->trace, index))) {
            g_array_index(sim->pending, guint, kept++) = index;
        } else {
            PROMISE(sim->promises, index)->promised_stamp =
                promised->completed_stamp;
        }
    }
    g_array_set_size(sim->pending, kept);
}

static void on_completed(struct simulation *sim, guint index)
{
    const struct lab_trace_command *command =
        TRACE_COMMAND(sim->trace, index);

    if (trace_is_flush(command)) {
        promise_completed(sim, command, command->completed_stamp);
    } else if ((command->flags & LAB_TRACE_FUA) || !has_vwc(sim, command)) {
        PROMISE(sim->promises, index)->promised_stamp =
            command->completed_stamp;
        forget_replaced(sim, command);
    } else {
        g_array_append_val(sim->pending, index);
    }
}

static void on_submitted(struct simulation *sim, guint index)
{
    const struct lab_trace_command *command =
        TRACE_COMMAND(sim->trace, index);
    struct promise *promise = PROMISE(sim->promises, index);

    promise->had_vwc = has_vwc(sim, command);
    if (!trace_is_flush(command)) {
        return;
    }
    for (guint i = 0; i < sim->pending->len; i++) {
        const struct lab_trace_command *write =
            TRACE_COMMAND(sim->trace, g_array_index(sim->pending, guint, i));

        if (covers_nsid(command->nsid, write->nsid)) {
            promise->pending_writes++;
            promise->pending_bytes += write_bytes(write);
        }
    }
}

static void on_event(struct simulation *sim,
                     const struct lab_trace_event *event)
{
    switch (event->kind) {
    case LAB_TRACE_SHUTDOWN:
        promise_completed(sim, NULL, event->stamp);
        break;
    case LAB_TRACE_VWC:
        sim->has_vwc = event->value != 0;
        if (!sim->has_vwc) {
            promise_completed(sim, NULL, event->stamp);
        }
        break;
    case LAB_TRACE_CUT:
        g_array_set_size(sim->pending, 0);
        break;
    case LAB_TRACE_POWER_ON:
        /* Set Features 06h is not saved: the drive starts as configured. */
        sim->has_vwc = trace_has_vwc(sim->trace);
        break;
    default:
        break;
    }
}

GArray *promise_simulate(const struct trace *trace)
{
    struct simulation sim = {
        .trace = trace,
        .promises = g_array_new(FALSE, TRUE, sizeof(struct promise)),
        .pending = g_array_new(FALSE, FALSE, sizeof(guint)),
        .has_vwc = trace_has_vwc(trace),
    };
    g_autoptr(GArray) moments = moments_of(trace);

    g_array_set_size(sim.promises, trace->commands->len);
    for (guint i = 0; i < moments->len; i++) {
        const struct moment *moment = &g_array_index(moments, struct moment, i);

        switch (moment->kind) {
        case MOMENT_COMPLETED:
            on_completed(&sim, moment->index);
            break;
        case MOMENT_EVENT:
            on_event(&sim, TRACE_EVENT(trace, moment->index));
            break;
        case MOMENT_SUBMITTED:
            on_submitted(&sim, moment->index);
            break;
        }
    }
    g_array_unref(sim.pending);
    return sim.promises;
}
