/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * context.c: the judge of one context case.
 *
 * Per repeat, and in this order:
 *
 *   never      a sync, or a completion that would do more than post a result,
 *              where it may not be (no row can allow it)
 *   missed     a function probe was hit and not recorded: not judged further
 *   join       every command for the operation's blocks is known to driver and
 *              drive, and their clocks agree (context_join.c)
 *   raced      the drive answered before the submitter let go, so the issuing
 *              task completed it without having slept: legal, and no evidence.
 *              Not judged; a case with nothing else is an error
 *   words      ISSUED COMPLETED SYNCED, the first with the reason if it is a
 *              punt (context_punt.c)
 *
 * All judged repeats must have the same words (else the case is flaky), and
 * those of the row. No row is an error, never an answer to learn.
 */
#include "context.h"

#include <string.h>

#include "context_event.h"
#include "context_join.h"
#include "context_punt.h"
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
    const struct context_event *end;
    struct context_join join;
    bool is_raced;
    char *words;
};

struct cell {
    const struct context_judge *judge;
    struct case_result *result;
    const struct expect_row *row;           /* NULL: nobody has explained it */
    char *target, *op, *issuer;
    GArray *sights;             /* struct sight */
};

static bool is_place(const char *word)
{
    return g_strv_contains(places, word) ||
           (g_str_has_prefix(word, "workqueue:") &&
            word[strlen("workqueue:")]);
}

/* "io-wq(REASON)"; a bare io-wq says where, but not why. */
static bool is_punt(const char *word)
{
    g_autofree char *reason = NULL;

    if (!g_str_has_prefix(word, "io-wq(") || !g_str_has_suffix(word, ")")) {
        return false;
    }
    reason = g_strndup(word + strlen("io-wq("),
                       strlen(word) - strlen("io-wq()"));
    return context_punt_is_reason(reason);
}

bool context_pattern_check(const char *pattern)
{
    g_auto(GStrv) words = g_strsplit(pattern, " ", -1);

    return g_strv_length(words) == 3 &&
           (is_punt(words[0]) ||
            (is_place(words[0]) && !g_str_equal(words[0], "io-wq"))) &&
           is_place(words[1]) &&
           (is_place(words[2]) || g_str_equal(words[2], "-"));
}

/* Not the end of a Flush that a sync waits for. */
static bool is_of_data(const struct context_event *event)
{
    return !context_event_below(event, "blkdev_issue_flush") &&
           !context_event_below(event, "blkdev_fsync") &&
           !context_event_below(event, "vfs_fsync_range");
}

/* The first end of that name, if there is one; *count says how many. */
static const struct context_event *find_ends(
    const struct context_repeat *repeat, const char *name, unsigned *count)
{
    const struct context_event *first = NULL;

    *count = 0;
    for (guint i = 0; i < repeat->events->len; i++) {
        const struct context_event *event = repeat->events->pdata[i];

        if (g_str_equal(event->name, name) && is_of_data(event)) {
            first = first ? first : event;
            (*count)++;
        }
    }
    return first;
}

static bool is_atomic(const char *place)
{
    return g_str_equal(place, "hardirq") || g_str_equal(place, "softirq") ||
           g_str_equal(place, "polled");
}

/* What may not be, whatever the kernel: no row is asked. */
static void judge_never(struct cell *cell, const struct sight *sight)
{
    for (guint i = 0; i < sight->repeat->events->len; i++) {
        const struct context_event *event = sight->repeat->events->pdata[i];
        g_autofree char *place = context_event_place(sight->repeat, event);
        bool is_sync = g_str_equal(event->name, "vfs_fsync_range") ||
                       g_str_equal(event->name, "blkdev_issue_flush");

        if (place &&
            ((is_sync && is_atomic(place)) ||
             (g_str_equal(event->name, "iomap_dio_complete") &&
              g_str_equal(place, "task_work")))) {
            case_result_set(cell->result, VERDICT_FAIL,
                            "never: %s in %s (repeat %u)", event->name, place,
                            sight->repeat->number);
        }
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
    }
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

/* Of the commands, the one that was answered last. */
static const struct context_event *last_answer(const struct sight *sight)
{
    const struct context_event *last = NULL;

    for (guint i = 0; i < sight->join.links->len; i++) {
        const struct context_event *answer =
            CONTEXT_LINK(&sight->join, i)->answer;

        if (!last || answer->time_ns > last->time_ns) {
            last = answer;
        }
    }
    return last;
}

/* The issuing task ended it and had not slept, after an interrupt had come. */
static bool is_raced(const struct sight *sight, const char *ended)
{
    const struct context_event *answered = last_answer(sight);
    g_autofree char *place = context_event_place(sight->repeat, answered);

    return (g_str_equal(ended, "submitter") || g_str_equal(ended, "io-wq")) &&
           !context_event_waited(sight->repeat, sight->end) && place &&
           (g_str_equal(place, "hardirq") || g_str_equal(place, "softirq")) &&
           answered->time_ns <= sight->end->time_ns;
}

/* Where the commands came from: one word, or several with "+" in between. */
static char *issue_place(struct cell *cell, const struct sight *sight)
{
    g_autoptr(GPtrArray) words = g_ptr_array_new_with_free_func(g_free);

    for (guint i = 0; i < sight->join.links->len; i++) {
        g_autofree char *place =
            place_of(cell, sight, CONTEXT_LINK(&sight->join, i)->setup);

        if (place && g_str_equal(place, "io-wq")) {
            g_autofree char *bare = place;

            place = g_strdup_printf("%s(%s)", bare,
                                    context_punt_reason(sight->repeat));
        }
        if (!place) {
            return NULL;
        }
        if (!g_ptr_array_find_with_equal_func(words, place, g_str_equal,
                                              NULL)) {
            g_ptr_array_add(words, g_steal_pointer(&place));
        }
    }
    g_ptr_array_add(words, NULL);
    return g_strjoinv("+", (char **)words->pdata);
}

static bool find_end(struct cell *cell, struct sight *sight)
{
    for (const char *const *name = completions; *name; name++) {
        unsigned count;

        sight->end = find_ends(sight->repeat, *name, &count);
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
    if (!context_join(sight->repeat, cell->judge->trace, cell->result->name,
                      &sight->join, cell->result) || !find_end(cell, sight)) {
        return;
    }
    issued = issue_place(cell, sight);
    ended = place_of(cell, sight, sight->end);
    synced = sync_place(cell, sight);
    if (issued && ended && synced) {
        sight->is_raced = is_raced(sight, ended);
        sight->words = g_strjoin(" ", issued, ended, synced, NULL);
    }
}

static bool is_judged(const struct sight *sight)
{
    return sight->words && !sight->is_raced && !sight->repeat->missed;
}

/* Repeats that showed the same. */
struct outcome {
    const char *words;
    unsigned count;
    GString *numbers;           /* of the repeats: "3, 17" */
};

static void outcome_clear(gpointer data)
{
    struct outcome *outcome = data;

    g_string_free(outcome->numbers, TRUE);
}

static gint outcome_compare(gconstpointer left, gconstpointer right)
{
    const struct outcome *a = left;
    const struct outcome *b = right;

    return a->count > b->count ? -1 : a->count < b->count;
}

static void outcome_add(GArray *outcomes, const struct sight *sight)
{
    struct outcome fresh = { .words = sight->words };
    struct outcome *outcome = NULL;

    for (guint i = 0; i < outcomes->len && !outcome; i++) {
        struct outcome *one = &g_array_index(outcomes, struct outcome, i);

        outcome = g_str_equal(one->words, sight->words) ? one : NULL;
    }
    if (!outcome) {
        fresh.numbers = g_string_new(NULL);
        g_array_append_val(outcomes, fresh);
        outcome = &g_array_index(outcomes, struct outcome, outcomes->len - 1);
    }
    g_string_append_printf(outcome->numbers, "%s%u",
                           outcome->count++ ? ", " : "",
                           sight->repeat->number);
}

/* What the judged repeats showed, the most frequent first. */
static GArray *count_outcomes(const struct cell *cell)
{
    GArray *outcomes = g_array_new(FALSE, FALSE, sizeof(struct outcome));

    g_array_set_clear_func(outcomes, outcome_clear);
    for (guint i = 0; i < cell->sights->len; i++) {
        const struct sight *sight =
            &g_array_index(cell->sights, struct sight, i);

        if (is_judged(sight)) {
            outcome_add(outcomes, sight);
        }
    }
    g_array_sort(outcomes, outcome_compare);
    return outcomes;
}

/* "18 x 'a', 2 x 'b' (repeats 3, 17)": the odd ones with their numbers. */
static char *describe_flaky(const GArray *outcomes)
{
    GString *text = g_string_new("flaky: ");

    for (guint i = 0; i < outcomes->len; i++) {
        const struct outcome *one =
            &g_array_index(outcomes, struct outcome, i);

        g_string_append_printf(text, "%s%u x '%s'", i ? ", " : "", one->count,
                               one->words);
        if (i) {
            g_string_append_printf(text, " (repeat%s %s)",
                                   one->count > 1 ? "s" : "",
                                   one->numbers->str);
        }
    }
    return g_string_free(text, FALSE);
}

/* Why repeats were not judged; NULL: all were. */
static char *describe_unjudged(const struct cell *cell)
{
    unsigned raced = 0;
    unsigned missed = 0;

    for (guint i = 0; i < cell->sights->len; i++) {
        const struct sight *sight =
            &g_array_index(cell->sights, struct sight, i);

        raced += sight->is_raced;
        missed += sight->repeat->missed > 0;
    }
    if (!raced && !missed) {
        return NULL;
    }
    return g_strdup_printf("of %u repeats, in %u the drive was faster than its "
                           "submitter, in %u a probe was missed",
                           cell->sights->len, raced, missed);
}

static void judge_row(struct cell *cell, const char *words)
{
    struct case_result *result = cell->result;

    result->context = g_strdup(words);
    if (!cell->row) {
        case_result_set(result, VERDICT_ERROR,
                        "unexplained: no row of %s for %s on %s, saw '%s'",
                        cell->judge->expect->path, result->name,
                        cell->judge->kernel_release, words);
        return;
    }
    result->context_source = g_strdup_printf("%s, %s, %s", cell->row->function,
                                     cell->row->file, cell->row->release);
    if (!g_str_equal(cell->row->pattern, words)) {
        case_result_set(result, VERDICT_FAIL,
                        "saw '%s', expected '%s': %s", words,
                        cell->row->pattern, result->context_source);
    }
}

static void judge_words(struct cell *cell, const GArray *outcomes)
{
    if (!outcomes->len) {
        g_autofree char *text = describe_unjudged(cell);

        case_result_set(cell->result, VERDICT_ERROR, "nothing to judge by: %s",
                        text);
    } else if (outcomes->len > 1) {
        g_autofree char *text = describe_flaky(outcomes);

        case_result_set(cell->result, VERDICT_FAIL, "%s", text);
    } else {
        judge_row(cell, g_array_index(outcomes, struct outcome, 0).words);
    }
}

/* The three words as columns. */
static void note_words(struct case_result *result, const char *title,
                       const char *words)
{
    g_auto(GStrv) word = g_strsplit(words, " ", 3);

    if (g_strv_length(word) == 3) {
        case_result_note(result, "%-12s %-18s %-16s %s", title, word[0],
                         word[1], word[2]);
    }
}

/* Expected and seen, one below the other. */
static void note_comparison(const struct cell *cell, const GArray *outcomes)
{
    note_words(cell->result, "", "issued completed synced");
    if (cell->row) {
        note_words(cell->result, "expected", cell->row->pattern);
    }
    for (guint i = 0; i < outcomes->len; i++) {
        const struct outcome *one =
            &g_array_index(outcomes, struct outcome, i);
        g_autofree char *title = g_strdup_printf("seen %u x", one->count);

        note_words(cell->result, title, one->words);
    }
}

/*
 * The repeat that says most: the first that could not be judged, else the
 * first that is not like most others, else the first that counts.
 */
static const struct sight *choose_sight(const struct cell *cell,
                                        const GArray *outcomes)
{
    const char *usual =
        outcomes->len ? g_array_index(outcomes, struct outcome, 0).words : "";
    const struct sight *chosen = NULL;

    for (guint i = 0; i < cell->sights->len; i++) {
        const struct sight *sight =
            &g_array_index(cell->sights, struct sight, i);

        if (!sight->words && !sight->repeat->missed) {
            return sight;
        }
        if (is_judged(sight) &&
            (!chosen || (g_str_equal(chosen->words, usual) &&
                         !g_str_equal(sight->words, usual)))) {
            chosen = sight;
        }
    }
    return chosen ? chosen : &g_array_index(cell->sights, struct sight, 0);
}

/* The guest's notes (whole in protocol.log) make room for one story. */
static void tell(struct cell *cell, const GArray *outcomes)
{
    const struct sight *told = choose_sight(cell, outcomes);
    struct context_tale tale = {
        .repeat = told->repeat, .join = &told->join, .op = cell->op,
        .issuer = cell->issuer,
    };
    g_autoptr(GPtrArray) story = context_story(&tale);
    g_autofree char *unjudged = describe_unjudged(cell);

    g_ptr_array_set_size(cell->result->notes, 0);
    if (!verdict_is_ok(cell->result->verdict)) {
        note_comparison(cell, outcomes);
    }
    if (unjudged) {
        case_result_note(cell->result, "not judged: %s", unjudged);
    }
    for (guint i = 0; i < story->len; i++) {
        case_result_note(cell->result, "%s", (char *)story->pdata[i]);
    }
}

static void sight_clear(gpointer data)
{
    struct sight *sight = data;

    context_join_clear(&sight->join);
    g_free(sight->words);
}

static const struct expect_row *find_row(const struct cell *cell)
{
    struct expect_key key = {
        .kernel_release = cell->judge->kernel_release,
        .target = cell->target, .op = cell->op, .issuer = cell->issuer,
        .has_vwc = trace_has_vwc(cell->judge->trace),
    };

    return expect_find(cell->judge->expect, &key);
}

void context_judge(const struct context_judge *judge,
                   struct case_result *result)
{
    g_auto(GStrv) words = g_strsplit(result->name, ".", -1);
    g_autoptr(GPtrArray) repeats = NULL;
    g_autoptr(GArray) outcomes = NULL;
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
    cell.row = find_row(&cell);
    cell.sights = g_array_new(FALSE, TRUE, sizeof(struct sight));
    g_array_set_clear_func(cell.sights, sight_clear);
    for (guint i = 0; i < repeats->len; i++) {
        struct sight sight = { .repeat = repeats->pdata[i],
                               .join = context_join_new() };

        judge_never(&cell, &sight);
        if (!sight.repeat->missed) {
            look(&cell, &sight);
        }
        g_array_append_val(cell.sights, sight);
    }
    outcomes = count_outcomes(&cell);
    if (verdict_is_ok(result->verdict)) {
        judge_words(&cell, outcomes);
    }
    tell(&cell, outcomes);
    g_array_unref(cell.sights);
    case_result_set(result, VERDICT_PASS, NULL);
}
