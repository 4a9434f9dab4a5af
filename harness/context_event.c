/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * context_event.c: reading evidence; see context_event.h.
 */
#include "context_event.h"

#include <stdio.h>
#include <string.h>

#include "place.h"

static void event_free(gpointer data)
{
    struct context_event *event = data;

    g_free(event->flags);
    g_free(event->comm);
    g_free(event->name);
    g_strfreev(event->stack);
    g_free(event->args);
    g_free(event);
}

static void repeat_free(gpointer data)
{
    struct context_repeat *repeat = data;

    g_ptr_array_unref(repeat->events);
    g_free(repeat);
}

/* The notes of one case, being read. */
struct notes {
    GPtrArray *repeats;
    GPtrArray *stacks;          /* char *, the first is number 1 */
};

static struct context_repeat *repeat_last(const struct notes *notes)
{
    const GPtrArray *repeats = notes->repeats;

    return repeats->len ? repeats->pdata[repeats->len - 1] : NULL;
}

static bool stack_parse(struct notes *notes, const char *note)
{
    unsigned number;
    int used = 0;

    if (sscanf(note, "stack %u %n", &number, &used) != 1 || !note[used] ||
        strchr(note + used, ' ') || number != notes->stacks->len + 1) {
        return false;
    }
    g_ptr_array_add(notes->stacks, g_strdup(note + used));
    return true;
}

static bool op_parse(struct notes *notes, const char *note)
{
    struct context_repeat *repeat = g_new0(struct context_repeat, 1);
    int used = 0;

    repeat->events = g_ptr_array_new_with_free_func(event_free);
    g_ptr_array_add(notes->repeats, repeat);
    return sscanf(note, "op %u %" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT
                  " %d %" G_GINT64_FORMAT "%n", &repeat->number,
                  &repeat->begin_ns, &repeat->ack_ns, &repeat->pid,
                  &repeat->outcome, &used) == 5 && !note[used] &&
           repeat->number == notes->repeats->len;
}

static bool range_parse(struct notes *notes, const char *note)
{
    struct context_repeat *repeat = repeat_last(notes);
    int used = 0;

    if (!repeat || repeat->has_range) {
        return false;
    }
    repeat->has_range = true;
    return sscanf(note, "range nsid=%u slba=%" G_GUINT64_FORMAT " blocks=%"
                  G_GUINT64_FORMAT "%n", &repeat->nsid, &repeat->slba,
                  &repeat->blocks, &used) == 3 && !note[used];
}

static bool missed_parse(struct notes *notes, const char *note)
{
    struct context_repeat *repeat = repeat_last(notes);
    unsigned number;
    int used = 0;

    return repeat && sscanf(note, "missed %u %u%n", &number, &repeat->missed,
                            &used) == 2 && !note[used] &&
           number == repeat->number;
}

enum word { WORD_EVENT, WORD_REPEAT, WORD_TIME, WORD_CPU, WORD_FLAGS,
            WORD_TASK, WORD_NAME, WORD_STACK, WORD_ARGS, WORD_COUNT };

static bool event_parse(struct notes *notes, const char *note)
{
    struct context_repeat *repeat = repeat_last(notes);
    g_auto(GStrv) words = g_strsplit(note, " ", WORD_COUNT);
    struct context_event *event;
    guint64 number, time_ns, pid, stack;
    char *dash;

    if (!repeat || g_strv_length(words) < WORD_ARGS ||
        !g_ascii_string_to_unsigned(words[WORD_REPEAT], 10, 1, G_MAXUINT,
                                    &number, NULL) ||
        number != repeat->number || strlen(words[WORD_FLAGS]) < 4 ||
        !g_ascii_string_to_unsigned(words[WORD_TIME], 10, 0, G_MAXUINT64,
                                    &time_ns, NULL) ||
        !g_ascii_string_to_unsigned(words[WORD_STACK], 10, 0,
                                    notes->stacks->len, &stack, NULL)) {
        return false;
    }
    dash = strrchr(words[WORD_TASK], '-');
    if (!dash || !g_ascii_string_to_unsigned(dash + 1, 10, 0, G_MAXINT, &pid,
                                             NULL)) {
        return false;
    }
    event = g_new0(struct context_event, 1);
    event->time_ns = time_ns;
    event->pid = (int)pid;
    event->flags = g_strdup(words[WORD_FLAGS]);
    event->comm = g_strndup(words[WORD_TASK], dash - words[WORD_TASK]);
    event->name = g_strdup(words[WORD_NAME]);
    event->stack = g_strsplit(stack ? notes->stacks->pdata[stack - 1] : "",
                              "<", -1);
    event->args = g_strdup(words[WORD_ARGS] ? words[WORD_ARGS] : "");
    g_ptr_array_add(repeat->events, event);
    return true;
}

GPtrArray *context_repeats_parse(const GPtrArray *notes, char **why)
{
    static const struct {
        const char *prefix;
        bool (*parse)(struct notes *notes, const char *note);
    } kinds[] = {
        { "op ", op_parse }, { "range ", range_parse },
        { "stack ", stack_parse }, { "event ", event_parse },
        { "missed ", missed_parse },
    };
    g_autoptr(GPtrArray) repeats = g_ptr_array_new_with_free_func(repeat_free);
    g_autoptr(GPtrArray) stacks = g_ptr_array_new_with_free_func(g_free);
    struct notes read = { repeats, stacks };

    for (guint i = 0; i < notes->len; i++) {
        for (gsize k = 0; k < G_N_ELEMENTS(kinds); k++) {
            if (g_str_has_prefix(notes->pdata[i], kinds[k].prefix) &&
                !kinds[k].parse(&read, notes->pdata[i])) {
                *why = g_strdup_printf("note cannot be read: %.100s",
                                       (char *)notes->pdata[i]);
                return NULL;
            }
        }
    }
    return g_steal_pointer(&repeats);
}

char *context_event_value(const struct context_event *event, const char *key)
{
    g_autofree char *start = g_strdup_printf("%s=", key);

    for (const char *at = strstr(event->args, start); at;
         at = strstr(at + 1, start)) {
        if (at == event->args || strchr(" ,(", at[-1])) {
            at += strlen(start);
            return g_strndup(at, strcspn(at, " ,)"));
        }
    }
    return NULL;
}

bool context_event_number(const struct context_event *event, const char *key,
                          guint64 *number)
{
    g_autofree char *text = context_event_value(event, key);

    return text &&
           g_ascii_string_to_unsigned(text, 10, 0, G_MAXUINT64, number, NULL);
}

bool context_event_below(const struct context_event *event,
                         const char *function)
{
    return g_strv_contains((const char *const *)event->stack, function);
}

bool context_event_waited(const struct context_repeat *repeat,
                          const struct context_event *event)
{
    for (guint i = 0; i < repeat->events->len; i++) {
        const struct context_event *other = repeat->events->pdata[i];

        if (other->pid == event->pid &&
            (g_str_equal(other->name, "blk_io_schedule") ||
             g_str_equal(other->name, "submit_bio_wait_returns"))) {
            return true;
        }
        if (other == event) {
            break;
        }
    }
    return false;
}

/* "dio/nvme0n2" -> "workqueue:dio": the device is no part of the name. */
static char *workqueue_word(const struct context_event *event)
{
    g_autofree char *queue = context_event_value(event, "workqueue");

    if (!queue || !*queue || *queue == '/') {
        return NULL;
    }
    return g_strdup_printf("workqueue:%.*s", (int)strcspn(queue, "/"), queue);
}

/* The third of tracefs' flags, as bits. */
static unsigned flag_bits(const struct context_event *event)
{
    static const struct {
        char letter;
        unsigned bits;
    } letters[] = {
        { 'h', PLACE_FLAG_HARDIRQ }, { 's', PLACE_FLAG_SOFTIRQ },
        { 'H', PLACE_FLAG_HARDIRQ | PLACE_FLAG_SOFTIRQ },
        { 'z', PLACE_FLAG_NMI }, { 'Z', PLACE_FLAG_NMI | PLACE_FLAG_HARDIRQ },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(letters); i++) {
        if (letters[i].letter == event->flags[2]) {
            return letters[i].bits;
        }
    }
    return 0;
}

char *context_event_place(const struct context_repeat *repeat,
                          const struct context_event *event)
{
    const char *place = place_of_task((const char *const *)event->stack,
                                      flag_bits(event));

    if (place) {
        return g_str_equal(place, "workqueue") ? workqueue_word(event)
                                               : g_strdup(place);
    }
    if (event->pid == repeat->pid) {
        return g_strdup(context_event_waited(repeat, event) ? "waiter"
                                                            : "submitter");
    }
    return NULL;
}
