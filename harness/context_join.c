/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * context_join.c: guest and drive, brought together; see context_join.h.
 *
 * Commands. An operation can become several commands (split), and a command
 * can carry more than the operation's blocks (merge), so the join is by blocks
 * and many to many: every nvme_setup_cmd that touches the operation's range,
 * and every command of the drive that does so between the marks BEGIN and ACK.
 * Two are one when queue, command id and blocks are the same. All have to be
 * joined, together they have to cover the range, and all have to be answered
 * before ACK.
 *
 * Clocks. A mark has the guest's clock, read before its doorbell, and the
 * drive's at the doorbell and at its execution; the guest goes on when it has
 * been answered. With offset = drive - guest:
 *
 *      guest clock in a mark  <=  its doorbell     offset <= doorbell - clock
 *      execution of BEGIN     <=  begin_ns         offset >= exec - begin_ns
 *      execution of ACK       <=  clock in END     offset >= exec - clock
 *
 * Only the marks of the same repeat are used, so drift does not count. What
 * the drive did must fit between the guest's events within that bound; once it
 * does, those events narrow the bound further.
 */
#include "context_join.h"

/* The trace clock is cut to whole microseconds. */
#define TRACE_CLOCK_GRAIN_NS 999

struct context_join context_join_new(void)
{
    return (struct context_join){
        .links = g_array_new(FALSE, FALSE, sizeof(struct context_link)),
    };
}

void context_join_clear(struct context_join *join)
{
    g_array_unref(join->links);
}

struct marks {
    const struct lab_trace_mark *begin, *ack, *end;
};

/* The marks of the Nth repeat; false: one of them is not there. */
static bool find_marks(const struct trace *trace, const char *name,
                       unsigned number, struct marks *found)
{
    unsigned seen = 0;

    for (guint i = 0; i < trace->marks->len; i++) {
        const struct trace_mark *one = TRACE_MARK(trace, i);
        const struct lab_trace_mark *mark = &one->mark;

        if (mark->kind == LAB_MARK_BEGIN &&
            g_strcmp0(one->text, name) == 0 && ++seen == number) {
            found->begin = mark;
        } else if (!found->begin || mark->id != found->begin->id) {
            continue;
        } else if (mark->kind == LAB_MARK_ACK && !found->ack) {
            found->ack = mark;
        } else if (mark->kind == LAB_MARK_END && found->ack) {
            found->end = mark;
            return true;
        }
    }
    return false;
}

static bool tie_clocks(const struct context_repeat *repeat,
                       const struct marks *marks, struct context_clock *clock)
{
    const struct lab_trace_mark *const all[] = { marks->begin, marks->ack,
                                                 marks->end };

    clock->most_ns = G_MAXINT64;
    for (gsize i = 0; i < G_N_ELEMENTS(all); i++) {
        clock->most_ns = MIN(clock->most_ns, (gint64)(all[i]->submitted_ns -
                                                      all[i]->guest_ns));
    }
    clock->least_ns =
        MAX((gint64)(marks->begin->record.time_ns - repeat->begin_ns),
            (gint64)(marks->ack->record.time_ns - marks->end->guest_ns));
    return clock->least_ns <= clock->most_ns;
}

gint64 context_clock_guest_ns(const struct context_clock *clock,
                              guint64 drive_ns)
{
    return (gint64)drive_ns -
           (clock->least_ns + (clock->most_ns - clock->least_ns) / 2);
}

guint64 context_clock_bound_ns(const struct context_clock *clock)
{
    return (guint64)(clock->most_ns - clock->least_ns + 1) / 2;
}

/* The blocks that an nvme_setup_cmd speaks about; false: it has none. */
static bool setup_blocks(const struct context_event *event, guint64 *slba,
                         guint64 *count)
{
    if (!context_event_number(event, "slba", slba) ||
        !context_event_number(event, "len", count)) {
        return false;
    }
    (*count)++;                 /* 0's based, as on the wire */
    return true;
}

static bool touches(const struct context_repeat *repeat, guint64 slba,
                    guint64 count)
{
    return slba < repeat->slba + repeat->blocks && repeat->slba < slba + count;
}

/* Commands of the drive that carry blocks of the operation. */
static GPtrArray *drive_commands(const struct context_repeat *repeat,
                                 const struct trace *trace,
                                 const struct marks *marks)
{
    GPtrArray *found = g_ptr_array_new();

    for (guint i = 0; i < trace->commands->len; i++) {
        const struct lab_trace_command *command = TRACE_COMMAND(trace, i);

        if (!(command->flags & LAB_TRACE_ADMIN) &&
            command->nsid == repeat->nsid &&
            command->submitted_stamp > marks->begin->submitted_stamp &&
            command->submitted_stamp < marks->ack->submitted_stamp &&
            touches(repeat, command->slba, command->block_count)) {
            g_ptr_array_add(found, (gpointer)command);
        }
    }
    return found;
}

/* Takes the command that event set up out of the list; NULL: there is none. */
static const struct lab_trace_command *take_command(
    GPtrArray *commands, const struct context_event *event)
{
    guint64 queue, id, slba, count;

    if (!context_event_number(event, "qid", &queue) ||
        !context_event_number(event, "cmdid", &id) ||
        !setup_blocks(event, &slba, &count)) {
        return NULL;
    }
    for (guint i = 0; i < commands->len; i++) {
        const struct lab_trace_command *command = commands->pdata[i];

        if (command->sqid == queue && command->cid == id &&
            command->slba == slba && command->block_count == count) {
            g_ptr_array_remove_index(commands, i);
            return command;
        }
    }
    return NULL;
}

static const struct context_event *find_answer(
    const struct context_repeat *repeat, const struct context_link *link)
{
    for (guint i = 0; i < repeat->events->len; i++) {
        const struct context_event *event = repeat->events->pdata[i];
        guint64 queue, id;

        if (g_str_equal(event->name, "nvme_complete_rq") &&
            event->time_ns >= link->setup->time_ns &&
            context_event_number(event, "qid", &queue) &&
            context_event_number(event, "cmdid", &id) &&
            queue == link->command->sqid && id == link->command->cid) {
            return event;
        }
    }
    return NULL;
}

static bool refuse(struct case_result *result,
                   const struct context_repeat *repeat, const char *format,
                   ...) G_GNUC_PRINTF(3, 4);

static bool refuse(struct case_result *result,
                   const struct context_repeat *repeat, const char *format,
                   ...)
{
    g_autofree char *why = NULL;
    va_list ap;

    va_start(ap, format);
    why = g_strdup_vprintf(format, ap);
    va_end(ap);
    case_result_set(result, VERDICT_ERROR, "repeat %u cannot be joined: %s",
                    repeat->number, why);
    return false;
}

static bool make_links(const struct context_repeat *repeat,
                       GPtrArray *commands, struct context_join *join,
                       struct case_result *result)
{
    for (guint i = 0; i < repeat->events->len; i++) {
        struct context_link link = { .setup = repeat->events->pdata[i] };
        guint64 slba, count;

        if (!g_str_equal(link.setup->name, "nvme_setup_cmd") ||
            !setup_blocks(link.setup, &slba, &count) ||
            !touches(repeat, slba, count)) {
            continue;
        }
        link.command = take_command(commands, link.setup);
        if (!link.command) {
            return refuse(result, repeat, "the drive has no command %s",
                          link.setup->args);
        }
        link.answer = find_answer(repeat, &link);
        if (!link.answer) {
            return refuse(result, repeat, "the driver never completed %s",
                          link.setup->args);
        }
        g_array_append_val(join->links, link);
    }
    if (commands->len) {
        const struct lab_trace_command *left = commands->pdata[0];

        return refuse(result, repeat, "no probe saw command %" G_GUINT64_FORMAT
                      " of the drive, queue %u, id %u, LBA %" G_GUINT64_FORMAT
                      "+%u", left->command_id, left->sqid, left->cid,
                      left->slba, left->block_count);
    }
    return true;
}

/* Each block of the operation is in some command. */
static bool check_cover(const struct context_repeat *repeat,
                        const struct context_join *join,
                        struct case_result *result)
{
    guint64 next = repeat->slba;
    bool is_moving = true;

    while (is_moving && next < repeat->slba + repeat->blocks) {
        is_moving = false;
        for (guint i = 0; i < join->links->len; i++) {
            const struct lab_trace_command *command =
                CONTEXT_LINK(join, i)->command;

            if (command->slba <= next &&
                command->slba + command->block_count > next) {
                next = command->slba + command->block_count;
                is_moving = true;
            }
        }
    }
    if (next < repeat->slba + repeat->blocks) {
        return refuse(result, repeat, "%u commands, none with LBA %"
                      G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT "+%"
                      G_GUINT64_FORMAT, join->links->len, next, repeat->slba,
                      repeat->blocks);
    }
    return true;
}

/* What came first at one side came first at the other. */
static bool check_order(const struct context_repeat *repeat,
                        const struct context_join *join,
                        const struct context_link *link,
                        struct case_result *result)
{
    const struct lab_trace_command *command = link->command;
    const struct context_clock *clock = &join->best;
    gint64 rung = (gint64)command->submitted_ns - clock->least_ns;
    gint64 answered = (gint64)command->completed_ns - clock->most_ns;
    double bound_ms = (double)context_clock_bound_ns(clock) / 1e6;

    if (rung < (gint64)link->setup->time_ns) {
        return refuse(result, repeat, "the doorbell of command %"
                      G_GUINT64_FORMAT " is %.3f ms before its nvme_setup_cmd, "
                      "clocks known to %.3f ms", command->command_id,
                      (double)((gint64)link->setup->time_ns - rung) / 1e6,
                      bound_ms);
    }
    if (answered > (gint64)link->answer->time_ns + TRACE_CLOCK_GRAIN_NS) {
        return refuse(result, repeat, "the CQE of command %" G_GUINT64_FORMAT
                      " is %.3f ms behind its nvme_complete_rq, clocks known "
                      "to %.3f ms", command->command_id,
                      (double)(answered - (gint64)link->answer->time_ns) / 1e6,
                      bound_ms);
    }
    return true;
}

/* The doorbell follows the setup, and the answer follows the CQE. */
static bool narrow(struct context_clock *clock,
                   const struct context_link *link)
{
    const struct lab_trace_command *command = link->command;

    clock->most_ns = MIN(clock->most_ns,
                         (gint64)(command->submitted_ns -
                                  link->setup->time_ns));
    clock->least_ns = MAX(clock->least_ns,
                          (gint64)(command->completed_ns -
                                   link->answer->time_ns) -
                          TRACE_CLOCK_GRAIN_NS);
    return clock->least_ns <= clock->most_ns;
}

static bool check_links(const struct context_repeat *repeat,
                        struct context_join *join, const struct marks *marks,
                        struct case_result *result)
{
    join->best = join->clock;
    for (guint i = 0; i < join->links->len; i++) {
        const struct context_link *link = CONTEXT_LINK(join, i);

        if (!link->command->completed_stamp ||
            link->command->completed_stamp > marks->ack->submitted_stamp) {
            case_result_set(result, VERDICT_FAIL, "repeat %u was acknowledged "
                            "before the drive answered command %"
                            G_GUINT64_FORMAT, repeat->number,
                            link->command->command_id);
            return false;
        }
        if (!check_order(repeat, join, link, result)) {
            return false;
        }
        if (!narrow(&join->best, link)) {
            return refuse(result, repeat, "command %" G_GUINT64_FORMAT
                          " took the drive longer than the driver waited",
                          link->command->command_id);
        }
    }
    return true;
}

bool context_join(const struct context_repeat *repeat,
                  const struct trace *trace, const char *name,
                  struct context_join *join, struct case_result *result)
{
    g_autoptr(GPtrArray) commands = NULL;
    struct marks marks = { 0 };

    if (!find_marks(trace, name, repeat->number, &marks)) {
        return refuse(result, repeat, "no BEGIN, ACK and END mark in %s",
                      trace->path);
    }
    if (!tie_clocks(repeat, &marks, &join->clock)) {
        join->is_untied = true;
        return false;
    }
    commands = drive_commands(repeat, trace, &marks);
    return make_links(repeat, commands, join, result) &&
           check_cover(repeat, join, result) &&
           check_links(repeat, join, &marks, result);
}
