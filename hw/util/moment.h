/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Moments: when something happened, as order and as time.
 *
 * Two things can share a nanosecond, never a stamp. Whatever settles a promise
 * compares stamps; times are for people and latency.
 */
#ifndef LAB_MOMENT_H
#define LAB_MOMENT_H

#include <stdint.h>

struct moment {
    uint64_t stamp;             /* 1, 2, 3, …; 0: has not happened */
    uint64_t ns;
};

struct moments {
    uint64_t stamp_last;
    uint64_t (*clock_ns)(void *opaque);
    void *opaque;
};

static inline struct moment moment_take(struct moments *moments)
{
    struct moment now = {
        .stamp = ++moments->stamp_last,
        .ns = moments->clock_ns(moments->opaque),
    };

    return now;
}

#endif
