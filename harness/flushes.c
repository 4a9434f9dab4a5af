/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * flushes.c: the judge of one flush case.
 *
 * A case is what the drive saw of one namespace between the BEGIN and the END
 * mark of that name (a context case: of each repeat). Three questions, in this
 * order of weight:
 *
 *   missing    data that the operation had to make durable and that had no
 *              promise (promise.c) when the ACK mark was submitted
 *   redundant  a Flush that found nothing to promise, or any Flush or FUA in an
 *              operation that promises nothing, or FUA without a cache to
 *              bypass; allowed only where the expectation row lists it
 *   expected   the commands, in order of submission, fit the row's pattern
 *
 * The first two are computed and need no row. No row is an error, never an
 * answer to learn.
 */
#include "flushes.h"

#include <string.h>

/* What must be durable at ACK. */
enum duty {
    DUTY_NOTHING,               /* a plain write promises nothing */
    DUTY_OWN,                   /* O_DSYNC, O_SYNC: what it wrote itself */
    DUTY_ALL,                   /* fsync: that, and all that was pending */
};

static const struct {
    const char *op;
    enum duty duty;
} duties[] = {
    { "read", DUTY_NOTHING },
    { "overwrite", DUTY_NOTHING },
    { "overwrite-cached", DUTY_NOTHING },
    { "extend", DUTY_NOTHING },
    { "unwritten", DUTY_NOTHING },
    { "overwrite-dsync", DUTY_OWN },
    { "overwrite-sync", DUTY_OWN },
    { "extend-dsync", DUTY_OWN },
    { "unwritten-dsync", DUTY_OWN },
    { "fsync-clean", DUTY_ALL },
    { "fdatasync-clean", DUTY_ALL },
    { "fsync-dirty", DUTY_ALL },
    { "fdatasync-dirty", DUTY_ALL },
};

static const struct {
    const char *target;
    guint32 nsid;
} targets[] = { { "raw", 1 }, { "xfs", 2 }, { "ext4", 3 } };

/*
 * How io_uring waits and whether other pages of the file are in memory decide
 * where a completion runs, not what is sent.
 */
static const struct {
    const char *word, *as;
} same_commands[] = {
    { "overwrite-cached", "overwrite" },
    { "defer_taskrun", "io_uring" },
    { "iopoll", "io_uring" },
};

/* One BEGIN…END of the case, with its commands by submission. */
struct span {
    const struct flushes_judge *judge;
    struct case_result *result;
    enum duty duty;
    guint32 nsid;
    guint64 begin, ack, end;    /* stamps */
    GArray *indices;            /* guint, into trace->commands */
};

bool flushes_name_parse(const char *text, struct flushes_name *name)
{
    g_auto(GStrv) words = g_strsplit(text, ".", -1);

    if (g_strv_length(words) != 4 || (!g_str_equal(words[0], "flush") &&
                                      !g_str_equal(words[0], "context"))) {
        return false;
    }
    name->group = g_strdup(words[0]);
    name->target = g_strdup(words[1]);
    name->op = g_strdup(words[2]);
    name->issuer = g_strdup(words[3]);
    return true;
}

void flushes_name_clear(struct flushes_name *name)
{
    g_free(name->group);
    g_free(name->target);
    g_free(name->op);
    g_free(name->issuer);
}

guint32 flushes_nsid(const char *target)
{
    for (gsize i = 0; i < G_N_ELEMENTS(targets); i++) {
        if (g_str_equal(targets[i].target, target)) {
            return targets[i].nsid;
        }
    }
    return 0;
}

static bool duty_find(const char *op, enum duty *duty)
{
    for (gsize i = 0; i < G_N_ELEMENTS(duties); i++) {
        if (g_str_equal(duties[i].op, op)) {
            *duty = duties[i].duty;
            return true;
        }
    }
    return false;
}

/* The word that the rows have for what a context case does. */
static const char *row_word(const char *word)
{
    for (gsize i = 0; i < G_N_ELEMENTS(same_commands); i++) {
        if (g_str_equal(same_commands[i].word, word)) {
            return same_commands[i].as;
        }
    }
    return word;
}

static bool command_kind(const struct lab_trace_command *command,
                         enum expect_command *kind)
{
    if (trace_is_flush(command)) {
        *kind = EXPECT_FLUSH;
        return true;
    }
    if (!trace_is_write(command)) {
        return false;
    }
    switch (command->opcode) {
    case NVME_OP_WRITE_ZEROES:
        *kind = EXPECT_WRITE_ZEROES;
        break;
    case NVME_OP_DATASET_MANAGEMENT:
        *kind = EXPECT_DEALLOCATE;
        break;
    default:
        *kind = command->flags & LAB_TRACE_FUA ? EXPECT_WRITE_FUA
                                               : EXPECT_WRITE;
        break;
    }
    return true;
}

static const struct lab_trace_command *span_command(const struct span *span,
                                                    guint position)
{
    guint index = g_array_index(span->indices, guint, position);

    return TRACE_COMMAND(span->judge->trace, index);
}

static const struct promise *span_promise(const struct span *span,
                                          guint position)
{
    guint index = g_array_index(span->indices, guint, position);

    return PROMISE(span->judge->promises, index);
}

static enum expect_command span_kind(const struct span *span, guint position)
{
    enum expect_command kind = EXPECT_WRITE;

    command_kind(span_command(span, position), &kind);
    return kind;
}

static bool in_namespace(const struct lab_trace_command *command, guint32 nsid)
{
    return command->nsid == nsid ||
           (trace_is_flush(command) && command->nsid == NVME_NSID_ALL);
}

static gint by_submission(gconstpointer a, gconstpointer b, gpointer data)
{
    const struct trace *trace = data;
    guint64 one = TRACE_COMMAND(trace, *(const guint *)a)->submitted_stamp;
    guint64 two = TRACE_COMMAND(trace, *(const guint *)b)->submitted_stamp;

    return one < two ? -1 : one > two;
}

static void span_collect(struct span *span)
{
    const struct trace *trace = span->judge->trace;

    for (guint i = 0; i < trace->commands->len; i++) {
        const struct lab_trace_command *command = TRACE_COMMAND(trace, i);
        enum expect_command kind;

        if (command->submitted_stamp > span->begin &&
            command->submitted_stamp < span->end &&
            command_kind(command, &kind) &&
            in_namespace(command, span->nsid)) {
            g_array_append_val(span->indices, i);
        }
    }
    g_array_sort_with_data(span->indices, by_submission, (gpointer)trace);
}

/* "W F WF", or "-" for nothing. */
static char *span_sequence(const struct span *span)
{
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < span->indices->len; i++) {
        if (i) {
            g_string_append_c(text, ' ');
        }
        g_string_append(text, expect_command_word(span_kind(span, i)));
    }
    if (!text->len) {
        g_string_append_c(text, '-');
    }
    return g_string_free(text, FALSE);
}

static bool owes(const struct span *span,
                 const struct lab_trace_command *command,
                 const struct promise *promise)
{
    if (!trace_is_write(command) || command->nsid != span->nsid ||
        command->submitted_stamp > span->ack) {
        return false;
    }
    if (command->submitted_stamp > span->begin) {
        return true;
    }
    /* Older data: fsync owes what was pending when it began. */
    return span->duty == DUTY_ALL && trace_is_completed(command) &&
           command->completed_stamp < span->begin &&
           (!promise->promised_stamp ||
            promise->promised_stamp > span->begin);
}

/* Pending writes of before a power cut or of nobody's are not owed. */
static guint64 last_cut_before(const struct trace *trace, guint64 stamp)
{
    guint64 cut = 0;

    for (guint i = 0; i < trace->events->len; i++) {
        const struct lab_trace_event *event = TRACE_EVENT(trace, i);

        if (event->kind == LAB_TRACE_CUT && event->stamp < stamp) {
            cut = MAX(cut, event->stamp);
        }
    }
    return cut;
}

static void judge_missing(struct span *span)
{
    const struct trace *trace = span->judge->trace;
    guint64 cut = last_cut_before(trace, span->begin);
    unsigned missing = 0;

    if (span->duty == DUTY_NOTHING) {
        return;
    }
    for (guint i = 0; i < trace->commands->len; i++) {
        const struct lab_trace_command *command = TRACE_COMMAND(trace, i);
        const struct promise *promise = PROMISE(span->judge->promises, i);

        if (command->submitted_stamp < cut || !owes(span, command, promise) ||
            (promise->promised_stamp &&
             promise->promised_stamp < span->ack)) {
            continue;
        }
        missing++;
        case_result_note(span->result, "missing: write of %u blocks at LBA %"
                         G_GUINT64_FORMAT " (command %" G_GUINT64_FORMAT
                         ") was acknowledged and not durable",
                         command->block_count, command->slba,
                         command->command_id);
    }
    span->result->missing += missing;
    if (missing) {
        case_result_set(span->result, VERDICT_FAIL,
                        "missing Flush or FUA: %u acknowledged %s not durable",
                        missing, missing == 1 ? "write is" : "writes are");
    }
}

/* NULL: the command was of use. */
static const char *why_redundant(const struct span *span, guint position)
{
    const struct promise *promise = span_promise(span, position);

    switch (span_kind(span, position)) {
    case EXPECT_FLUSH:
        if (!promise->pending_writes) {
            return "Flush with nothing to make durable";
        }
        return span->duty == DUTY_NOTHING
               ? "Flush in an operation that promises nothing" : NULL;
    case EXPECT_WRITE_FUA:
        if (!promise->had_vwc) {
            return "FUA without a volatile cache";
        }
        return span->duty == DUTY_NOTHING
               ? "FUA in an operation that promises nothing" : NULL;
    default:
        return NULL;
    }
}

static void judge_redundant(struct span *span, const struct expect_row *row,
                            const unsigned *token_of)
{
    for (guint i = 0; i < span->indices->len; i++) {
        const char *why = why_redundant(span, i);
        bool is_listed = token_of &&
            g_array_index(row->tokens, struct expect_token,
                          token_of[i]).is_redundant;

        if (why && is_listed) {
            span->result->redundant_listed++;
        } else if (why) {
            span->result->redundant_unlisted++;
            case_result_note(span->result, "redundant: %s (command %"
                             G_GUINT64_FORMAT ")", why,
                             span_command(span, i)->command_id);
            case_result_set(span->result, VERDICT_FAIL, "redundant: %s", why);
        } else if (is_listed) {
            case_result_set(span->result, VERDICT_FAIL,
                            "listed as redundant, but it made %"
                            G_GUINT64_FORMAT " writes durable: %s",
                            span_promise(span, i)->pending_writes,
                            expect_command_word(span_kind(span, i)));
        }
    }
}

static void judge_pattern(struct span *span, const struct expect_row *row)
{
    guint count = span->indices->len;
    g_autofree enum expect_command *kinds =
        g_new(enum expect_command, count + 1);
    g_autofree unsigned *token_of = g_new0(unsigned, count + 1);
    g_autofree char *sequence = span_sequence(span);
    bool is_match;

    for (guint i = 0; i < count; i++) {
        kinds[i] = span_kind(span, i);
    }
    is_match = expect_match(row, kinds, count, false, token_of);
    judge_redundant(span, row, is_match ? token_of : NULL);
    if (is_match) {
        return;
    }
    case_result_note(span->result, "expected %s: %s, %s, %s", row->pattern,
                     row->function, row->file, row->release);
    if (expect_match(row, kinds, count, true, token_of)) {
        case_result_set(span->result, VERDICT_FAIL,
                        "listed redundant command is gone: %s, listed %s",
                        sequence, row->pattern);
        return;
    }
    case_result_set(span->result, VERDICT_FAIL, "drive saw %s, expected %s",
                    sequence, row->pattern);
}

/* What is redundant, too, is only known from rows. */
static bool is_unread(const struct flushes_judge *judge)
{
    return judge->skips_unread &&
           !expect_has_kernel(judge->expect, judge->kernel_release);
}

static void judge_span(struct span *span, const struct flushes_name *name)
{
    struct case_result *result = span->result;
    struct expect_key key = {
        .kernel_release = span->judge->kernel_release,
        .target = name->target, .op = row_word(name->op),
        .issuer = row_word(name->issuer),
        .has_vwc = trace_ns_has_vwc(span->judge->trace, span->nsid),
    };
    const struct expect_row *row = expect_find(span->judge->expect, &key);

    span_collect(span);
    if (!result->commands) {
        result->commands = span_sequence(span);
    }
    judge_missing(span);
    if (!row && is_unread(span->judge)) {
        g_free(result->unread);
        result->unread =
            g_strdup_printf("nobody has read %s for %s: drive saw %s",
                            key.kernel_release, span->judge->expect->path,
                            result->commands);
        return;
    }
    if (!row) {
        judge_redundant(span, NULL, NULL);
        case_result_set(result, VERDICT_ERROR,
                        "unexplained: no row of %s for %s on %s, drive saw %s",
                        span->judge->expect->path, result->name,
                        key.kernel_release, result->commands);
        return;
    }
    if (!result->commands_source) {
        result->commands_source =
            g_strdup_printf("%s, %s, %s", row->function, row->file,
                            row->release);
    }
    judge_pattern(span, row);
}

/* The first mark of that kind and id after a stamp; 0: there is none. */
static guint64 mark_after(const struct trace *trace, guint64 stamp,
                          guint32 kind, guint64 id)
{
    guint64 first = 0;

    for (guint i = 0; i < trace->marks->len; i++) {
        const struct lab_trace_mark *mark = &TRACE_MARK(trace, i)->mark;

        if (mark->kind == kind && mark->id == id &&
            mark->submitted_stamp > stamp &&
            (!first || mark->submitted_stamp < first)) {
            first = mark->submitted_stamp;
        }
    }
    return first;
}

static void judge_begin(const struct flushes_judge *judge,
                        struct case_result *result,
                        const struct flushes_name *name, enum duty duty,
                        const struct lab_trace_mark *begin)
{
    struct span span = {
        .judge = judge, .result = result, .duty = duty,
        .nsid = flushes_nsid(name->target),
        .begin = begin->submitted_stamp,
    };

    span.end = mark_after(judge->trace, span.begin, LAB_MARK_END, begin->id);
    span.ack = mark_after(judge->trace, span.begin, LAB_MARK_ACK, begin->id);
    if (!span.end || !span.ack || span.ack > span.end) {
        case_result_set(result, VERDICT_ERROR,
                        "no ACK and END mark after BEGIN id %" G_GUINT64_FORMAT,
                        begin->id);
        return;
    }
    span.indices = g_array_new(FALSE, FALSE, sizeof(guint));
    judge_span(&span, name);
    g_array_unref(span.indices);
}

void flushes_judge(const struct flushes_judge *judge,
                   struct case_result *result)
{
    const struct trace *trace = judge->trace;
    struct flushes_name name = { 0 };
    enum duty duty;
    unsigned spans = 0;

    if (!flushes_name_parse(result->name, &name) ||
        !flushes_nsid(name.target) || !duty_find(name.op, &duty)) {
        case_result_set(result, VERDICT_ERROR,
                        "unexplained: no rule for the case %s", result->name);
        flushes_name_clear(&name);
        return;
    }
    for (guint i = 0; i < trace->marks->len; i++) {
        const struct trace_mark *mark = TRACE_MARK(trace, i);

        if (mark->mark.kind == LAB_MARK_BEGIN &&
            g_str_equal(mark->text, result->name)) {
            judge_begin(judge, result, &name, duty, &mark->mark);
            spans++;
        }
    }
    if (!spans) {
        case_result_set(result, VERDICT_ERROR, "no BEGIN mark in %s",
                        trace->path);
    }
    case_result_set(result, VERDICT_PASS, NULL);
    flushes_name_clear(&name);
}
