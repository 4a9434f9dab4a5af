/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * context.c: the judge of one context case.
 *
 * Each repeat is looked at by itself (context_sight.c).
 *
 * All judged repeats must have the same words (else the case is flaky), and
 * those of the row. No row is an error, never an answer to learn.
 */
#include "context.h"

#include <string.h>

#include "context_event.h"
#include "context_punt.h"
#include "context_sight.h"
#include "context_story.h"
#include "flushes.h"

static const char *const places[] = {
    "hardirq", "softirq", "irq-thread", "polled", "task_work", "io-wq",
    "sqpoll", "submitter", "waiter", NULL
};

struct cell {
    const struct context_judge *judge;
    struct case_result *result;
    const struct expect_row *row;           /* NULL: nobody has explained it */
    char *target, *op, *issuer;
    GArray *sights;             /* struct context_sight */
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

static void outcome_add(GArray *outcomes, const struct context_sight *sight)
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
        const struct context_sight *sight =
            &g_array_index(cell->sights, struct context_sight, i);

        if (context_sight_is_judged(sight)) {
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
    unsigned untied = 0;

    for (guint i = 0; i < cell->sights->len; i++) {
        const struct context_sight *sight =
            &g_array_index(cell->sights, struct context_sight, i);

        raced += sight->is_raced;
        missed += sight->repeat->missed > 0;
        untied += sight->join.is_untied;
    }
    if (!raced && !missed && !untied) {
        return NULL;
    }
    return g_strdup_printf("of %u repeats, in %u the drive was faster than its "
                           "submitter, in %u a probe was missed, in %u the "
                           "guest's clock jumped",
                           cell->sights->len, raced, missed, untied);
}

static void judge_row(struct cell *cell, const char *words)
{
    struct case_result *result = cell->result;

    result->context = g_strdup(words);
    if (!cell->row && cell->judge->skips_unread &&
        !expect_has_kernel(cell->judge->expect, cell->judge->kernel_release)) {
        result->unread =
            g_strdup_printf("nobody has read %s for %s: saw '%s'",
                            cell->judge->kernel_release,
                            cell->judge->expect->path, words);
        return;
    }
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
    note_words(cell->result, "where", "issued completed synced");
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
static const struct context_sight *choose_sight(const struct cell *cell,
                                                const GArray *outcomes)
{
    const char *usual =
        outcomes->len ? g_array_index(outcomes, struct outcome, 0).words : "";
    const struct context_sight *chosen = NULL;

    for (guint i = 0; i < cell->sights->len; i++) {
        const struct context_sight *sight =
            &g_array_index(cell->sights, struct context_sight, i);

        if (!sight->words && !sight->repeat->missed &&
            !sight->join.is_untied) {
            return sight;
        }
        if (context_sight_is_judged(sight) &&
            (!chosen || (g_str_equal(chosen->words, usual) &&
                         !g_str_equal(sight->words, usual)))) {
            chosen = sight;
        }
    }
    return chosen ? chosen
                  : &g_array_index(cell->sights, struct context_sight, 0);
}

/* The guest's notes, but for those about probes that the kernel lacks. */
static void drop_notes(struct case_result *result)
{
    for (guint i = result->notes->len; i > 0; i--) {
        if (!g_str_has_prefix(result->notes->pdata[i - 1], "no probe ")) {
            g_ptr_array_remove_index(result->notes, i - 1);
        }
    }
}

/* The guest's notes (whole in protocol.log) make room for one story. */
static void tell(struct cell *cell, const GArray *outcomes)
{
    const struct context_sight *told = choose_sight(cell, outcomes);
    struct context_tale tale = {
        .repeat = told->repeat, .join = &told->join, .op = cell->op,
        .issuer = cell->issuer,
    };
    g_autoptr(GPtrArray) story = context_story(&tale);
    g_autofree char *unjudged = describe_unjudged(cell);

    drop_notes(cell->result);
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

static const struct expect_row *find_row(const struct cell *cell)
{
    struct expect_key key = {
        .kernel_release = cell->judge->kernel_release,
        .target = cell->target, .op = cell->op, .issuer = cell->issuer,
        .has_vwc = trace_ns_has_vwc(cell->judge->trace,
                                    flushes_nsid(cell->target)),
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
    cell.sights = g_array_new(FALSE, FALSE, sizeof(struct context_sight));
    g_array_set_clear_func(cell.sights,
                           (GDestroyNotify)context_sight_clear);
    for (guint i = 0; i < repeats->len; i++) {
        struct context_sight sight =
            context_sight_new(repeats->pdata[i], judge->trace, result);

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
