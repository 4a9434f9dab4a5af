/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * context.c: the judge of one context case.
 *
 * Per repeat, and in this order:
 *
 *   join       the command that the driver set up for the operation's blocks is
 *              in the drive's trace, by queue, command id and first block,
 *              between the marks of that repeat
 *   raced      the drive answered before the submitter let go, so the issuing
 *              task completed it without having slept: legal, and no evidence.
 *              Not judged; a case with nothing else is an error
 *   never      a sync, or a completion that would do more than post a result,
 *              where it may not be (no row can allow it)
 *   words      ISSUED COMPLETED SYNCED
 *
 * All judged repeats must have the same words (else the case is flaky), and
 * those of the row. No row is an error, never an answer to learn.
 */
#include "context.h"

#include <string.h>

#include "context_event.h"
#include "context_story.h"

static const char *const places[] = {
    "hardirq", "softirq", "irq-thread", "polled", "task_work", "io-wq",
    "sqpoll", "submitter", "waiter", NULL
};

/* What an operation comes to its end in, the outermost first. */
static const char *const completions[] = {
    "iomap_dio_complete", "blkdev_bio_end_io_async", "blkdev_bio_end_io",
    "submit_bio_wait_returns", NULL
};

/* What one repeat shows; words is NULL when it cannot be said. */
struct sight {
    const struct context_repeat *repeat;
    const struct context_event *setup;      /* the command, at the driver */
    const struct context_event *end;
    const struct lab_trace_command *command;    /* the same, at the drive */
    bool is_raced;
    char *words;
};

struct cell {
    const struct context_judge *judge;
    struct case_result *result;
    char *target, *op, *issuer;
    GArray *sights;             /* struct sight */
};

static bool is_place(const char *word)
{
    return g_strv_contains(places, word) ||
           (g_str_has_prefix(word, "workqueue:") &&
            word[strlen("workqueue:")]);
}

bool context_pattern_check(const char *pattern)
{
    g_auto(GStrv) words = g_strsplit(pattern, " ", -1);

    return g_strv_length(words) == 3 && is_place(words[0]) &&
           is_place(words[1]) &&
           (is_place(words[2]) || g_str_equal(words[2], "-"));
}

static bool value_number(const struct context_event *event, const char *key,
                         guint64 *number)
{
    g_autofree char *text = context_event_value(event, key);

    return text &&
           g_ascii_string_to_unsigned(text, 10, 0, G_MAXUINT64, number, NULL);
}

/* A data command that touches the operation's blocks. */
static bool touches(const struct context_repeat *repeat,
                    const struct context_event *event)
{
    guint64 slba;
    guint64 length;             /* 0's based, as on the wire */

    return value_number(event, "slba", &slba) &&
           value_number(event, "len", &length) &&
           slba < repeat->slba + repeat->blocks &&
           slba + length >= repeat->slba;
}

/* Not the end of a Flush that a sync waits for. */
static bool is_of_data(const struct context_repeat *repeat,
                       const struct context_event *event)
{
    (void)repeat;
    return !context_event_below(event, "blkdev_issue_flush") &&
           !context_event_below(event, "blkdev_fsync") &&
           !context_event_below(event, "vfs_fsync_range");
}

/* The only event of a kind, if there is one; *count says how many. */
static const struct context_event *find_event(
    const struct context_repeat *repeat, const char *name,
    bool (*wanted)(const struct context_repeat *, const struct context_event *),
    unsigned *count)
{
    const struct context_event *first = NULL;

    *count = 0;
    for (guint i = 0; i < repeat->events->len; i++) {
        const struct context_event *event = repeat->events->pdata[i];

        if (g_str_equal(event->name, name) &&
            (!wanted || wanted(repeat, event))) {
            first = first ? first : event;
            (*count)++;
        }
    }
    return first;
}

/* The Nth BEGIN of this case, and the END behind it; false: there is none. */
static bool find_span(const struct cell *cell, unsigned number,
                      guint64 *begin, guint64 *end)
{
    const GArray *marks = cell->judge->trace->marks;
    unsigned seen = 0;
    guint64 id = 0;

    for (guint i = 0; i < marks->len; i++) {
        const struct trace_mark *mark = TRACE_MARK(cell->judge->trace, i);

        if (mark->mark.kind == LAB_MARK_BEGIN &&
            g_strcmp0(mark->text, cell->result->name) == 0 &&
            ++seen == number) {
            *begin = mark->mark.submitted_stamp;
            id = mark->mark.id;
        }
        if (mark->mark.kind == LAB_MARK_END && seen == number &&
            mark->mark.id == id) {
            *end = mark->mark.submitted_stamp;
            return true;
        }
    }
    return false;
}

/* The driver's command in the drive's trace. */
static bool join(struct cell *cell, struct sight *sight)
{
    const struct trace *trace = cell->judge->trace;
    guint64 begin = 0, end = 0, queue, id, slba;
    unsigned found = 0;

    if (!find_span(cell, sight->repeat->number, &begin, &end)) {
        case_result_set(cell->result, VERDICT_ERROR, "repeat %u has no BEGIN "
                        "and END mark in %s", sight->repeat->number,
                        trace->path);
        return false;
    }
    if (value_number(sight->setup, "qid", &queue) &&
        value_number(sight->setup, "cmdid", &id) &&
        value_number(sight->setup, "slba", &slba)) {
        for (guint i = 0; i < trace->commands->len; i++) {
            const struct lab_trace_command *command = TRACE_COMMAND(trace, i);

            if (command->submitted_stamp > begin &&
                command->submitted_stamp < end && command->sqid == queue &&
                command->cid == id && command->slba == slba &&
                command->nsid == sight->repeat->nsid) {
                sight->command = command;
                found++;
            }
        }
    }
    if (found != 1) {
        case_result_set(cell->result, VERDICT_ERROR, "repeat %u cannot be "
                        "joined: %u commands of the drive are %s",
                        sight->repeat->number, found, sight->setup->args);
    }
    return found == 1;
}

static bool is_atomic(const char *place)
{
    return g_str_equal(place, "hardirq") || g_str_equal(place, "softirq") ||
           g_str_equal(place, "polled");
}

/* What may not be, whatever the kernel: no row is asked. */
static void judge_never(struct cell *cell, const struct sight *sight,
                        const struct context_event *event, const char *place)
{
    bool is_sync = g_str_equal(event->name, "vfs_fsync_range") ||
                   g_str_equal(event->name, "blkdev_issue_flush");

    if ((is_sync && is_atomic(place)) ||
        (g_str_equal(event->name, "iomap_dio_complete") &&
         g_str_equal(place, "task_work"))) {
        case_result_set(cell->result, VERDICT_FAIL,
                        "never: %s in %s (repeat %u)", event->name, place,
                        sight->repeat->number);
    }
}

static char *place_of(struct cell *cell, const struct sight *sight,
                      const struct context_event *event)
{
    char *place = context_event_place(sight->repeat, event);

    if (!place) {
        case_result_set(cell->result, VERDICT_ERROR, "repeat %u: no word for "
                        "where %s ran, task %s-%d", sight->repeat->number,
                        event->name, event->comm, event->pid);
        return NULL;
    }
    judge_never(cell, sight, event, place);
    return place;
}

/* "-", or where the sync behind the operation was called. */
static char *sync_place(struct cell *cell, const struct sight *sight)
{
    g_autofree char *word = g_strdup("-");

    for (guint i = 0; i < sight->repeat->events->len; i++) {
        const struct context_event *event = sight->repeat->events->pdata[i];
        g_autofree char *place = NULL;

        if (!g_str_equal(event->name, "vfs_fsync_range") &&
            !g_str_equal(event->name, "blkdev_issue_flush")) {
            continue;
        }
        place = place_of(cell, sight, event);
        if (!place) {
            return NULL;
        }
        if (g_str_equal(event->name, "vfs_fsync_range")) {
            g_free(word);
            word = g_steal_pointer(&place);
        }
    }
    return g_steal_pointer(&word);
}

/* The issuing task ended it and had not slept, after an interrupt had come. */
static bool is_raced(const struct sight *sight, const char *ended)
{
    unsigned count;
    const struct context_event *answered =
        find_event(sight->repeat, "nvme_complete_rq", NULL, &count);
    g_autofree char *place =
        answered ? context_event_place(sight->repeat, answered) : NULL;

    return (g_str_equal(ended, "submitter") || g_str_equal(ended, "io-wq")) &&
           !context_event_waited(sight->repeat, sight->end) && place &&
           (g_str_equal(place, "hardirq") || g_str_equal(place, "softirq")) &&
           answered->time_ns <= sight->end->time_ns;
}

static bool find_setup(struct cell *cell, struct sight *sight)
{
    unsigned count;

    sight->setup = find_event(sight->repeat, "nvme_setup_cmd", touches,
                              &count);
    if (count == 1) {
        return true;
    }
    case_result_set(cell->result, VERDICT_ERROR, "repeat %u: %u commands for "
                    "its blocks, not 1", sight->repeat->number, count);
    return false;
}

static bool find_end(struct cell *cell, struct sight *sight)
{
    for (const char *const *name = completions; *name; name++) {
        unsigned count;

        sight->end = find_event(sight->repeat, *name, is_of_data, &count);
        if (count > 1) {
            case_result_set(cell->result, VERDICT_FAIL, "repeat %u: %s ran "
                            "%u times for one operation",
                            sight->repeat->number, *name, count);
            return false;
        }
        if (count) {
            return true;
        }
    }
    case_result_set(cell->result, VERDICT_ERROR, "repeat %u: no probe saw it "
                    "complete", sight->repeat->number);
    return false;
}

static void look(struct cell *cell, struct sight *sight)
{
    g_autofree char *issued = NULL;
    g_autofree char *ended = NULL;
    g_autofree char *synced = NULL;

    if (!sight->repeat->has_range) {
        case_result_set(cell->result, VERDICT_ERROR,
                        "repeat %u: the guest did not say which blocks",
                        sight->repeat->number);
        return;
    }
    if (!find_setup(cell, sight) || !find_end(cell, sight) ||
        !join(cell, sight)) {
        return;
    }
    issued = place_of(cell, sight, sight->setup);
    ended = place_of(cell, sight, sight->end);
    synced = sync_place(cell, sight);
    if (issued && ended && synced) {
        sight->is_raced = is_raced(sight, ended);
        sight->words = g_strjoin(" ", issued, ended, synced, NULL);
    }
}

/* The words of all judged repeats; NULL: no agreement, or nothing to judge. */
static const char *agreement(struct cell *cell)
{
    const char *words = NULL;
    unsigned raced = 0;

    for (guint i = 0; i < cell->sights->len; i++) {
        const struct sight *sight =
            &g_array_index(cell->sights, struct sight, i);

        raced += sight->is_raced;
        if (!sight->words || sight->is_raced) {
            continue;
        }
        if (words && !g_str_equal(words, sight->words)) {
            case_result_set(cell->result, VERDICT_FAIL, "flaky: '%s', but "
                            "'%s' in repeat %u", words, sight->words,
                            sight->repeat->number);
            return NULL;
        }
        words = sight->words;
    }
    if (!words) {
        case_result_set(cell->result, VERDICT_ERROR, "nothing to judge by: "
                        "the drive was faster than its submitter in %u of %u "
                        "repeats", raced, cell->sights->len);
    }
    return words;
}

static void judge_words(struct cell *cell)
{
    struct case_result *result = cell->result;
    struct expect_key key = {
        .kernel_release = cell->judge->kernel_release,
        .target = cell->target, .op = cell->op, .issuer = cell->issuer,
        .has_vwc = trace_has_vwc(cell->judge->trace),
    };
    const struct expect_row *row = expect_find(cell->judge->expect, &key);
    const char *words = agreement(cell);

    if (!words) {
        return;
    }
    result->context = g_strdup(words);
    if (!row) {
        case_result_set(result, VERDICT_ERROR,
                        "unexplained: no row of %s for %s on %s, saw '%s'",
                        cell->judge->expect->path, result->name,
                        key.kernel_release, words);
        return;
    }
    result->context_source = g_strdup_printf("%s, %s, %s", row->function,
                                             row->file, row->release);
    if (!g_str_equal(row->pattern, words)) {
        case_result_set(result, VERDICT_FAIL,
                        "saw '%s', expected '%s': %s", words, row->pattern,
                        result->context_source);
    }
}

/*
 * The guest's notes (whole in protocol.log) make room for the story of the
 * repeat that says most: the first one that is not like the others, or the
 * first.
 */
static void tell(struct cell *cell)
{
    const struct sight *told = NULL;
    g_autoptr(GPtrArray) story = NULL;

    for (guint i = 0; i < cell->sights->len; i++) {
        const struct sight *sight =
            &g_array_index(cell->sights, struct sight, i);

        if (!told || !sight->words ||
            (told->words && !sight->is_raced &&
             !g_str_equal(told->words, sight->words))) {
            told = sight;
        }
        if (!told->words) {
            break;
        }
    }
    story = context_story(told->repeat, told->setup, told->command);
    g_ptr_array_set_size(cell->result->notes, 0);
    for (guint i = 0; i < story->len; i++) {
        g_ptr_array_add(cell->result->notes, g_strdup(story->pdata[i]));
    }
}

static void sight_clear(gpointer data)
{
    struct sight *sight = data;

    g_free(sight->words);
}

void context_judge(const struct context_judge *judge,
                   struct case_result *result)
{
    g_auto(GStrv) words = g_strsplit(result->name, ".", -1);
    g_autoptr(GPtrArray) repeats = NULL;
    g_autofree char *why = NULL;
    struct cell cell = { .judge = judge, .result = result };

    repeats = context_repeats_parse(result->notes, &why);
    if (g_strv_length(words) != 4 || !repeats || !repeats->len) {
        case_result_set(result, VERDICT_ERROR, "%s",
                        why ? why : "the guest told of no operation");
        return;
    }
    cell.target = words[1];
    cell.op = words[2];
    cell.issuer = words[3];
    cell.sights = g_array_new(FALSE, TRUE, sizeof(struct sight));
    g_array_set_clear_func(cell.sights, sight_clear);
    for (guint i = 0; i < repeats->len; i++) {
        struct sight sight = { .repeat = repeats->pdata[i] };

        look(&cell, &sight);
        g_array_append_val(cell.sights, sight);
    }
    if (verdict_is_ok(result->verdict)) {
        judge_words(&cell);
    }
    tell(&cell);
    g_array_unref(cell.sights);
    case_result_set(result, VERDICT_PASS, NULL);
}
