/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading tracefs histograms; see never_text.h.
 *
 *  { stacktrace:
 *           function+0x5/0x90 [module]
 *  , common_flags:          0} hitcount:          2
 *      max:   28419937  common_pid:        131
 *
 *  { req: 18446612...} hitcount:          2
 *
 *  Totals:
 *      Hits: 2
 *      Entries: 1
 *      Dropped: 0
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "never_text.h"

/* What a probe puts between itself and the function that it is on. */
static bool is_of_probe(const char *function, size_t length)
{
    static const char *const names[] = {
        "kprobe_ftrace_handler", "rethook_trampoline_handler",
        "arch_rethook_trampoline_callback", "arch_rethook_trampoline",
        "kretprobe_rethook_handler", "__kretprobe_trampoline_handler",
        "kretprobe_trampoline", "__kretprobe_trampoline",
        "trampoline_handler", "kretprobe_dispatcher", "kprobe_dispatcher",
        "ftrace_regs_caller", "ftrace_regs_call",
        "arch_ftrace_ops_list_func",
    };

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strlen(names[i]) == length &&
            memcmp(names[i], function, length) == 0) {
            return true;
        }
    }
    /* A trampoline that the kernel made at run time has no name. */
    return strncmp(function, "0x", 2) == 0;
}

static void add_frame(struct never_entry *entry, const char *function)
{
    size_t used = strlen(entry->stack);
    size_t length = strcspn(function, "+ \n");

    if (used == 0 && is_of_probe(function, length)) {
        return;
    }
    if (used + length + 2 > sizeof(entry->stack)) {
        entry->is_cut = true;
        return;
    }
    snprintf(entry->stack + used, sizeof(entry->stack) - used, "%s%.*s",
             used ? "<" : "", (int)length, function);
}

/* The number behind "KEY:"; false: the line has no such key. */
static bool take_number(const char *line, const char *key, uint64_t *number)
{
    const char *at = strstr(line, key);
    char *end;

    if (!at) {
        return false;
    }
    at += strlen(key);
    errno = 0;
    *number = strtoull(at, &end, 0);
    return end != at && errno == 0;
}

static int open_entry(struct never_hist *hist)
{
    if (hist->count == hist->max) {
        return -ENOSPC;
    }
    if (hist->count == hist->room) {
        int room = hist->room ? hist->room * 2 : 4;
        struct never_entry *grown =
            realloc(hist->entries, (size_t)room * sizeof(*grown));

        if (!grown) {
            return -ENOMEM;
        }
        hist->entries = grown;
        hist->room = room;
    }
    memset(&hist->entries[hist->count++], 0, sizeof(*hist->entries));
    return 0;
}

/* Keys and values that are on one line with others. */
static int take_values(struct never_entry *entry, const char *line)
{
    uint64_t number;
    bool is_known = false;

    if (take_number(line, "req:", &number) ||
        take_number(line, "{ flags:", &number)) {
        entry->request = number;
        is_known = true;
    }
    if (take_number(line, "common_flags:", &number)) {
        entry->flags = (unsigned)number;
        is_known = true;
    }
    if (take_number(line, "hitcount:", &number)) {
        entry->hits = number;
        is_known = true;
    }
    if (take_number(line, "common_pid:", &number)) {
        entry->pid = (int)number;
        is_known = true;
    }
    return is_known ? 0 : -EBADMSG;
}

static bool is_total(struct never_hist *hist, const char *line)
{
    uint64_t dropped;

    if (take_number(line, "Dropped:", &dropped)) {
        hist->dropped += dropped;
        hist->is_there = true;
        return true;
    }
    return strncmp(line, "Totals:", 7) == 0 ||
           strncmp(line, "    Hits:", 9) == 0 ||
           strncmp(line, "    Entries:", 12) == 0;
}

static int read_line(struct never_hist *hist, const char *line)
{
    const char *text = line + strspn(line, " \t");
    struct never_entry *entry;
    int error;

    if (*text == '\0' || *line == '#' || is_total(hist, line)) {
        return 0;
    }
    if (strncmp(line, "{ ", 2) == 0) {
        error = open_entry(hist);
        if (error || strstr(line, "stacktrace:")) {
            return error;
        }
    }
    if (hist->count == 0) {
        return -EBADMSG;
    }
    entry = &hist->entries[hist->count - 1];
    if (*line == ' ') {
        add_frame(entry, text);
        return 0;
    }
    return take_values(entry, line);
}

int never_text_parse(char *text, struct never_hist *hist)
{
    int error = 0;
    char *next;

    for (char *line = text; !error && line && *line; line = next) {
        next = strchr(line, '\n');
        if (next) {
            *next++ = '\0';
        }
        error = read_line(hist, line);
    }
    return error;
}
