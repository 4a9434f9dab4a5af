/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * never_text.h: the text of a tracefs "hist" file, taken apart.
 *
 * Two kinds of histogram: by call chain and trace flags, with the task that
 * came last, and by the address of a request. In a call chain the frames of
 * the probing machinery above the probed function are left out.
 */
#ifndef NEVER_TEXT_H
#define NEVER_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct never_entry {
    char stack[700];            /* "inner<outer<…", "" in the second kind */
    bool is_cut;                /* stack did not fit */
    uint64_t request;           /* second kind */
    unsigned flags;             /* common_flags of the event */
    uint64_t hits;
    int pid;                    /* of the last hit; 0: not said */
};

struct never_hist {
    struct never_entry *entries;    /* to be freed */
    int count;
    int room;
    int max;
    uint64_t dropped;           /* events that found no room */
    bool is_there;              /* there is a histogram, maybe an empty one */
};

/*
 * Adds to entries, at most max. 0, -ENOSPC: there are more than max, -ENOMEM,
 * -EBADMSG: a line that is none of a histogram. text is changed.
 */
int never_text_parse(char *text, struct never_hist *hist);

#endif
