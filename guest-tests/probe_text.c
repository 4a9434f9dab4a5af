/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading tracefs text; see probe_text.h.
 *
 *      kworker/0:1-9       [000] d.h1.    12.345678: name: arguments
 *      kworker/0:1-9       [000] d.h1.    12.345678: <stack trace>
 *  => function
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "probe_text.h"

static bool copy(char *to, size_t size, const char *from, size_t length)
{
    bool fits = length < size;

    length = fits ? length : size - 1;
    memcpy(to, from, length);
    to[length] = '\0';
    return fits;
}

/* "  comm with-dash-17 " -> comm, pid. */
static bool take_task(struct probe_event *event, char *text, size_t length)
{
    char *dash = NULL;
    char *end;

    while (length && *text == ' ') {
        text++;
        length--;
    }
    while (length && text[length - 1] == ' ') {
        length--;
    }
    for (size_t i = 0; i < length; i++) {
        if (text[i] == '-') {
            dash = text + i;
        } else if (text[i] == ' ') {
            text[i] = '_';
        }
    }
    if (!dash || dash == text) {
        return false;
    }
    copy(event->comm, sizeof(event->comm), text, (size_t)(dash - text));
    event->pid = (int)strtol(dash + 1, &end, 10);
    return end == text + length && end > dash + 1;
}

/* "12.345678" */
static bool take_time(struct probe_event *event, const char *text,
                      const char *stop)
{
    char *end;
    unsigned long long seconds = strtoull(text, &end, 10);
    unsigned long long micros;
    const char *fraction = end + 1;

    if (*end != '.') {
        return false;
    }
    micros = strtoull(fraction, &end, 10);
    event->time_ns = seconds * 1000000000u + micros * 1000;
    return end == stop && end - fraction == 6;
}

/* The place of "[NNN] " that ends the task's name, which may have brackets. */
static char *find_cpu(char *line)
{
    for (char *at = strstr(line, " ["); at; at = strstr(at + 1, " [")) {
        char *end = at + 2;

        while (isdigit((unsigned char)*end)) {
            end++;
        }
        if (end >= at + 5 && end[0] == ']' && end[1] == ' ') {
            return at + 1;
        }
    }
    return NULL;
}

/* What follows the time, or NULL: the line is no event. */
static char *take_head(struct probe_event *event, char *line)
{
    char *cpu = find_cpu(line);
    char *flags;
    char *time;
    char *colon;

    if (!cpu || !take_task(event, line, (size_t)(cpu - line))) {
        return NULL;
    }
    event->cpu = (unsigned)strtoul(cpu + 1, &flags, 10);
    flags += 2;
    time = flags + strcspn(flags, " ");
    if (!copy(event->flags, sizeof(event->flags), flags,
              (size_t)(time - flags)) || time - flags < 4) {
        return NULL;
    }
    time += strspn(time, " ");
    colon = strchr(time, ':');
    if (!colon || !take_time(event, time, colon)) {
        return NULL;
    }
    return colon + 1 + strspn(colon + 1, " ");
}

static bool take_body(struct probe_event *event, const char *body)
{
    const char *colon = strstr(body, ":");

    if (!colon || !copy(event->name, sizeof(event->name), body,
                        (size_t)(colon - body))) {
        return false;
    }
    body = colon + 1 + strspn(colon + 1, " ");
    if (!copy(event->args, sizeof(event->args), body, strlen(body))) {
        event->is_cut = true;
    }
    event->stack[0] = '\0';
    return true;
}

/* The stack's owner, which from then on has one. */
static struct probe_event *owner(struct probe_event *events, int count,
                                 bool *has_stack, unsigned cpu)
{
    for (int i = count - 1; i >= 0; i--) {
        if (events[i].cpu == cpu && !has_stack[i]) {
            has_stack[i] = true;
            return &events[i];
        }
    }
    return NULL;
}

static void add_frame(struct probe_event *event, const char *function)
{
    size_t used = strlen(event->stack);
    size_t length = strcspn(function, " ");

    if (used + length + 2 > sizeof(event->stack)) {
        event->is_cut = true;
        return;
    }
    snprintf(event->stack + used, sizeof(event->stack) - used, "%s%.*s",
             used ? "<" : "", (int)length, function);
}

struct reader {
    struct probe_event *events;
    bool *has_stack;
    int max;
    int count;
    struct probe_event *open;   /* whose stack is being read */
    bool is_past_entry;         /* of an interrupt: the rest is interrupted */
};

/* Where an interrupt enters; what is below has nothing to do with the event. */
static bool is_entry(const char *function)
{
    return strncmp(function, "asm_common_interrupt", 20) == 0 ||
           strncmp(function, "asm_sysvec_", 11) == 0;
}

static int read_line(struct reader *reader, char *line)
{
    struct probe_event event = { 0 };
    char *body;

    if (*line == '#' || line[strspn(line, " ")] == '\0') {
        return 0;
    }
    if (strncmp(line, " => ", 4) == 0) {
        if (!reader->open) {
            return -EBADMSG;
        }
        if (!reader->is_past_entry) {
            add_frame(reader->open, line + 4);
            reader->is_past_entry = is_entry(line + 4);
        }
        return 0;
    }
    if (strncmp(line, "CPU:", 4) == 0) {
        return strstr(line, "LOST") ? -EOVERFLOW : 0;
    }
    reader->open = NULL;
    reader->is_past_entry = false;
    body = take_head(&event, line);
    if (!body) {
        return -EBADMSG;
    }
    if (strncmp(body, "<stack trace>", 13) == 0) {
        reader->open = owner(reader->events, reader->count,
                             reader->has_stack, event.cpu);
        return reader->open ? 0 : -EBADMSG;
    }
    if (!take_body(&event, body)) {
        return -EBADMSG;
    }
    if (reader->count == reader->max) {
        return -ENOSPC;
    }
    reader->events[reader->count++] = event;
    return 0;
}

int probe_text_parse(char *text, struct probe_event *events, int max)
{
    struct reader reader = {
        .events = events, .max = max,
        .has_stack = calloc((size_t)max + 1, sizeof(bool)),
    };
    char *next;
    int error = reader.has_stack ? 0 : -ENOMEM;

    for (char *line = text; !error && line && *line; line = next) {
        next = strchr(line, '\n');
        if (next) {
            *next++ = '\0';
        }
        error = read_line(&reader, line);
    }
    free(reader.has_stack);
    return error ? error : reader.count;
}

bool probe_text_value(const char *args, const char *key, char *value,
                      size_t size)
{
    size_t length = strlen(key);

    for (const char *at = strstr(args, key); at; at = strstr(at + 1, key)) {
        bool is_word = at == args || strchr(" ,(", at[-1]);

        if (is_word && at[length] == '=') {
            at += length + 1;
            return copy(value, size, at, strcspn(at, " ,)"));
        }
    }
    return false;
}

bool probe_text_below(const struct probe_event *event, const char *function)
{
    size_t length = strlen(function);

    for (const char *at = strstr(event->stack, function); at;
         at = strstr(at + 1, function)) {
        if ((at == event->stack || at[-1] == '<') &&
            (at[length] == '<' || at[length] == '\0')) {
            return true;
        }
    }
    return false;
}
