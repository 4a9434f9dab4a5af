/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * trace_show.c: a command trace for reading.
 *
 * Order is that of stamps: submission for commands and marks, happening for
 * events, their cut for survivors. The six times of a command are µs: the
 * first since the start of the drive's clock, the others since submission; "-"
 * is what did not happen.
 */
#include "trace_show.h"

#include <json-glib/json-glib.h>

struct line {
    guint64 stamp;
    guint64 number;             /* of the record; settles equal stamps */
    enum lab_trace_type type;
    guint index;
};

static int line_compare(const void *a, const void *b)
{
    const struct line *one = a;
    const struct line *two = b;

    if (one->stamp != two->stamp) {
        return one->stamp < two->stamp ? -1 : 1;
    }
    return one->number < two->number ? -1 : one->number > two->number;
}

static void line_add(GArray *lines, guint64 stamp,
                     const struct lab_trace_record *record, guint index)
{
    struct line line = { stamp, record->number, record->type, index };

    g_array_append_val(lines, line);
}

/* Survivors have no stamp of their own. */
static guint64 cut_stamp(const struct trace *trace, unsigned cut)
{
    for (guint i = 0; i < trace->events->len; i++) {
        const struct lab_trace_event *event = TRACE_EVENT(trace, i);

        if (event->kind == LAB_TRACE_CUT && cut-- == 0) {
            return event->stamp;
        }
    }
    return G_MAXUINT64;
}

static GArray *lines_of(const struct trace *trace)
{
    GArray *lines = g_array_new(FALSE, FALSE, sizeof(struct line));

    for (guint i = 0; i < trace->commands->len; i++) {
        const struct lab_trace_command *one = TRACE_COMMAND(trace, i);

        line_add(lines, one->submitted_stamp, &one->record, i);
    }
    for (guint i = 0; i < trace->marks->len; i++) {
        const struct lab_trace_mark *one = &TRACE_MARK(trace, i)->mark;

        line_add(lines, one->submitted_stamp, &one->record, i);
    }
    for (guint i = 0; i < trace->events->len; i++) {
        const struct lab_trace_event *one = TRACE_EVENT(trace, i);

        line_add(lines, one->stamp, &one->record, i);
    }
    for (guint i = 0; i < trace->survivors->len; i++) {
        const struct trace_survivor *one = TRACE_SURVIVOR(trace, i);

        line_add(lines, cut_stamp(trace, one->cut), &one->survivor.record, i);
    }
    g_array_sort(lines, line_compare);
    return lines;
}

static const char *event_name(guint32 kind)
{
    static const char *const names[] = {
        [LAB_TRACE_ENABLE] = "enable", [LAB_TRACE_DISABLE] = "disable",
        [LAB_TRACE_SHUTDOWN] = "shutdown", [LAB_TRACE_RESET] = "reset",
        [LAB_TRACE_CUT] = "cut", [LAB_TRACE_POWER_ON] = "power-on",
        [LAB_TRACE_VWC] = "vwc", [LAB_TRACE_NAMESPACE] = "namespace",
        [LAB_TRACE_HOLD] = "hold", [LAB_TRACE_PARKED] = "parked",
        [LAB_TRACE_RESUMED] = "resumed",
        [LAB_TRACE_HOLD_ENDED] = "hold-ended",
    };

    return kind < G_N_ELEMENTS(names) && names[kind] ? names[kind] : "event?";
}

static const char *mark_name(guint32 kind)
{
    static const char *const names[] = {
        [LAB_MARK_NOTE] = "note", [LAB_MARK_BEGIN] = "begin",
        [LAB_MARK_ACK] = "ack", [LAB_MARK_END] = "end",
    };

    return kind < G_N_ELEMENTS(names) ? names[kind] : "mark?";
}

static const char *outcome_name(guint32 outcome)
{
    static const char *const names[] = {
        [LAB_TRACE_DROPPED] = "dropped", [LAB_TRACE_KEPT] = "kept",
        [LAB_TRACE_TORN] = "torn",
    };

    return outcome < G_N_ELEMENTS(names) ? names[outcome] : "outcome?";
}

static char *opcode_word(const struct lab_trace_command *command)
{
    bool is_admin = command->flags & LAB_TRACE_ADMIN;
    const char *name = trace_opcode_name(command->opcode, is_admin);
    const char *fua = command->flags & LAB_TRACE_FUA ? "+fua" : "";

    return name ? g_strconcat(name, fua, NULL)
                : g_strdup_printf("%s-%02x%s", is_admin ? "admin" : "io",
                                  command->opcode, fua);
}

static void show_later(FILE *out, guint64 at_ns, guint64 since_ns)
{
    if (at_ns) {
        fprintf(out, " %9.1f", ((double)at_ns - (double)since_ns) / 1e3);
    } else {
        fprintf(out, " %9s", "-");
    }
}

static void show_command(FILE *out, const struct lab_trace_command *command)
{
    g_autofree char *opcode = opcode_word(command);
    guint64 since = command->submitted_ns;

    fprintf(out, "%6" G_GUINT64_FORMAT " q%-3u ns%-2u %-13s",
            command->command_id, command->sqid, command->nsid, opcode);
    if (command->block_count) {
        fprintf(out, " %10" G_GUINT64_FORMAT "+%-5u", command->slba,
                command->block_count);
    } else {
        fprintf(out, " %16s", "");
    }
    fprintf(out, " %13.1f", (double)since / 1e3);
    show_later(out, command->fetched_ns, since);
    show_later(out, command->visible_ns, since);
    show_later(out, command->durable_ns, since);
    show_later(out, command->completed_ns, since);
    show_later(out, command->irq_ns, since);
    if (command->flags & LAB_TRACE_NO_CQE) {
        fputs(" unanswered", out);
    } else if (command->status) {
        fprintf(out, " status 0x%x", command->status);
    }
    fprintf(out, "%s\n", command->flags & LAB_TRACE_POLLED ? " polled" : "");
}

static const char *stage_name(guint64 stage)
{
    static const char *const names[LAB_HOLD_STAGES] = {
        [LAB_HOLD_FETCH] = "fetch", [LAB_HOLD_VISIBLE] = "visible",
        [LAB_HOLD_DURABLE] = "durable", [LAB_HOLD_CQE] = "cqe",
        [LAB_HOLD_IRQ] = "irq",
    };

    return stage < LAB_HOLD_STAGES ? names[stage] : "stage?";
}

static const char *resumed_name(guint32 how)
{
    static const char *const names[] = {
        [LAB_TRACE_RELEASED] = "released", [LAB_TRACE_TIMED] = "timed",
        [LAB_TRACE_LOST] = "interrupt lost", [LAB_TRACE_ABORTED] = "aborted",
        [LAB_TRACE_DELETED] = "queue deleted", [LAB_TRACE_BY_RESET] = "reset",
        [LAB_TRACE_BY_CUT] = "cut",
    };

    return how < G_N_ELEMENTS(names) && names[how] ? names[how] : "how?";
}

/* False: no event of held commands. */
static bool show_hold(FILE *out, const struct lab_trace_event *event)
{
    guint64 value = event->value;
    guint32 rule = LAB_TRACE_HELD_RULE(event->value2);
    const char *stage = stage_name(LAB_TRACE_HELD_STAGE(event->value2));

    switch (event->kind) {
    case LAB_TRACE_HOLD:
        fprintf(out, "  ---- hold: rule %" G_GUINT64_FORMAT " at %s\n", value,
                stage_name(event->value2));
        return true;
    case LAB_TRACE_PARKED:
        fprintf(out, "  ---- parked %" G_GUINT64_FORMAT ": rule %u at %s\n",
                value, rule, stage);
        return true;
    case LAB_TRACE_RESUMED:
        fprintf(out, "  ---- resumed %" G_GUINT64_FORMAT ": rule %u at %s, "
                "%s\n", value, rule, stage,
                resumed_name(LAB_TRACE_HELD_HOW(event->value2)));
        return true;
    case LAB_TRACE_HOLD_ENDED:
        fprintf(out, "  ---- hold-ended: rule %" G_GUINT64_FORMAT " parked %"
                G_GUINT64_FORMAT "\n", value, event->value2);
        return true;
    default:
        return false;
    }
}

static void show_event(FILE *out, const struct lab_trace_event *event)
{
    if (event->kind == LAB_TRACE_CUT) {
        g_autofree char *policy = trace_policy(event);

        fprintf(out, "  ---- cut %s\n", policy);
    } else if (!show_hold(out, event)) {
        fprintf(out, "  ---- %s %" G_GUINT64_FORMAT "\n",
                event_name(event->kind), event->value);
    }
}

static void show_line(const struct trace *trace, const struct line *line,
                      FILE *out)
{
    const struct trace_mark *mark;
    const struct lab_trace_survivor *one;

    switch (line->type) {
    case LAB_TRACE_COMMAND:
        show_command(out, TRACE_COMMAND(trace, line->index));
        break;
    case LAB_TRACE_MARK:
        mark = TRACE_MARK(trace, line->index);
        fprintf(out, "  ---- %s %" G_GUINT64_FORMAT " %s\n",
                mark_name(mark->mark.kind), mark->mark.id, mark->text);
        break;
    case LAB_TRACE_EVENT:
        show_event(out, TRACE_EVENT(trace, line->index));
        break;
    default:
        one = &TRACE_SURVIVOR(trace, line->index)->survivor;
        fprintf(out, "  ---- %s %" G_GUINT64_FORMAT " ns%u %" G_GUINT64_FORMAT
                "+%u, %u blocks kept\n", outcome_name(one->outcome),
                one->command_id, one->nsid, one->slba, one->block_count,
                one->blocks_kept);
        break;
    }
}

static void json_int(JsonBuilder *builder, const char *name, guint64 value)
{
    json_builder_set_member_name(builder, name);
    json_builder_add_int_value(builder, (gint64)value);
}

static void json_word(JsonBuilder *builder, const char *name,
                      const char *value)
{
    g_autofree char *valid = g_utf8_make_valid(value, -1);

    json_builder_set_member_name(builder, name);
    json_builder_add_string_value(builder, valid);
}

static void json_command(JsonBuilder *builder,
                         const struct lab_trace_command *command)
{
    g_autofree char *opcode = opcode_word(command);

    json_word(builder, "type", "command");
    json_word(builder, "op", opcode);
    json_int(builder, "id", command->command_id);
    json_int(builder, "sqid", command->sqid);
    json_int(builder, "nsid", command->nsid);
    json_int(builder, "opcode", command->opcode);
    json_int(builder, "flags", command->flags);
    json_int(builder, "status", command->status);
    json_int(builder, "slba", command->slba);
    json_int(builder, "blocks", command->block_count);
    json_int(builder, "submitted_stamp", command->submitted_stamp);
    json_int(builder, "visible_stamp", command->visible_stamp);
    json_int(builder, "completed_stamp", command->completed_stamp);
    json_int(builder, "submitted_ns", command->submitted_ns);
    json_int(builder, "fetched_ns", command->fetched_ns);
    json_int(builder, "visible_ns", command->visible_ns);
    json_int(builder, "durable_ns", command->durable_ns);
    json_int(builder, "completed_ns", command->completed_ns);
    json_int(builder, "irq_ns", command->irq_ns);
    json_int(builder, "unpromised_bytes", command->unpromised_bytes);
}

static void json_mark(JsonBuilder *builder, const struct trace_mark *mark)
{
    json_word(builder, "type", "mark");
    json_word(builder, "kind", mark_name(mark->mark.kind));
    json_int(builder, "id", mark->mark.id);
    json_word(builder, "text", mark->text);
    json_int(builder, "submitted_stamp", mark->mark.submitted_stamp);
    json_int(builder, "submitted_ns", mark->mark.submitted_ns);
    json_int(builder, "guest_ns", mark->mark.guest_ns);
}

static void json_event(JsonBuilder *builder,
                       const struct lab_trace_event *event)
{
    json_word(builder, "type", "event");
    json_word(builder, "kind", event_name(event->kind));
    json_int(builder, "stamp", event->stamp);
    json_int(builder, "value", event->value);
    json_int(builder, "value2", event->value2);
}

static void json_survivor(JsonBuilder *builder,
                          const struct lab_trace_survivor *survivor)
{
    json_word(builder, "type", "survivor");
    json_word(builder, "outcome", outcome_name(survivor->outcome));
    json_int(builder, "id", survivor->command_id);
    json_int(builder, "nsid", survivor->nsid);
    json_int(builder, "slba", survivor->slba);
    json_int(builder, "blocks", survivor->block_count);
    json_int(builder, "blocks_kept", survivor->blocks_kept);
}

static void json_line(const struct trace *trace, const struct line *line,
                      JsonBuilder *builder)
{
    json_builder_begin_object(builder);
    switch (line->type) {
    case LAB_TRACE_COMMAND:
        json_command(builder, TRACE_COMMAND(trace, line->index));
        break;
    case LAB_TRACE_MARK:
        json_mark(builder, TRACE_MARK(trace, line->index));
        break;
    case LAB_TRACE_EVENT:
        json_event(builder, TRACE_EVENT(trace, line->index));
        break;
    default:
        json_survivor(builder, &TRACE_SURVIVOR(trace, line->index)->survivor);
        break;
    }
    json_builder_end_object(builder);
}

static void json_print(JsonBuilder *builder, FILE *out)
{
    g_autoptr(JsonNode) root = json_builder_get_root(builder);
    g_autofree char *text = json_to_string(root, TRUE);

    fprintf(out, "%s\n", text);
}

static void show_text(const struct trace *trace, const GArray *lines,
                      FILE *out)
{
    fprintf(out, "# %s, drive %s\n", trace->header.serial,
            trace->header.drive);
    fprintf(out, "#%5s %-4s %-4s %-13s %-16s %13s %9s %9s %9s %9s %9s\n",
            "id", "sq", "ns", "command", "lba+blocks", "submitted/us",
            "fetched", "visible", "durable", "completed", "irq");
    for (guint i = 0; i < lines->len; i++) {
        show_line(trace, &g_array_index(lines, struct line, i), out);
    }
    if (!trace->has_end) {
        fputs("  ---- no END record: the process was killed\n", out);
    }
}

void trace_show(const struct trace *trace, enum trace_format format, FILE *out)
{
    g_autoptr(GArray) lines = lines_of(trace);
    g_autoptr(JsonBuilder) builder = NULL;

    if (format == TRACE_TEXT) {
        show_text(trace, lines, out);
        return;
    }
    builder = json_builder_new();
    json_builder_begin_object(builder);
    json_word(builder, "serial", trace->header.serial);
    json_word(builder, "drive", trace->header.drive);
    json_int(builder, "lost", trace->lost);
    json_builder_set_member_name(builder, "has_end");
    json_builder_add_boolean_value(builder, trace->has_end);
    json_builder_set_member_name(builder, "records");
    json_builder_begin_array(builder);
    for (guint i = 0; i < lines->len; i++) {
        json_line(trace, &g_array_index(lines, struct line, i), builder);
    }
    json_builder_end_array(builder);
    json_builder_end_object(builder);
    json_print(builder, out);
}
