/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * context_story.c: one repeat, told in the order of time.
 */
#include "context_story.h"

#include <string.h>

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
static const char *remark(const struct context_event *event)
{
    g_autofree char *returned = context_event_value(event, "ret");

    if (g_str_equal(event->name, "io_uring_queue_async_work")) {
        return ": punted to io-wq";
    }
    if (g_strcmp0(returned, "-11") == 0) {
        return ": would block (-EAGAIN)";
    }
    if (g_strcmp0(returned, "-529") == 0) {
        return ": queued (-EIOCBQUEUED)";
    }
    return "";
}

static void add(GPtrArray *lines, const struct context_repeat *repeat,
                guint64 time_ns, const char *place, const char *text)
{
    double ms = ((double)time_ns - (double)repeat->begin_ns) / 1e6;

    g_ptr_array_add(lines, g_strdup_printf("%+8.3f ms  %-14s %s", ms, place,
                                           text));
}

static void add_drive(GPtrArray *lines,
                      const struct lab_trace_command *command)
{
    const char *name = trace_opcode_name(command->opcode, false);

    g_ptr_array_add(lines, g_strdup_printf(
        "             drive          command %" G_GUINT64_FORMAT ": %s%s, "
        "queue %u, id %u, LBA %" G_GUINT64_FORMAT "+%u, answered after %.3f ms",
        command->command_id, name ? name : "?",
        command->flags & LAB_TRACE_FUA ? " with FUA" : "", command->sqid,
        command->cid, command->slba, command->block_count,
        (double)(command->completed_ns - command->submitted_ns) / 1e6));
}

GPtrArray *context_story(const struct context_repeat *repeat,
                         const struct context_event *setup,
                         const struct lab_trace_command *command)
{
    GPtrArray *lines = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *begin = g_strdup_printf("task %d begins", repeat->pid);
    g_autofree char *end = g_strdup_printf("task %d has the result %"
                                           G_GINT64_FORMAT, repeat->pid,
                                           repeat->outcome);

    g_ptr_array_add(lines, g_strdup_printf("repeat %u:", repeat->number));
    add(lines, repeat, repeat->begin_ns, "submitter", begin);
    for (guint i = 0; i < repeat->events->len; i++) {
        const struct context_event *event = repeat->events->pdata[i];
        g_autofree char *place = context_event_place(repeat, event);
        g_autofree char *args = args_brief(event);
        g_autofree char *text = g_strconcat(event->name, args, remark(event),
                                            NULL);

        add(lines, repeat, event->time_ns, place ? place : "?", text);
        if (event == setup && command) {
            add_drive(lines, command);
        }
    }
    add(lines, repeat, repeat->ack_ns, "submitter", end);
    return lines;
}
