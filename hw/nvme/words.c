/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The words of the host's language: lies and survivor policies. */
#include "nvme.h"

#include <errno.h>
#include <stdlib.h>

static const char *const lie_names[LAB_LIE_COUNT] = {
    [LAB_LIE_NONE] = "none",
    [LAB_LIE_FLUSH] = "flush",
    [LAB_LIE_FLUSH_EARLY] = "flush-early",
    [LAB_LIE_FUA] = "fua",
    [LAB_LIE_FUA_BARRIER] = "fua-barrier",
    [LAB_LIE_ATOMIC] = "atomic",
};

bool lab_lie_parse(const char *word, enum lab_lie *lie)
{
    int i;

    for (i = 0; i < LAB_LIE_COUNT; i++) {
        if (!strcmp(word, lie_names[i])) {
            *lie = i;
            return true;
        }
    }
    return false;
}

const char *lab_lie_name(enum lab_lie lie)
{
    return lie_names[lie];
}

static bool parse_seed(const char *text, uint64_t *seed)
{
    char *end;

    /* strtoull() would take a sign and leading blanks. */
    if (!g_ascii_isdigit(text[0])) {
        return false;
    }
    errno = 0;
    *seed = strtoull(text, &end, 0);
    return !*end && !errno;
}

bool lab_cut_parse(const char *text, struct lab_cut *cut)
{
    static const char random[] = "random:";

    *cut = (struct lab_cut) { 0 };
    if (!strcmp(text, "drop-all")) {
        cut->policy = LAB_POLICY_DROP_ALL;
        return true;
    }
    if (!strcmp(text, "keep-all")) {
        cut->policy = LAB_POLICY_KEEP_ALL;
        return true;
    }
    cut->policy = LAB_POLICY_RANDOM;
    return !strncmp(text, random, strlen(random)) &&
           parse_seed(text + strlen(random), &cut->seed);
}
