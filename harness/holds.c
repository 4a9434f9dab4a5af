/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * holds.c: forgotten holds; see holds.h.
 *
 * A step that holds something begins with the mark BEGIN and ends with END of
 * the same id, or with a power cut, which ends all holds (docs/holds.md). Rules
 * that were armed in between and not ended, and commands parked in between and
 * not resumed, were forgotten; what the guest does about it comes behind END.
 */
#include "holds.h"

#include <string.h>

#define NOTE_PREFIX "hold forgotten "

struct span {
    guint64 begin;
    guint64 end;
};

static void found(struct case_result *result, const char *text)
{
    if (verdict_is_ok(result->verdict)) {
        case_result_set(result, VERDICT_FAIL, "forgotten hold: %s", text);
    }
}

void holds_judge_notes(struct case_result *result)
{
    for (guint i = 0; i < result->notes->len;) {
        const char *note = result->notes->pdata[i];

        if (!g_str_has_prefix(note, NOTE_PREFIX)) {
            i++;
            continue;
        }
        found(result, note + strlen(NOTE_PREFIX));
        g_ptr_array_remove_index(result->notes, i);
    }
}

/* The first of these from a stamp on; G_MAXUINT64: there is none. */
static guint64 event_after(const struct trace *trace, guint64 stamp,
                           guint32 kind, guint64 value)
{
    for (guint i = 0; i < trace->events->len; i++) {
        const struct lab_trace_event *event = TRACE_EVENT(trace, i);

        if (event->kind == kind && event->stamp > stamp &&
            (kind == LAB_TRACE_CUT || event->value == value)) {
            return event->stamp;
        }
    }
    return G_MAXUINT64;
}

static guint64 end_mark(const struct trace *trace, guint64 stamp, guint64 id)
{
    for (guint i = 0; i < trace->marks->len; i++) {
        const struct lab_trace_mark *mark = &TRACE_MARK(trace, i)->mark;

        if (mark->kind == LAB_MARK_END && mark->id == id &&
            mark->submitted_stamp > stamp) {
            return mark->submitted_stamp;
        }
    }
    return G_MAXUINT64;
}

/* The guest says what it is about to hold in a mark. */
static const char *name_before(const struct trace *trace,
                               const struct span *span, guint64 stamp)
{
    const char *name = "an unnamed hold";
    guint64 latest = span->begin;

    for (guint i = 0; i < trace->marks->len; i++) {
        const struct trace_mark *mark = TRACE_MARK(trace, i);

        if (mark->mark.kind == LAB_MARK_NOTE &&
            mark->mark.submitted_stamp < stamp &&
            mark->mark.submitted_stamp > latest) {
            latest = mark->mark.submitted_stamp;
            name = mark->text;
        }
    }
    return name;
}

static void judge_rule(const struct trace *trace, const struct span *span,
                       const struct lab_trace_event *hold,
                       struct case_result *result)
{
    g_autofree char *text = NULL;

    if (event_after(trace, hold->stamp, LAB_TRACE_HOLD_ENDED, hold->value) <
        span->end) {
        return;
    }
    text = g_strdup_printf("%s: rule %" G_GUINT64_FORMAT " was not released",
                           name_before(trace, span, hold->stamp),
                           hold->value);
    found(result, text);
}

/* Rules from outside are nobody's, and so is what they park. */
static bool is_own_rule(const struct trace *trace, const struct span *span,
                        guint32 rule, guint64 stamp)
{
    for (guint i = 0; i < trace->events->len; i++) {
        const struct lab_trace_event *event = TRACE_EVENT(trace, i);

        if (event->kind == LAB_TRACE_HOLD && event->value == rule &&
            event->stamp > span->begin && event->stamp < stamp) {
            return true;
        }
    }
    return false;
}

static void judge_parked(const struct trace *trace, const struct span *span,
                         const struct lab_trace_event *parked,
                         struct case_result *result)
{
    guint32 rule = LAB_TRACE_HELD_RULE(parked->value2);
    g_autofree char *text = NULL;

    if (!is_own_rule(trace, span, rule, parked->stamp) ||
        event_after(trace, parked->stamp, LAB_TRACE_RESUMED, parked->value) <
        span->end) {
        return;
    }
    text = g_strdup_printf("command %" G_GUINT64_FORMAT " is still parked, by "
                           "rule %u", parked->value, rule);
    found(result, text);
}

static void judge_span(const struct trace *trace, const struct span *span,
                       struct case_result *result)
{
    for (guint i = 0; i < trace->events->len; i++) {
        const struct lab_trace_event *event = TRACE_EVENT(trace, i);

        if (event->stamp < span->begin || event->stamp > span->end) {
            continue;
        }
        if (event->kind == LAB_TRACE_HOLD) {
            judge_rule(trace, span, event, result);
        } else if (event->kind == LAB_TRACE_PARKED) {
            judge_parked(trace, span, event, result);
        }
    }
}

void holds_judge_trace(const struct trace *trace, struct case_result *result)
{
    for (guint i = 0; i < trace->marks->len; i++) {
        const struct trace_mark *mark = TRACE_MARK(trace, i);
        struct span span = { .begin = mark->mark.submitted_stamp };

        if (mark->mark.kind != LAB_MARK_BEGIN ||
            !g_str_equal(mark->text, result->name)) {
            continue;
        }
        span.end = end_mark(trace, span.begin, mark->mark.id);
        if (event_after(trace, span.begin, LAB_TRACE_CUT, 0) >= span.end) {
            judge_span(trace, &span, result);
        }
    }
}
