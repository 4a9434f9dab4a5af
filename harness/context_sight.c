/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * context_sight.c: from evidence to three words; see context_sight.h.
 */
#include "context_sight.h"

#include "context_punt.h"

/* What an operation comes to its end in, the outermost first. */
static const char *const completions[] = {
    "iomap_dio_complete", "iomap_dio_simple_end_io", "blkdev_bio_end_io_async",
    "blkdev_bio_end_io", "submit_bio_wait_returns", NULL
};

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
static void judge_never(const struct context_sight *sight,
                        struct case_result *result)
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
            case_result_set(result, VERDICT_FAIL,
                            "never: %s in %s (repeat %u)", event->name, place,
                            sight->repeat->number);
        }
    }
}

static char *place_of(const struct context_sight *sight,
                      struct case_result *result,
                      const struct context_event *event)
{
    char *place = context_event_place(sight->repeat, event);

    if (!place) {
        case_result_set(result, VERDICT_ERROR, "repeat %u: no word for "
                        "where %s ran, task %s-%d", sight->repeat->number,
                        event->name, event->comm, event->pid);
    }
    return place;
}

/* "-", or where the sync behind the operation was called. */
static char *sync_place(const struct context_sight *sight,
                        struct case_result *result)
{
    g_autofree char *word = g_strdup("-");

    for (guint i = 0; i < sight->repeat->events->len; i++) {
        const struct context_event *event = sight->repeat->events->pdata[i];
        g_autofree char *place = NULL;

        if (!g_str_equal(event->name, "vfs_fsync_range") &&
            !g_str_equal(event->name, "blkdev_issue_flush")) {
            continue;
        }
        place = place_of(sight, result, event);
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
static const struct context_event *last_answer(
    const struct context_sight *sight)
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
static bool is_raced(const struct context_sight *sight, const char *ended)
{
    const struct context_event *answered = last_answer(sight);
    g_autofree char *place = context_event_place(sight->repeat, answered);

    return (g_str_equal(ended, "submitter") || g_str_equal(ended, "io-wq")) &&
           !context_event_waited(sight->repeat, sight->end) && place &&
           (g_str_equal(place, "hardirq") || g_str_equal(place, "softirq")) &&
           answered->time_ns <= sight->end->time_ns;
}

/* Where the commands came from: one word, or several with "+" in between. */
static char *issue_place(const struct context_sight *sight,
                         struct case_result *result)
{
    g_autoptr(GPtrArray) words = g_ptr_array_new_with_free_func(g_free);

    for (guint i = 0; i < sight->join.links->len; i++) {
        g_autofree char *place =
            place_of(sight, result, CONTEXT_LINK(&sight->join, i)->setup);

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

static bool find_end(struct context_sight *sight, struct case_result *result)
{
    for (const char *const *name = completions; *name; name++) {
        unsigned count;

        sight->end = find_ends(sight->repeat, *name, &count);
        if (count > 1) {
            case_result_set(result, VERDICT_FAIL, "repeat %u: %s ran "
                            "%u times for one operation",
                            sight->repeat->number, *name, count);
            return false;
        }
        if (count) {
            return true;
        }
    }
    case_result_set(result, VERDICT_ERROR, "repeat %u: no probe saw it "
                    "complete", sight->repeat->number);
    return false;
}

static void look(struct context_sight *sight, const struct trace *trace,
                 struct case_result *result)
{
    g_autofree char *issued = NULL;
    g_autofree char *ended = NULL;
    g_autofree char *synced = NULL;

    if (!sight->repeat->has_range) {
        case_result_set(result, VERDICT_ERROR,
                        "repeat %u: the guest did not say which blocks",
                        sight->repeat->number);
        return;
    }
    if (!context_join(sight->repeat, trace, result->name, &sight->join,
                      result) || !find_end(sight, result)) {
        return;
    }
    issued = issue_place(sight, result);
    ended = place_of(sight, result, sight->end);
    synced = sync_place(sight, result);
    if (issued && ended && synced) {
        sight->is_raced = is_raced(sight, ended);
        sight->words = g_strjoin(" ", issued, ended, synced, NULL);
    }
}

struct context_sight context_sight_new(const struct context_repeat *repeat,
                                       const struct trace *trace,
                                       struct case_result *result)
{
    struct context_sight sight = { .repeat = repeat,
                                   .join = context_join_new() };

    judge_never(&sight, result);
    if (!repeat->missed) {
        look(&sight, trace, result);
    }
    return sight;
}

void context_sight_clear(struct context_sight *sight)
{
    context_join_clear(&sight->join);
    g_free(sight->words);
}

bool context_sight_is_judged(const struct context_sight *sight)
{
    return sight->words && !sight->is_raced;
}
