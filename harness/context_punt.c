/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * context_punt.c: what the attempt came to that was to do without blocking
 * (IOCB_NOWAIT). The innermost function that said -EAGAIN has the reason; the
 * functions around it only pass it on.
 */
#include "context_punt.h"

static const char *const reasons[] = { "timestamp", "mapping", "lock", "?",
                                       NULL };

bool context_punt_is_reason(const char *word)
{
    return g_strv_contains(reasons, word);
}

struct attempt {
    bool has_modified, has_iomap;       /* was called and has returned */
    bool is_modified_refused, is_iomap_refused, is_write_refused;
};

/* What one event of the issuing task says about the attempt. */
static void look(struct attempt *attempt, const struct context_event *event)
{
    g_autofree char *returned = context_event_value(event, "ret");
    bool is_refused = g_strcmp0(returned, "-11") == 0;

    if (g_str_equal(event->name, "kiocb_modified_returns")) {
        attempt->has_modified = true;
        attempt->is_modified_refused = is_refused;
    } else if (g_str_equal(event->name, "iomap_dio_rw_returns")) {
        attempt->has_iomap = true;
        attempt->is_iomap_refused = is_refused;
    } else if (g_str_has_suffix(event->name, "_file_write_iter_returns")) {
        attempt->is_write_refused = is_refused;
    }
}

const char *context_punt_reason(const struct context_repeat *repeat)
{
    struct attempt attempt = { 0 };
    bool is_punted = false;

    for (guint i = 0; i < repeat->events->len && !is_punted; i++) {
        const struct context_event *event = repeat->events->pdata[i];

        is_punted = g_str_equal(event->name, "io_uring_queue_async_work");
        if (event->pid == repeat->pid) {
            look(&attempt, event);
        }
    }
    if (!is_punted || !attempt.is_write_refused) {
        return "?";
    }
    if (attempt.is_modified_refused) {
        return "timestamp";
    }
    if (attempt.is_iomap_refused) {
        return "mapping";
    }
    return attempt.has_modified || attempt.has_iomap ? "?" : "lock";
}
