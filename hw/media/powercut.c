/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Survivors of a power cut; see powercut.h.
 *
 *   policy     a write                      overlapping survivors
 *   drop-all   vanishes                     none
 *   keep-all   survives whole               in data-visible order
 *   random     vanishes, survives whole,    in a seeded order that respects
 *              or (if not atomic) block     "completed before submitted"
 *              by block
 *
 * A block is always whole: garbage inside a block would be a lie in an atomic
 * write, and in another one a hostile reading that this drive does not offer
 * yet.
 */
#include "powercut.h"

#include "mix.h"

/* One salt per question, so that the answers are independent. */
enum { SALT_OUTCOME = 1, SALT_BLOCK, SALT_EFFECT };

static uint64_t draw(const struct powercut *cut,
                     const struct powercut_write *write, uint64_t salt)
{
    uint64_t name = write->id ^ (uint64_t)write->part << 48;

    return mix64_of(cut->seed, write->medium * 8ull + salt, name);
}

enum powercut_outcome powercut_outcome(const struct powercut *cut,
                                       const struct powercut_write *write)
{
    uint64_t word;

    if (cut->policy != POWERCUT_RANDOM) {
        return cut->policy == POWERCUT_KEEP_ALL ? POWERCUT_KEPT
                                                : POWERCUT_DROPPED;
    }
    word = draw(cut, write, SALT_OUTCOME);
    if (write->is_atomic) {
        return word % 2 ? POWERCUT_KEPT : POWERCUT_DROPPED;
    }
    switch (word % 3) {
    case 0:
        return POWERCUT_DROPPED;
    case 1:
        return POWERCUT_KEPT;
    default:
        return POWERCUT_TORN;
    }
}

bool powercut_keeps(const struct powercut *cut,
                    const struct powercut_write *write, uint32_t block)
{
    switch (powercut_outcome(cut, write)) {
    case POWERCUT_DROPPED:
        return false;
    case POWERCUT_KEPT:
        return true;
    default:
        return mix64_of(draw(cut, write, SALT_BLOCK), block, 0) % 2;
    }
}

uint64_t powercut_effect(const struct powercut *cut,
                         const struct powercut_write *write)
{
    uint64_t span = write->last_stamp - write->first_stamp + 1;

    if (cut->policy != POWERCUT_RANDOM) {
        return write->visible_stamp;
    }
    return write->first_stamp + draw(cut, write, SALT_EFFECT) % span;
}
