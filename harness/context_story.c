/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * context_story.c: one repeat, told in the order of time.
 */
#include "context_story.h"

#include "context_punt.h"

static char *args_brief(const struct context_event *event)
{
    static const char *const keys[] = { "qid", "cmdid", "slba", "len",
                                        "status", "ret", "res" };
    GString *text = g_string_new(NULL);

    for (gsize i = 0; i < G_N_ELEMENTS(keys); i++) {
        g_autofree char *value = context_event_value(event, keys[i]);

        if (value) {
            g_string_append_printf(text, " %s=%s", keys[i], value);
        }
    }
    return g_string_free(text, FALSE);
}

/* -EAGAIN under IOCB_NOWAIT is why io_uring turns to io-wq. */
static char *remark(const struct context_repeat *repeat,
                    const struct context_event *event)
{
    g_autofree char *returned = context_event_value(event, "ret");

    if (g_str_equal(event->name, "io_uring_queue_async_work")) {
        return g_strdup_printf(": punted to io-wq (%s)",
                               context_punt_reason(repeat));
    }
    if (g_strcmp0(returned, "-11") == 0) {
        return g_strdup(": would block (-EAGAIN)");
    }
    if (g_strcmp0(returned, "-529") == 0) {
        return g_strdup(": queued (-EIOCBQUEUED)");
    }
    return g_strdup("");
}

static void add(GPtrArray *lines, const struct context_repeat *repeat,
                gint64 time_ns, const char *place, const char *text)
{
    double ms = ((double)time_ns - (double)repeat->begin_ns) / 1e6;

    g_ptr_array_add(lines, g_strdup_printf("at %+9.3f ms  %-14s %s", ms, place,
                                           text));
}

/* How many of the command's blocks are the operation's. */
static guint64 shared_blocks(const struct context_repeat *repeat,
                             const struct lab_trace_command *command)
{
    guint64 from = MAX(repeat->slba, command->slba);
    guint64 to = MIN(repeat->slba + repeat->blocks,
                     command->slba + command->block_count);

    return to > from ? to - from : 0;
}

static void add_doorbell(GPtrArray *lines, const struct context_tale *tale,
                         const struct lab_trace_command *command)
{
    const char *name = trace_opcode_name(command->opcode, false);
    guint64 shared = shared_blocks(tale->repeat, command);
    g_autofree char *part = shared == command->block_count ? g_strdup("")
        : g_strdup_printf(", %" G_GUINT64_FORMAT " blocks of this operation",
                          shared);
    g_autofree char *text = g_strdup_printf(
        "command %" G_GUINT64_FORMAT ": %s%s, queue %u, id %u, LBA %"
        G_GUINT64_FORMAT "+%u%s", command->command_id, name ? name : "?",
        command->flags & LAB_TRACE_FUA ? " with FUA" : "", command->sqid,
        command->cid, command->slba, command->block_count, part);

    add(lines, tale->repeat,
        context_clock_guest_ns(&tale->join->best, command->submitted_ns),
        "drive", text);
}

static void add_cqe(GPtrArray *lines, const struct context_tale *tale,
                    const struct lab_trace_command *command)
{
    g_autofree char *text = g_strdup_printf(
        "command %" G_GUINT64_FORMAT ": answered after %.3f ms%s%s",
        command->command_id,
        (double)(command->completed_ns - command->submitted_ns) / 1e6,
        command->irq_ns ? ", interrupt" : "",
        command->flags & LAB_TRACE_DURABLE ? ", durable" : "");

    add(lines, tale->repeat,
        context_clock_guest_ns(&tale->join->best, command->completed_ns),
        "drive", text);
}

static void add_event(GPtrArray *lines, const struct context_tale *tale,
                      const struct context_event *event)
{
    g_autofree char *place = context_event_place(tale->repeat, event);
    g_autofree char *args = args_brief(event);
    g_autofree char *why = remark(tale->repeat, event);
    g_autofree char *text = g_strconcat(event->name, args, why, NULL);

    add(lines, tale->repeat, (gint64)event->time_ns, place ? place : "?",
        text);
}

/* What the drive did stands between what the driver did. */
static void add_events(GPtrArray *lines, const struct context_tale *tale)
{
    const GPtrArray *events = tale->repeat->events;

    for (guint i = 0; i < events->len; i++) {
        const struct context_event *event = events->pdata[i];
        const struct lab_trace_command *begun = NULL;

        for (guint j = 0; j < tale->join->links->len; j++) {
            const struct context_link *link = CONTEXT_LINK(tale->join, j);

            if (link->answer == event) {
                add_cqe(lines, tale, link->command);
            }
            begun = link->setup == event ? link->command : begun;
        }
        add_event(lines, tale, event);
        if (begun) {
            add_doorbell(lines, tale, begun);
        }
    }
}

/* What the application is told its result by. */
static const char *result_word(const char *issuer)
{
    if (g_str_equal(issuer, "sync")) {
        return "call returns";
    }
    return g_str_equal(issuer, "libaio") ? "has an io_event with"
                                         : "has a CQE with";
}

GPtrArray *context_story(const struct context_tale *tale)
{
    const struct context_repeat *repeat = tale->repeat;
    GPtrArray *lines = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *begin = g_strdup_printf("task %d: %s through %s",
                                             repeat->pid, tale->op,
                                             tale->issuer);
    g_autofree char *end = g_strdup_printf("task %d: %s %" G_GINT64_FORMAT,
                                           repeat->pid,
                                           result_word(tale->issuer),
                                           repeat->outcome);
    const GArray *links = tale->join->links;

    g_ptr_array_add(lines, links->len
        ? g_strdup_printf("repeat %u: the drive's times are known to +-%.3f "
                          "ms", repeat->number,
                          (double)context_clock_bound_ns(&tale->join->clock) /
                          1e6)
        : g_strdup_printf("repeat %u: no command was joined",
                          repeat->number));
    add(lines, repeat, (gint64)repeat->begin_ns, "submitter", begin);
    add_events(lines, tale);
    add(lines, repeat, (gint64)repeat->ack_ns, "submitter", end);
    return lines;
}
