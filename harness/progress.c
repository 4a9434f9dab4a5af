/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * progress.c: what goes on, on stderr.
 */
#include "progress.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Suites run side by side: one speaks at a time. */
G_LOCK_DEFINE_STATIC(output);
static bool is_line_open;

static bool is_terminal(void)
{
    const char *term = g_getenv("TERM");

    return isatty(STDERR_FILENO) && term && !g_str_equal(term, "dumb");
}

static void clear_line(void)
{
    if (is_line_open) {
        fputs("\r\033[K", stderr);
        fflush(stderr);
        is_line_open = false;
    }
}

void progress_clear(void)
{
    G_LOCK(output);
    clear_line();
    G_UNLOCK(output);
}

void progress_say(const char *format, ...)
{
    g_autofree char *text = NULL;
    va_list ap;

    va_start(ap, format);
    text = g_strdup_vprintf(format, ap);
    va_end(ap);
    G_LOCK(output);
    clear_line();
    fprintf(stderr, "nvmelab: %s\n", text);
    G_UNLOCK(output);
}

void progress_step(const char *suite, const char *what, unsigned done,
                   unsigned total)
{
    G_LOCK(output);
    if (is_terminal()) {
        fprintf(stderr, "\r\033[K%s: %u/%u %.50s", suite, done, total, what);
        fflush(stderr);
        is_line_open = true;
    } else if (done == total || done * 10 / total != (done - 1) * 10 / total) {
        fprintf(stderr, "nvmelab: %s: %u/%u %s\n", suite, done, total, what);
    }
    G_UNLOCK(output);
}
