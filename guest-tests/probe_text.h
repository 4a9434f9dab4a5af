/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * probe_text.h: the text of a tracefs "trace" file, taken apart.
 *
 * An event is a line; with the option "stacktrace" its call chain follows as a
 * line "<stack trace>" of the same processor and one line per function. An
 * interrupt can put an event of its own between the two, and other processors
 * can put theirs anywhere: a stack belongs to the latest event of its
 * processor that has none. In an interrupt it ends with the interrupt's entry:
 * what was interrupted is not the event's.
 */
#ifndef PROBE_TEXT_H
#define PROBE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct probe_event {
    uint64_t time_ns;           /* trace clock, in whole microseconds */
    unsigned cpu;
    char flags[8];              /* irqs-off, resched, hard/soft, depth, … */
    char comm[24];              /* blanks replaced; in an interrupt: whose */
    int pid;
    char name[64];
    char args[320];
    char stack[700];            /* "inner<outer<…", "" before it was seen */
    bool is_cut;                /* args or stack did not fit */
};

/*
 * Fills events, in the order of the file, and returns how many there are;
 * negative: -ENOSPC more than max, -EBADMSG a line that is no trace,
 * -EOVERFLOW the kernel says that it lost events. text is changed.
 */
int probe_text_parse(char *text, struct probe_event *events, int max);

/* The value behind "KEY=" in args, up to a blank or comma; false: none. */
bool probe_text_value(const char *args, const char *key, char *value,
                      size_t size);

/* Whether function is one of the stack's. */
bool probe_text_below(const struct probe_event *event, const char *function);

#endif
