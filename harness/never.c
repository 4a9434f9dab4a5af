/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * never.c: the judge of never-events; see never.h.
 */
#include "never.h"

#include <stdio.h>
#include <string.h>

#include "place.h"

static const char *const atomic_places[] = { "hardirq", "softirq", "polled",
                                             NULL };
static const char *const task_work_places[] = { "task_work", NULL };

static const struct {
    const char *function;
    const char *const *places;  /* where it must not be called */
    const char *addition;
} rules[] = {
    { "vfs_fsync_range", atomic_places, "" },
    { "blkdev_issue_flush", atomic_places, "" },
    { "iomap_dio_complete", task_work_places, " with a result >= 0" },
};

/* The words of a note, of which the last one is the rest. */
#define CALL_WORDS 6
#define COMPLETIONS_WORDS 5

static void unreadable(struct case_result *result, const char *note)
{
    case_result_set(result, VERDICT_ERROR, "note cannot be read: %.100s",
                    note);
    result->is_infra = true;
}

static void found(struct case_result *result, const char *text)
{
    /* One line: as the reason, unless there is one already. */
    if (result->verdict < VERDICT_FAIL) {
        case_result_set(result, VERDICT_FAIL, "never: %s", text);
    } else {
        case_result_note(result, "never: %s", text);
    }
}

static const char *const *places_of(const char *function,
                                    const char **addition)
{
    for (gsize i = 0; i < G_N_ELEMENTS(rules); i++) {
        if (g_str_equal(rules[i].function, function)) {
            *addition = rules[i].addition;
            return rules[i].places;
        }
    }
    return NULL;
}

/* FUNCTION COUNT FLAGS PID COMM STACK */
static void judge_call(struct case_result *result, const char *note,
                       const char *rest)
{
    g_auto(GStrv) words = g_strsplit(rest, " ", CALL_WORDS);
    g_auto(GStrv) frames = NULL;
    g_autofree char *text = NULL;
    const char *const *places;
    const char *addition;
    const char *place;
    guint64 flags;
    bool is_irq;

    if (g_strv_length(words) != CALL_WORDS ||
        !g_str_has_prefix(words[2], "0x") ||
        !g_ascii_string_to_unsigned(words[2] + 2, 16, 0, G_MAXUINT, &flags,
                                    NULL) ||
        !(places = places_of(words[0], &addition))) {
        unreadable(result, note);
        return;
    }
    frames = g_strsplit(words[5], "<", -1);
    place = place_of((const char *const *)frames, (unsigned)flags);
    if (!place || !g_strv_contains(places, place)) {
        return;
    }
    is_irq = g_str_has_suffix(place, "irq");
    text = g_strdup_printf("%s%s in %s, %s times, %s %s-%s: %s", words[0],
                           addition, place, words[1],
                           is_irq ? "interrupting" : "process", words[4],
                           words[3], words[5]);
    found(result, text);
}

/* WHAT REQUEST ENDED STARTED PID */
static void judge_completions(struct case_result *result, const char *note,
                              const char *rest)
{
    g_auto(GStrv) words = g_strsplit(rest, " ", COMPLETIONS_WORDS);
    g_autofree char *text = NULL;
    guint64 ended, started;

    if (g_strv_length(words) != COMPLETIONS_WORDS ||
        !g_ascii_string_to_unsigned(words[2], 10, 0, G_MAXUINT64, &ended,
                                    NULL) ||
        !g_ascii_string_to_unsigned(words[3], 10, 0, G_MAXUINT64, &started,
                                    NULL)) {
        unreadable(result, note);
        return;
    }
    if (ended <= started) {
        return;
    }
    text = g_strdup_printf("more than one %s per request: the request at "
                           "0x%s was started %s times and completed %s "
                           "times, as of process %s", words[0], words[1],
                           words[3], words[2], words[4]);
    found(result, text);
}

static void judge_extra(struct case_result *result, const char *note,
                        const char *rest)
{
    g_autofree char *text = g_strdup_printf("more than one completion per "
                                            "request: a second %s", rest);

    (void)note;
    found(result, text);
}

static void judge_page(struct case_result *result, const char *note,
                       const char *rest)
{
    (void)note;
    found(result, rest);
}

static void judge_lost(struct case_result *result, const char *note,
                       const char *rest)
{
    (void)note;
    case_result_set(result, VERDICT_ERROR, "never-events lost: %s", rest);
    result->is_infra = true;
}

static void tell_unwatched(struct case_result *result, const char *note,
                           const char *rest)
{
    (void)note;
    case_result_note(result, "never-events not watched: %s", rest);
}

static const struct {
    const char *prefix;
    void (*judge)(struct case_result *result, const char *note,
                  const char *rest);
} kinds[] = {
    { "never call ", judge_call },
    { "never completions ", judge_completions },
    { "never extra ", judge_extra },
    { "never page ", judge_page },
    { "never lost ", judge_lost },
    { "never unwatched ", tell_unwatched },
};

static void judge(struct case_result *result, const char *note)
{
    for (gsize i = 0; i < G_N_ELEMENTS(kinds); i++) {
        if (g_str_has_prefix(note, kinds[i].prefix)) {
            kinds[i].judge(result, note, note + strlen(kinds[i].prefix));
            return;
        }
    }
    unreadable(result, note);
}

void never_judge(struct case_result *result)
{
    g_autoptr(GPtrArray) told = g_ptr_array_new_with_free_func(g_free);

    for (guint i = 0; i < result->notes->len;) {
        if (g_str_has_prefix(result->notes->pdata[i], "never ")) {
            g_ptr_array_add(told,
                            g_ptr_array_steal_index(result->notes, i));
        } else {
            i++;
        }
    }
    for (guint i = 0; i < told->len; i++) {
        judge(result, told->pdata[i]);
    }
}

const char *never_unwatched(const char *note)
{
    const char *prefix = "never unwatched ";

    return g_str_has_prefix(note, prefix) ? note + strlen(prefix) : NULL;
}

bool never_is_untraceable(const char *note)
{
    return g_str_equal(note, "never untraceable");
}
